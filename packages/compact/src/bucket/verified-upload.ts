import {open} from "node:fs/promises";
import {join} from "node:path";
import {StrataError, withContext} from "@strata/base";
import {CHUNKS_DIR, deleteBlock, INDEX_FILE, META_FILE, uploadBlock} from "@strata/block";
import {type Bucket, readObject} from "@strata/objstore";
import {type BlockMeta, encodeBlockMeta} from "@strata/tsdb/blocks";
import type {CompactContext} from "../context.ts";

/**
 * Uploads the block directory `dir` and reads every object back against the local files, into which nobody may write any
 * more. Only after that may anything that the block replaces be marked. A block that came back different is taken out of the bucket again.
 */
export async function uploadVerified(
  ctx: Pick<CompactContext, "bucket" | "hashFunc" | "filesConcurrency" | "now">,
  dir: string,
  signal: AbortSignal,
): Promise<BlockMeta> {
  const {bucket, hashFunc, filesConcurrency, now} = ctx;
  const meta = await uploadBlock(
    bucket,
    dir,
    {hashFunc, concurrency: filesConcurrency, now, allowNoLabels: true, shared: true},
    signal,
  );
  const different = await firstDifference(bucket, dir, meta, signal);
  if (different === undefined) return meta;
  await deleteBlock(bucket, meta.ulid, signal);
  throw new StrataError(
    "unavailable",
    `cannot upload block ${meta.ulid}: ${different} came back from ${bucket.name} different; the upload was taken back`,
  );
}

async function firstDifference(
  bucket: Bucket,
  dir: string,
  meta: BlockMeta,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    for (const {relPath} of meta.thanos?.files ?? []) {
      if (relPath === META_FILE) continue;
      const key = `${meta.ulid}/${relPath}`;
      if (!(await equalsFile(bucket, key, join(dir, relPath), signal))) return relPath;
    }
    const text = Buffer.from(encodeBlockMeta(meta));
    const back = await readObject(bucket, `${meta.ulid}/${META_FILE}`, text.length + 1, signal);
    return text.equals(back) ? undefined : META_FILE;
  } catch (err) {
    throw withContext(err, `cannot read block ${meta.ulid} back`);
  }
}

async function equalsFile(bucket: Bucket, key: string, path: string, signal: AbortSignal): Promise<boolean> {
  // A bucket on the same disk took the file itself; it was synced before.
  if (await bucket.files?.isShared(key, path, signal)) return true;
  const file = await open(path, "r");
  try {
    const {size} = await file.stat();
    let own = Buffer.alloc(0);
    let at = 0;
    for await (const part of await bucket.get(key, signal)) {
      if (at + part.length > size) return false;
      if (own.length < part.length) own = Buffer.allocUnsafeSlow(part.length);
      const {bytesRead} = await file.read(own, 0, part.length, at);
      if (bytesRead !== part.length || own.compare(part, 0, part.length, 0, part.length) !== 0) return false;
      at += part.length;
    }
    return at === size;
  } finally {
    await file.close();
  }
}

/**
 * Whether all objects are there that the block's meta.json lists, with their sizes; what is missing otherwise. Without a
 * list, the index and each segment must be there.
 */
export async function missingObject(bucket: Bucket, meta: BlockMeta, signal: AbortSignal): Promise<string | undefined> {
  const sizes = new Map<string, number>();
  for await (const entry of bucket.list(meta.ulid, {recursive: true}, signal)) {
    sizes.set(entry.name.slice(meta.ulid.length + 1), entry.size ?? 0);
  }
  const listed = meta.thanos?.files ?? [];
  for (const {relPath, sizeBytes} of listed) {
    const size = sizes.get(relPath);
    if (size === undefined) return `${relPath} is missing`;
    if (sizeBytes > 0 && size !== sizeBytes) return `${relPath} has ${size} bytes instead of ${sizeBytes}`;
  }
  const segments = (meta.thanos?.segmentFiles ?? []).map((name) => `${CHUNKS_DIR}/${name}`);
  const needed = [META_FILE, INDEX_FILE, ...segments];
  const missing = needed.find((path) => !sizes.has(path));
  return missing === undefined ? undefined : `${missing} is missing`;
}
