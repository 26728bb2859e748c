import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {goldenDir, tempDir} from "@strata/base/testing";
import {ByteReader} from "@strata/bytes";
import {decodeHistogramRecord, encodeHistogramRecords, type HistogramSample} from "./histogram-records.ts";
import * as other from "./other-records.ts";
import {RECORD} from "./record-type.ts";
import {decodeSamples, encodeSamples, SampleColumns} from "./sample-records.ts";
import {listCheckpoints, listSegments, PAGE_BYTES, type Segment, WAL_DIR, WBL_DIR} from "./segments.ts";
import {goldenRecords, goldenWalCases, recordForm} from "./testing/golden-wal.ts";
import {readRecords} from "./wal-reader.ts";
import {WalWriter} from "./wal-writer.ts";

const logsOf = (name: string): {log: string; segments: Segment[]}[] => {
  const data = goldenDir("storage", "wal", name, "data");
  const checkpoint = listCheckpoints(join(data, WAL_DIR)).at(-1);
  return [
    ...(checkpoint
      ? [{log: `checkpoint.${String(checkpoint.index).padStart(8, "0")}`, segments: listSegments(checkpoint.dir)}]
      : []),
    {log: "wal", segments: listSegments(join(data, WAL_DIR))},
    {log: "wbl", segments: listSegments(join(data, WBL_DIR))},
  ];
};

for (const name of goldenWalCases()) {
  test(`${name}: every record decodes to what the reference read`, () => {
    const want = goldenRecords(name);
    let at = 0;
    for (const {log, segments} of logsOf(name)) {
      readRecords(segments, (record, segment, end) => {
        const got = {log, segment: segment.index, end_offset: end, bytes: record.length, ...recordForm(record)};
        assert.deepEqual(got, want[at], `record ${at}`);
        at++;
      });
    }
    assert.equal(at, want.length);
  });

  test(`${name}: records encode to the bytes they came from`, () => {
    for (const {segments} of logsOf(name)) {
      readRecords(segments, (record) => {
        assert.deepEqual(
          Buffer.from(reencode(record) ?? record),
          Buffer.from(record),
          JSON.stringify(recordForm(record)),
        );
      });
    }
  });

  test(`${name}: segments of plain records are framed to the same bytes`, async (t) => {
    const segments = logsOf(name).find(({log}) => log === "wal")?.segments ?? [];
    const records: Uint8Array[] = [];
    readRecords(segments, (record) => void records.push(record.slice()));
    const packed = segments.some(({path}) => ((readFileSync(path)[0] ?? 0) & 0x18) !== 0);
    const dir = tempDir(t);
    const wal = WalWriter.open(dir, {segmentBytes: PAGE_BYTES, compression: packed ? "snappy" : "none"});
    for (const record of records) wal.log([record]);
    const size = wal.offset;
    await wal.close();
    const again: Buffer[] = [];
    readRecords(listSegments(dir), (record) => void again.push(Buffer.from(record)));
    assert.deepEqual(
      again,
      records.map((record) => Buffer.from(record)),
    );
    if (packed || segments.length === 0) return;
    const files = listSegments(dir);
    assert.equal(files.length, segments.length);
    files.forEach(({path}, i) => {
      const last = i === files.length - 1;
      const bytes = readFileSync(path);
      assert.deepEqual(last ? bytes.subarray(0, size) : bytes, readFileSync((segments[i] as Segment).path));
    });
  });
}

/** The record's content encoded anew; undefined for one of two that are split from one batch, whose base is the other's. */
function reencode(record: Uint8Array): Uint8Array | undefined {
  const type = record[0] as number;
  const r = new ByteReader(record, "record", 1);
  switch (type) {
    case RECORD.series: {
      const w = new other.SeriesRecord();
      other.decodeSeries(r, (ref, from, to) => w.add(ref, record, from, to));
      return w.records()[0];
    }
    case RECORD.samples:
    case RECORD.samplesV2: {
      const columns = new SampleColumns();
      decodeSamples(r, type, columns);
      return encodeSamples(columns, 0, columns.n, type === RECORD.samplesV2);
    }
    case RECORD.tombstones:
      return other.encodeStones(other.decodeStones(r));
    case RECORD.exemplars:
      return other.encodeExemplars(other.decodeExemplars(r));
    case RECORD.metadata:
      return other.encodeMetadata(other.decodeMetadata(r));
    case RECORD.mmapMarkers:
      return other.encodeMarkers(other.decodeMarkers(r));
    default: {
      const samples: HistogramSample[] = [];
      decodeHistogramRecord(r, type, samples);
      const v2 = type === RECORD.histogramsV2 || type === RECORD.floatHistogramsV2;
      const records = encodeHistogramRecords(samples, v2);
      assert.equal(records.length, 1);
      const plain = new ByteReader(record, "record", 1);
      // The base may be that of an entry that went into the record for custom buckets.
      return v2 || Number(plain.u64be()) === samples[0]?.ref ? records[0] : undefined;
    }
  }
}
