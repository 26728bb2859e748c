import {existsSync, readdirSync, renameSync, rmSync} from "node:fs";
import {join} from "node:path";
import {StrataError} from "@strata/base";
import {ByteReader, ByteWriter} from "@strata/bytes";
import {writeHistogram} from "../wal/histogram-records.ts";
import {decodeExemplars, encodeExemplars, type RefExemplar} from "../wal/other-records.ts";
import {listSegments} from "../wal/segments.ts";
import {readRecords} from "../wal/wal-reader.ts";
import {WalWriter} from "../wal/wal-writer.ts";
import {syncDir, writeError} from "../writer/file-sink.ts";
import type {Head} from "./head.ts";

const SERIES = 1;
const TOMBSTONES = 2;
const EXEMPLARS = 3;

/** A copy of a head's memory as of a place in the log: `offset` of segment `index`. */
export type ChunkSnapshot = {readonly dir: string; readonly index: number; readonly offset: number};

/** What a snapshot holds; bytes are good only during the call. */
export type SnapshotVisitor = {
  readonly series: (ref: number, bytes: Uint8Array, from: number, to: number, open: SnapshotChunk | undefined) => void;
  readonly deletion: (ref: number, mint: number, maxt: number) => void;
  readonly exemplar: (exemplar: RefExemplar) => void;
};

/** The chunk that was open; times in ms, both inclusive. */
export type SnapshotChunk = {
  readonly mint: number;
  readonly maxt: number;
  readonly encoding: number;
  readonly data: Uint8Array;
};

/** The newest snapshot in a data directory. */
export function lastSnapshot(dir: string): ChunkSnapshot | undefined {
  if (!existsSync(dir)) return undefined;
  const found = readdirSync(dir)
    .map((name) => /^chunk_snapshot\.(\d+)\.(\d+)$/.exec(name))
    .filter((match) => match !== null)
    .map((match) => ({dir: join(dir, match[0]), index: Number(match[1]), offset: Number(match[2])}));
  return found.sort((a, b) => a.index - b.index || a.offset - b.offset).at(-1);
}

/** Removes all snapshots but `keep`: from now on they would be older than the log. */
export function removeSnapshots(dir: string, keep = ""): void {
  for (const name of readdirSync(dir)) {
    if (name.startsWith("chunk_snapshot.") && join(dir, name) !== keep)
      rmSync(join(dir, name), {recursive: true, force: true});
  }
}

/** Records are logged when they have grown to this, and the event loop gets a turn. */
const BATCH_BYTES = 1024 * 1024;
const EXEMPLARS_A_RECORD = 10_000;
const TOMBSTONES_VERSION = 1;

/**
 * Writes a snapshot of the head as of the end of its log, so that the next start need not read the log; see readSnapshot.
 * It becomes visible by a rename, and older ones go then. Nothing may be appended meanwhile.
 */
export async function writeSnapshot(head: Head): Promise<void> {
  const {segment, offset} = head.wal;
  const pad = (n: number, width: number): string => String(n).padStart(width, "0");
  const target = join(head.dir, `chunk_snapshot.${pad(segment, 6)}.${pad(offset, 10)}`);
  const tmp = `${target}.tmp`;
  rmSync(tmp, {recursive: true, force: true});
  const log = WalWriter.open(tmp, {...head.walOptions, sync: "commit"});
  try {
    for await (const records of snapshotRecords(head)) log.log(records);
  } finally {
    await log.close();
  }
  await syncDir(tmp);
  removeSnapshots(head.dir, tmp);
  try {
    renameSync(tmp, target);
  } catch (err) {
    throw writeError(err, target);
  }
  await syncDir(head.dir);
}

async function* snapshotRecords(head: Head): AsyncGenerator<Uint8Array[]> {
  const {table} = head.store;
  let records: Uint8Array[] = [];
  let bytes = 0;
  for (let slot = 0; slot < table.slots; slot++) {
    if (table.ref[slot] === 0) continue;
    const record = seriesRecord(head, slot);
    records.push(record);
    bytes += record.length;
    if (bytes < BATCH_BYTES) continue;
    yield records;
    records = [];
    bytes = 0;
    await new Promise((resolve) => setImmediate(resolve));
  }
  yield [...records, tombstonesRecord(head)];
  const exemplars = head.exemplars.all();
  for (let from = 0; from < exemplars.length; from += EXEMPLARS_A_RECORD) {
    const record = encodeExemplars(exemplars.slice(from, from + EXEMPLARS_A_RECORD)).slice();
    record[0] = EXEMPLARS;
    yield [record];
  }
}

function seriesRecord({store}: Head, slot: number): Uint8Array {
  const w = new ByteWriter();
  w.u8(SERIES);
  w.u64be(store.table.ref[slot] as number);
  store.table.labelBytes(slot, (bytes, from, to) => w.bytes(bytes, from, to));
  // Compat: was the block range once.
  w.u64be(0);
  const chunk = store.openChunk(slot);
  w.uvarint(chunk === undefined ? 0 : 1);
  if (chunk === undefined) return w.take();
  const {mint, maxt, encoding, data, last} = chunk;
  w.u64be(mint);
  w.u64be(maxt);
  w.u8(encoding);
  w.uvarint(data.length);
  w.bytes(data, 0, data.length);
  if (last !== undefined) writeHistogram(w, last);
  else {
    // Compat: three samples before the last one used to be here, and the last one's time.
    w.zeros(3 * 16 + 8);
    w.u32be(chunk.high);
    w.u32be(chunk.low);
  }
  return w.take();
}

function tombstonesRecord({tombstones}: Head): Uint8Array {
  const list = new ByteWriter();
  list.u8(TOMBSTONES_VERSION);
  for (const [ref, intervals] of tombstones) {
    for (const {mint, maxt} of intervals) {
      list.uvarint(ref);
      list.varint(mint);
      list.varint(maxt);
    }
  }
  const w = new ByteWriter();
  w.u8(TOMBSTONES);
  w.uvarint(list.length);
  w.bytes(list.view(), 0, list.length);
  return w.take();
}

/**
 * Reads a snapshot: a log with records of its own.
 *
 * ```
 * 1   BE u64 ref · labels · 8 bytes · uvarint has chunk · [BE i64 mint · BE i64 maxt · u8 encoding · uvarint n · data · …]
 * 2   uvarint n · u8 version · { uvarint ref · varint mint · varint maxt }…
 * 3   exemplars as in the log
 * ```
 */
export function readSnapshot(snapshot: ChunkSnapshot, visit: SnapshotVisitor): void {
  readRecords(listSegments(snapshot.dir), (record, segment) => {
    const r = new ByteReader(record, segment.path);
    const type = r.u8();
    if (type === SERIES) readSeries(r, visit);
    else if (type === TOMBSTONES) {
      const length = r.uvarint();
      r.need(length);
      r.reset(r.pos, r.pos + length);
      r.u8();
      while (r.remaining > 0) visit.deletion(r.uvarint(), r.varint(), r.varint());
    } else if (type === EXEMPLARS) for (const exemplar of decodeExemplars(r)) visit.exemplar(exemplar);
    else throw new StrataError("corrupt", `cannot read ${segment.path}: unknown snapshot record ${type}`);
  });
}

function readSeries(r: ByteReader, visit: SnapshotVisitor): void {
  const ref = r.u53be();
  const from = r.pos;
  const count = r.uvarint();
  r.need(2 * count);
  for (let i = 0; i < 2 * count; i++) r.skip(r.uvarint());
  const to = r.pos;
  r.skip(8);
  if (r.uvarint() === 0) {
    visit.series(ref, r.data, from, to, undefined);
    return;
  }
  const mint = Number(r.i64be());
  const maxt = Number(r.i64be());
  const encoding = r.u8();
  visit.series(ref, r.data, from, to, {mint, maxt, encoding, data: r.bytes(r.uvarint())});
}
