import {existsSync, readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";
import {parseUlid} from "@strata/model";

/** A block of the golden data: its directory, and the path without suffix of what lies beside it. */
export type GoldenBlock = {readonly name: string; readonly dir: string; readonly beside: string};

/** All block directories below golden `storage/<parts>` that have an index, found by listing. */
export function goldenBlocks(...parts: readonly string[]): GoldenBlock[] {
  const root = goldenDir("storage", ...parts);
  const found: GoldenBlock[] = [];
  for (const name of readdirSync(root, {recursive: true, encoding: "utf8"}).sort()) {
    const dir = join(root, name);
    const ulid = name.split("/").at(-1) as string;
    if (parseUlid(ulid) !== undefined && existsSync(join(dir, "index"))) found.push({name, dir, beside: dir});
  }
  return found;
}

/** A series of a `.dump.jsonl.gz`; see the golden README. */
export type DumpSeries = {
  readonly id: number;
  readonly labels: readonly (readonly [string, string])[];
  readonly chunks: readonly DumpChunk[];
  readonly samples: readonly (readonly [t: number, v: unknown, st?: number])[];
};

export type DumpChunk = {
  readonly ref: string;
  readonly mint: number;
  readonly maxt: number;
  readonly encoding: string;
  readonly samples: number;
  readonly bytes: number;
  readonly crc32c: string;
};

export function readJsonLines<T>(path: string): T[] {
  const text = gunzipSync(readFileSync(path)).toString("utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}

export const readJsonGz = <T>(path: string): T => JSON.parse(gunzipSync(readFileSync(path)).toString("utf8")) as T;
