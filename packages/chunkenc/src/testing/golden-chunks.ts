import {readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";

/** A sample as the golden dumps write it: floats as 16 hex digits, histograms as objects; start time where there is one. */
export type GoldenSample = readonly [number, string | GoldenHistogram, number?];

export type GoldenHistogram = {
  kind: "int" | "float";
  reset: string;
  schema: number;
  zero_threshold: string;
  zero_count: string;
  count: string;
  sum: string;
  pos_spans: [number, number][];
  pos_buckets: string[];
  neg_spans: [number, number][];
  neg_buckets: string[];
  custom_values?: string[];
};

export type GoldenAggregate = Record<string, {encoding: string; samples: GoldenSample[]} | undefined>;

/** One chunk of a golden block: what the dump says of it, and its bytes from the segment file. */
export type GoldenChunk = {
  readonly where: string;
  readonly mint: number;
  readonly maxt: number;
  readonly encoding: string;
  readonly encodingByte: number;
  readonly data: Uint8Array;
  readonly crc32c: number;
  readonly storedCrc32c: number;
  readonly resetHeader: string | undefined;
  readonly samples: GoldenSample[];
  readonly aggregate: GoldenAggregate | undefined;
};

type DumpChunk = {
  ref: string;
  mint: number;
  maxt: number;
  encoding: string;
  samples: number;
  bytes: number;
  crc32c: string;
  reset_header?: string;
  aggr?: GoldenAggregate;
};
type DumpSeries = {chunks: DumpChunk[]; samples?: GoldenSample[]};

/** All chunks of all golden blocks below `parts` that have a dump beside them; a block must not be damaged. */
export function* goldenChunks(...parts: readonly string[]): Generator<GoldenChunk> {
  const root = goldenDir(...parts);
  for (const entry of readdirSync(root, {recursive: true}) as string[]) {
    if (!entry.endsWith(".dump.jsonl.gz")) continue;
    const path = join(root, entry);
    const block = path.slice(0, -".dump.jsonl.gz".length);
    const files = readdirSync(join(block, "chunks")).sort();
    const segments = files.map((file) => readFileSync(join(block, "chunks", file)));
    for (const line of gunzipSync(readFileSync(path)).toString().split("\n")) {
      if (line !== "") yield* seriesChunks(JSON.parse(line) as DumpSeries, segments, entry);
    }
  }
}

function* seriesChunks(series: DumpSeries, segments: readonly Buffer[], where: string): Generator<GoldenChunk> {
  let next = 0;
  for (const chunk of series.chunks) {
    const ref = BigInt(chunk.ref);
    const segment = segments[Number(ref >> 32n)] as Buffer;
    let at = Number(ref & 0xffffffffn);
    let length = 0;
    let byte = 0;
    for (let shift = 0; ; shift += 7) {
      byte = segment[at++] as number;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if (length !== chunk.bytes)
      throw new Error(`${where} ref ${chunk.ref}: length ${length}, dump says ${chunk.bytes}`);
    const samples = chunk.aggr === undefined ? (series.samples ?? []).slice(next, next + chunk.samples) : [];
    if (chunk.aggr === undefined) next += chunk.samples;
    yield {
      where: `${where} ref ${chunk.ref}`,
      mint: chunk.mint,
      maxt: chunk.maxt,
      encoding: chunk.encoding,
      encodingByte: segment[at] as number,
      data: segment.subarray(at + 1, at + 1 + length),
      crc32c: Number.parseInt(chunk.crc32c, 16),
      storedCrc32c: segment.readUInt32BE(at + 1 + length),
      resetHeader: chunk.reset_header,
      samples,
      aggregate: chunk.aggr,
    };
  }
}
