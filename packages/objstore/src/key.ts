import {StrataError} from "@strata/base";

/** Longest key that is accepted: the limit S3 and GCS share, bytes of UTF-8. */
const MAX_KEY_BYTES = 1024;

/** Throws `bad_data` unless `key` names one object: relative, without empty, "." or ".." parts and NUL. */
export function checkKey(key: string): void {
  if (key === "") throw badKey(key, "it is empty");
  // PERF: a UTF-8 text has at most 3 bytes a UTF-16 unit, so ordinary keys skip the exact count.
  if (key.length > MAX_KEY_BYTES / 3 && Buffer.byteLength(key) > MAX_KEY_BYTES) throw badKey(key, "it is too long");
  if (key.includes("\0")) throw badKey(key, "it holds a NUL character");
  for (const part of key.split("/")) {
    if (part === "") throw badKey(key, "it starts or ends with “/” or has an empty part");
    if (part === "." || part === "..") throw badKey(key, "it has a “.” or “..” part");
  }
}

/** The folder `dir` without a trailing "/"; "" is the root. Same rules as for keys. */
export function checkDir(dir: string): string {
  if (dir === "") return "";
  const trimmed = dir.endsWith("/") ? dir.slice(0, -1) : dir;
  checkKey(trimmed);
  return trimmed;
}

/** Order of keys by their UTF-8 bytes, in which every provider lists. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

const badKey = (key: string, why: string) =>
  new StrataError("bad_data", `cannot use object key ${JSON.stringify(key.slice(0, 200))}: ${why}`);
