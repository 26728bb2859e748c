import {createReadStream} from "node:fs";
import {open, rm, stat} from "node:fs/promises";
import {StrataError, withContext} from "@strata/base";
import type {Bucket, CopyOptions} from "./bucket.ts";

/**
 * A whole small object in memory. `limit` bounds it (bytes): a larger one is `limit`, so that a foreign object under a
 * known name cannot fill the memory.
 */
export async function readObject(bucket: Bucket, key: string, limit: number, signal: AbortSignal): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of await bucket.get(key, signal)) {
    size += part.length;
    if (size > limit) {
      throw new StrataError("limit", `cannot read object ${key} of ${bucket.name}: it is larger than ${limit} bytes`);
    }
    parts.push(part);
  }
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts, size);
}

/** Uploads bytes that are already in memory. */
export async function uploadBytes(bucket: Bucket, key: string, body: Uint8Array, signal: AbortSignal): Promise<void> {
  await bucket.upload(key, oneChunk(body), body.length, signal);
}

async function* oneChunk(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}

/** Streams the local file at `path` into the object `key`. */
export async function uploadFile(
  bucket: Bucket,
  key: string,
  path: string,
  signal: AbortSignal,
  options: CopyOptions = {},
): Promise<void> {
  try {
    if (bucket.files !== undefined) {
      await bucket.files.copyIn(key, path, options, signal);
      return;
    }
    const {size} = await stat(path);
    await bucket.upload(key, createReadStream(path, {highWaterMark: COPY_BYTES}), size, signal);
  } catch (err) {
    throw withContext(err, `cannot upload ${path} as ${key} to ${bucket.name}`);
  }
}

/**
 * Streams the object `key` into a new local file, which takes the place of one that is there. A failure leaves a partial
 * file behind.
 */
export async function downloadFile(
  bucket: Bucket,
  key: string,
  path: string,
  signal: AbortSignal,
  options: CopyOptions = {},
): Promise<void> {
  try {
    if (bucket.files !== undefined) {
      await bucket.files.copyOut(key, path, options, signal);
      return;
    }
    const body = await bucket.get(key, signal);
    // What is there may be one file with an object of another bucket: it is not written into.
    await rm(path, {force: true});
    const file = await open(path, "wx");
    try {
      for await (const part of body) await file.writeFile(part);
    } finally {
      await file.close();
    }
  } catch (err) {
    throw withContext(err, `cannot download ${key} of ${bucket.name} to ${path}`);
  }
}

/** Copy unit: large enough that system calls do not count, small enough for hundreds of streams at once. */
export const COPY_BYTES = 256 * 1024;
