import {existsSync, readdirSync, rmSync} from "node:fs";
import {join} from "node:path";
import {StrataError} from "@strata/base";
import {ByteReader} from "@strata/bytes";
import {decodeExemplars, type RefExemplar} from "../wal/other-records.ts";
import {listSegments} from "../wal/segments.ts";
import {readRecords} from "../wal/wal-reader.ts";

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

/** Removes all snapshots: from now on they would be older than the log. */
export function removeSnapshots(dir: string): void {
  for (const name of readdirSync(dir)) {
    if (name.startsWith("chunk_snapshot.")) rmSync(join(dir, name), {recursive: true, force: true});
  }
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
