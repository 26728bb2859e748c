import {appendFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync} from "node:fs";
import {dirname, join} from "node:path";

/** One step of damaging a copy of a sound directory; see the golden README. */
export type DamageOp = {
  readonly op: "truncate" | "flip" | "zero" | "write" | "append" | "delete" | "create";
  readonly file: string;
  readonly offset?: number;
  readonly length?: number;
  readonly mask?: number;
  readonly hex?: string;
  readonly content?: string;
};

/** Applies the steps, in order, to the directory `dir`, which must be writable. */
export function damage(dir: string, ops: readonly DamageOp[]): void {
  for (const op of ops) applyOp(join(dir, op.file), op);
}

function applyOp(path: string, op: DamageOp): void {
  const offset = op.offset ?? 0;
  switch (op.op) {
    case "truncate":
      truncateSync(path, offset);
      return;
    case "append":
      appendFileSync(path, Buffer.from(op.hex ?? "", "hex"));
      return;
    case "delete":
      rmSync(path, {recursive: true});
      return;
    case "create":
      mkdirSync(dirname(path), {recursive: true});
      writeFileSync(path, op.content ?? "");
      return;
    default: {
      const bytes = readFileSync(path);
      if (op.op === "write") bytes.set(Buffer.from(op.hex ?? "", "hex"), offset);
      for (let i = offset; op.op !== "write" && i < offset + (op.length ?? 1); i++) {
        bytes[i] = op.op === "zero" ? 0 : (bytes[i] as number) ^ (op.mask ?? 0);
      }
      writeFileSync(path, bytes);
    }
  }
}
