import {existsSync, mkdirSync, renameSync, rmSync} from "node:fs";
import {join} from "node:path";
import {ByteReader} from "@strata/bytes";
import {syncDir, writeError} from "../writer/file-sink.ts";
import {decodeHistogramRecord, encodeHistogramRecords, type HistogramSample} from "./histogram-records.ts";
import {
  decodeExemplars,
  decodeMetadata,
  decodeSeries,
  decodeStones,
  encodeExemplars,
  encodeMetadata,
  encodeStones,
  type RefMetadata,
  SeriesRecord,
} from "./other-records.ts";
import {RECORD} from "./record-type.ts";
import {decodeSamples, encodeSamples, SampleColumns} from "./sample-records.ts";
import {checkpointName, listCheckpoints, listSegments, removeOldCheckpoints} from "./segments.ts";
import {SegmentReader} from "./wal-reader.ts";
import {WalWriter, type WalWriterOptions} from "./wal-writer.ts";

/** Which data a checkpoint keeps. */
export type CheckpointFilter = {
  /** ms: samples, exemplars and deletions before it go. */
  readonly mint: number;
  /** Whether the series still matters. */
  readonly keeps: (ref: number) => boolean;
};

/**
 * Writes a checkpoint of the previous one and all segments up to `last`, then removes what it stands for. Until the
 * rename that makes it visible everything is as before; a crash behind it leaves segments that are only superfluous.
 */
export async function writeCheckpoint(
  dir: string,
  last: number,
  filter: CheckpointFilter,
  options: WalWriterOptions,
  wal: WalWriter,
): Promise<void> {
  const target = join(dir, checkpointName(last));
  const tmp = `${target}.tmp`;
  const previous = listCheckpoints(dir).at(-1);
  const from = previous === undefined ? 0 : previous.index + 1;
  const segments = [
    ...(previous === undefined ? [] : listSegments(previous.dir)),
    ...listSegments(dir).filter(({index}) => index >= from && index <= last),
  ];
  try {
    rmSync(tmp, {recursive: true, force: true});
    mkdirSync(tmp);
  } catch (err) {
    throw writeError(err, tmp);
  }
  const out = WalWriter.open(tmp, {...options, sync: "commit"});
  try {
    const metadata = new Map<number, RefMetadata>();
    for (const segment of segments) {
      const reader = new SegmentReader(segment);
      try {
        for (let i = 0; reader.next(); i++) {
          const records = filterRecord(reader.record, segment.path, filter, metadata);
          if (records.length > 0) out.log(records);
          // A checkpoint may take seconds; others want their turn.
          if (i % 256 === 255) await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        reader.close();
      }
    }
    if (metadata.size > 0) out.log([encodeMetadata([...metadata.values()])]);
  } finally {
    await out.close();
  }
  await syncDir(tmp);
  try {
    if (existsSync(target)) rmSync(target, {recursive: true});
    renameSync(tmp, target);
  } catch (err) {
    throw writeError(err, target);
  }
  await syncDir(dir);
  await wal.truncate(last + 1);
  removeOldCheckpoints(dir, last);
}

/** What is left of a record; newest metadata is collected for the end. */
function filterRecord(
  record: Uint8Array,
  name: string,
  {mint, keeps}: CheckpointFilter,
  metadata: Map<number, RefMetadata>,
): Uint8Array[] {
  const type = record[0] as number;
  const r = new ByteReader(record, name, 1);
  switch (type) {
    case RECORD.series: {
      const kept = new SeriesRecord();
      decodeSeries(r, (ref, from, to) => {
        if (keeps(ref)) kept.add(ref, record, from, to);
      });
      return kept.records();
    }
    case RECORD.samples:
    case RECORD.samplesV2: {
      const all = new SampleColumns();
      decodeSamples(r, type, all);
      const kept = new SampleColumns(all.n);
      for (let i = 0; i < all.n; i++) {
        const t = all.t[i] as number;
        if (t < mint) continue;
        kept.pushWords(
          all.ref[i] as number,
          t,
          all.words[2 * i] as number,
          all.words[2 * i + 1] as number,
          all.st[i] as number,
        );
      }
      // Views are overwritten by the next encoding, so the record is copied.
      return kept.n === 0 ? [] : [encodeSamples(kept, 0, kept.n, type === RECORD.samplesV2).slice()];
    }
    case RECORD.histograms:
    case RECORD.floatHistograms:
    case RECORD.customHistograms:
    case RECORD.customFloatHistograms:
    case RECORD.histogramsV2:
    case RECORD.floatHistogramsV2: {
      const samples: HistogramSample[] = [];
      decodeHistogramRecord(r, type, samples);
      const v2 = type === RECORD.histogramsV2 || type === RECORD.floatHistogramsV2;
      return encodeHistogramRecords(
        samples.filter(({t}) => t >= mint),
        v2,
      );
    }
    case RECORD.tombstones: {
      const stones = decodeStones(r).filter(({ref, maxt}) => maxt >= mint && keeps(ref));
      return stones.length === 0 ? [] : [encodeStones(stones)];
    }
    case RECORD.exemplars: {
      const exemplars = decodeExemplars(r).filter(({t}) => t >= mint);
      return exemplars.length === 0 ? [] : [encodeExemplars(exemplars)];
    }
    case RECORD.metadata:
      for (const entry of decodeMetadata(r)) if (keeps(entry.ref)) metadata.set(entry.ref, entry);
      return [];
    default:
      return [];
  }
}
