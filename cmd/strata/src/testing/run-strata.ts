import {spawn} from "node:child_process";
import {join} from "node:path";

const BIN = join(import.meta.dirname, "../../bin/strata.js");

export type Result = {readonly code: number | null; readonly out: string; readonly err: string};

/** Runs the real executable to its end. */
export function runStrata(...args: readonly string[]): Promise<Result> {
  const child = spawn(process.execPath, [BIN, ...args], {stdio: ["ignore", "pipe", "pipe"]});
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (piece: Buffer) => out.push(piece));
  child.stderr.on("data", (piece: Buffer) => err.push(piece));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({code, out: String(Buffer.concat(out)), err: String(Buffer.concat(err))}));
  });
}
