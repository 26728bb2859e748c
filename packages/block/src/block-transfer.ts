import {createHash} from "node:crypto";
import {createReadStream} from "node:fs";
import {mkdir, readdir, readFile, stat} from "node:fs/promises";
import {basename, dirname, join} from "node:path";
import {errorCode, forEachLimit, StrataError, withContext} from "@strata/base";
import {formatRfc3339, parseUlid} from "@strata/model";
import {type Bucket, type CopyOptions, downloadFile, isNotFound, uploadBytes, uploadFile} from "@strata/objstore";
import {type BlockFile, type BlockMeta, encodeBlockMeta, parseBlockMeta} from "@strata/tsdb/blocks";
import {CHUNKS_DIR, DELETION_MARK_FILE, INDEX_FILE, META_FILE} from "./block-files.ts";

/** `--hash-func`: whether the files of a block are hashed into its meta.json. */
export type HashFunc = "" | "SHA256";

export type UploadOptions = {
  readonly hashFunc: HashFunc;
  /** Chunk files uploaded at once; 0 and 1 mean one after the other. */
  readonly concurrency: number;
  /** A block of plain Prometheus has no external labels; elsewhere their absence is an error. */
  readonly allowNoLabels?: boolean | undefined;
  readonly now?: (() => number) | undefined;
  /** Nobody writes into the block's files any more: a bucket on the same disk need not copy them. */
  readonly shared?: boolean | undefined;
};

/** Reads the meta.json of the block directory `dir`. */
export async function readLocalMeta(dir: string): Promise<BlockMeta> {
  const path = join(dir, META_FILE);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (err) {
    const code = (err as NodeJS.ErrnoException).code === "ENOENT" ? "not_found" : "unavailable";
    throw new StrataError(code, `cannot read ${path}: ${(err as Error).message}`, {cause: err, fields: {file: path}});
  }
  return parseBlockMeta(text, path);
}

/**
 * Uploads the block directory `dir` (named by its ULID): chunks, index, and last meta.json, which makes the block
 * visible. The uploaded meta.json lists the files and the time; the local one stays as it is. A failure leaves what was
 * uploaded so far; uploading again overwrites it. Gives the meta as uploaded.
 */
export async function uploadBlock(
  bucket: Bucket,
  dir: string,
  options: UploadOptions,
  signal: AbortSignal,
): Promise<BlockMeta> {
  const ulid = parseUlid(basename(dir));
  if (ulid === undefined) throw new StrataError("bad_data", `cannot upload ${dir}: not a block directory`);
  const meta = await readLocalMeta(dir);
  const thanos = meta.thanos;
  if (thanos === undefined || (Object.keys(thanos.labels).length === 0 && options.allowNoLabels !== true)) {
    throw new StrataError(
      "bad_data",
      `cannot upload block ${ulid}: empty external labels are not allowed for Thanos block.`,
    );
  }
  const files = await blockFiles(dir, options.hashFunc);
  const chunks = files.filter((file) => file.relPath.startsWith(`${CHUNKS_DIR}/`));
  await forEachLimit(chunks, Math.max(1, options.concurrency), (file) =>
    uploadFile(bucket, `${ulid}/${file.relPath}`, join(dir, file.relPath), signal, options),
  );
  await uploadFile(bucket, `${ulid}/${INDEX_FILE}`, join(dir, INDEX_FILE), signal, options);
  const uploaded: BlockMeta = {
    ...meta,
    thanos: {...thanos, files, uploadTime: formatRfc3339((options.now ?? Date.now)())},
  };
  await uploadBytes(bucket, `${ulid}/${META_FILE}`, Buffer.from(encodeBlockMeta(uploaded)), signal);
  return uploaded;
}

/** What meta.json lists: chunk files, index, and itself without a size, by path. Tombstones are not part of a bucket. */
export async function blockFiles(dir: string, hashFunc: HashFunc): Promise<BlockFile[]> {
  const paths = (await segmentFiles(dir)).map((name) => `${CHUNKS_DIR}/${name}`);
  const files: BlockFile[] = [];
  for (const relPath of [...paths, INDEX_FILE]) {
    const path = join(dir, relPath);
    try {
      const {size} = await stat(path);
      files.push(
        hashFunc === ""
          ? {relPath, sizeBytes: size}
          : {relPath, sizeBytes: size, hash: {func: hashFunc, value: await sha256(path)}},
      );
    } catch (err) {
      throw withContext(err, `cannot list files of block ${dir}`);
    }
  }
  files.push({relPath: META_FILE, sizeBytes: 0});
  return files.sort((a, b) => Buffer.compare(Buffer.from(a.relPath), Buffer.from(b.relPath)));
}

/** Names of the chunk segment files of a local block, sorted; their order is their number. */
export async function segmentFiles(dir: string): Promise<string[]> {
  try {
    return (await readdir(join(dir, CHUNKS_DIR))).sort();
  } catch (err) {
    throw new StrataError("unavailable", `cannot list chunks of ${dir}: ${(err as Error).message}`, {cause: err});
  }
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const part of createReadStream(path, {highWaterMark: 256 * 1024})) hash.update(part as Buffer);
  return hash.digest("hex");
}

/**
 * Downloads a block into `dir`: meta.json first, then all else but files that are there already with the hash that
 * meta.json lists. `chunks/` exists afterwards even when it is empty. With `shared` the caller only reads the files.
 */
export async function downloadBlock(
  bucket: Bucket,
  ulid: string,
  dir: string,
  concurrency: number,
  signal: AbortSignal,
  options: CopyOptions = {},
): Promise<BlockMeta> {
  await mkdir(join(dir, CHUNKS_DIR), {recursive: true});
  await downloadFile(bucket, `${ulid}/${META_FILE}`, join(dir, META_FILE), signal);
  const meta = await readLocalMeta(dir);
  const known = new Map((meta.thanos?.files ?? []).map((file) => [file.relPath, file]));
  const keys: string[] = [];
  for await (const entry of bucket.list(ulid, {recursive: true}, signal)) keys.push(entry.name);
  await forEachLimit(keys, Math.max(1, concurrency), async (key) => {
    const relPath = key.slice(ulid.length + 1);
    if (relPath === META_FILE) return;
    const path = join(dir, relPath);
    if (await isSameFile(path, known.get(relPath))) return;
    await mkdir(dirname(path), {recursive: true});
    await downloadFile(bucket, key, path, signal, options);
  });
  return meta;
}

async function isSameFile(path: string, file: BlockFile | undefined): Promise<boolean> {
  if (file?.hash?.func !== "SHA256") return false;
  try {
    return (await sha256(path)) === file.hash.value;
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw err;
  }
}

/**
 * Deletes a block from the bucket: meta.json first, so that nobody sees half of it; the deletion mark last, so that a
 * deletion cut short is found again. What is gone already is no error.
 */
export async function deleteBlock(bucket: Bucket, ulid: string, signal: AbortSignal): Promise<void> {
  if (parseUlid(ulid) === undefined) throw new StrataError("bad_data", `cannot delete block ${ulid}: not a ULID`);
  const remove = async (key: string) => {
    try {
      await bucket.delete(key, signal);
    } catch (err) {
      if (!isNotFound(err))
        throw new StrataError(errorCode(err), `cannot delete block ${ulid}: ${String(err)}`, {cause: err});
    }
  };
  const meta = `${ulid}/${META_FILE}`;
  const mark = `${ulid}/${DELETION_MARK_FILE}`;
  await remove(meta);
  const keys: string[] = [];
  for await (const entry of bucket.list(ulid, {recursive: true}, signal)) keys.push(entry.name);
  for (const key of keys) if (key !== meta && key !== mark) await remove(key);
  if (keys.includes(mark)) await remove(mark);
}
