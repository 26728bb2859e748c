import {type FileHandle, mkdir, open, rename, rm, writeFile} from "node:fs/promises";
import {dirname} from "node:path";
import {StrataError} from "@strata/base";
import {crc32c} from "@strata/kernels";
import type {RandomAccess} from "@strata/tsdb/blocks";
import {HEADER_BYTES, HEADER_MAGIC, HEADER_VERSION, TRAILER_BYTES} from "./header-layout.ts";
import {INDEX_HEADER_BYTES, INDEX_MAGIC, type IndexToc, parseToc, TOC_BYTES} from "./index-toc.ts";

/** Larger ranges are fetched in parts of this size, a few at once. */
const PART_BYTES = 16 * 1024 * 1024;
const PARALLEL_PARTS = 3;

/** First guess at the end of an index: holds the whole offset table of a small block, so that one request does. */
const TAIL_BYTES = 16 * 1024;

/** A header of this size is put together in memory and written at once: blocks are many and mostly small. */
const IN_MEMORY_BYTES = 1024 * 1024;

/**
 * Writes the index-header of the index `source` to `path`, by way of `path.tmp`. It is a cache that can be built again
 * and whose reader checks all CRCs, so it is not synced. Throws `corrupt` for an index that cannot be one.
 */
export async function buildIndexHeader(source: RandomAccess, path: string): Promise<void> {
  const ends = await readEnds(source);
  await mkdir(dirname(path), {recursive: true});
  const temporary = `${path}.tmp`;
  try {
    if (ends.headerBytes <= IN_MEMORY_BYTES) {
      await writeFile(temporary, await headerBytesOf(source, ends));
    } else {
      const file = await open(temporary, "w");
      try {
        await copySections(source, ends, (bytes, at) => writeAt(file, bytes, at));
      } finally {
        await file.close();
      }
    }
    await rename(temporary, path);
  } catch (err) {
    await rm(temporary, {force: true});
    throw err;
  }
}

/** The index-header of the index `source` as bytes. Throws as `buildIndexHeader` does. */
export async function indexHeaderBytes(source: RandomAccess): Promise<Uint8Array> {
  return headerBytesOf(source, await readEnds(source));
}

/** What the end of an index says, and that end itself. */
type Ends = {readonly toc: IndexToc; readonly tail: Uint8Array; readonly headerBytes: number};

async function readEnds(source: RandomAccess): Promise<Ends> {
  const size = source.size;
  if (size < INDEX_HEADER_BYTES + TOC_BYTES) {
    throw new StrataError("corrupt", `cannot read index ${source.name}: it has only ${size} bytes`, {
      fields: {file: source.name, offset: 0},
    });
  }
  const tail = await source.read(Math.max(0, size - TAIL_BYTES), Math.min(size, TAIL_BYTES));
  const toc = parseToc(tail.subarray(tail.length - TOC_BYTES), source.name, size);
  return {toc, tail, headerBytes: HEADER_BYTES + toc.series - toc.symbols + size - toc.postingsTable + TRAILER_BYTES};
}

async function headerBytesOf(source: RandomAccess, ends: Ends): Promise<Buffer> {
  const all = Buffer.allocUnsafeSlow(ends.headerBytes);
  await copySections(source, ends, (bytes, at) => void all.set(bytes, at));
  return all;
}

/** Takes bytes that belong at `at` of the index-header. */
type Put = (bytes: Uint8Array, at: number) => Promise<void> | void;

async function copySections(source: RandomAccess, {toc, tail}: Ends, put: Put): Promise<void> {
  const symbolBytes = toc.series - toc.symbols;
  const tableBytes = source.size - toc.postingsTable;
  const tableAt = HEADER_BYTES + symbolBytes;

  // The version byte and the symbols are neighbours in every index that Prometheus writes: one request for both.
  const neighbours = toc.symbols === INDEX_HEADER_BYTES;
  const first = await source.read(0, neighbours ? Math.min(toc.series, PART_BYTES) : INDEX_HEADER_BYTES);
  const version = indexVersion(first, source.name);
  const symbolsRead = first.subarray(Math.min(toc.symbols, first.length));
  const tailFrom = source.size - tail.length;
  const tableKnownFrom = Math.max(tailFrom, toc.postingsTable);

  await put(headBytes(version, toc.postingsTable), 0);
  await put(symbolsRead, HEADER_BYTES);
  await copyParts(source, toc.symbols + symbolsRead.length, toc.series, put, HEADER_BYTES + symbolsRead.length);
  await copyParts(source, toc.postingsTable, tableKnownFrom, put, tableAt);
  await put(tail.subarray(tableKnownFrom - tailFrom), tableAt + tableKnownFrom - toc.postingsTable);
  await put(trailerBytes(tableAt), tableAt + tableBytes);
}

function indexVersion(first: Uint8Array, name: string): number {
  const view = new DataView(first.buffer, first.byteOffset, first.byteLength);
  const magic = view.getUint32(0);
  const version = first[4] as number;
  if (magic === INDEX_MAGIC && (version === 1 || version === 2)) return version;
  throw new StrataError("corrupt", `cannot read index ${name}: magic ${magic.toString(16)}, version ${version}`, {
    fields: {file: name, offset: 0},
  });
}

/** Copies source bytes [from, to) to the index-header from `target` on. */
async function copyParts(source: RandomAccess, from: number, to: number, put: Put, target: number): Promise<void> {
  const starts: number[] = [];
  for (let at = from; at < to; at += PART_BYTES) starts.push(at);
  const worker = async () => {
    for (let at = starts.shift(); at !== undefined; at = starts.shift()) {
      await put(await source.read(at, Math.min(PART_BYTES, to - at)), target + at - from);
    }
  };
  await Promise.all(Array.from({length: Math.min(PARALLEL_PARTS, starts.length)}, worker));
}

async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}

function headBytes(indexVersion: number, lastPostingEnd: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, HEADER_MAGIC);
  view.setUint8(4, HEADER_VERSION);
  view.setUint8(5, indexVersion);
  view.setBigUint64(6, BigInt(lastPostingEnd));
  return bytes;
}

function trailerBytes(tableAt: number): Uint8Array {
  const bytes = new Uint8Array(TRAILER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(HEADER_BYTES));
  view.setBigUint64(8, BigInt(tableAt));
  view.setUint32(16, crc32c(bytes.subarray(0, 16)));
  return bytes;
}
