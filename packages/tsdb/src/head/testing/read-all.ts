import {unlimited} from "@strata/base";
import {decodeChunk, histogramAt} from "@strata/chunkenc";
import {type Histogram, type Matcher, matcher} from "@strata/model";
import type {Queryable, Select} from "@strata/series";

/** A select of everything in [mint, maxt]. */
export const selectAll = (matchers: readonly Matcher[] = [], mint = -(2 ** 52), maxt = 2 ** 52): Select => ({
  matchers: matchers.length > 0 ? matchers : [matcher("__name__", "=~", ".*")],
  mint,
  maxt,
  step: 0,
  range: 0,
  func: "",
  maxResolution: 0,
  aggregates: [],
  withoutReplicaLabels: [],
  skipChunks: false,
  limit: 0,
  partialResponse: false,
  budget: unlimited(),
});

/** A sample as text: the hexadecimal bits of a float, or what tells histograms apart. */
export type PlainSamples = Map<number, string>;

/**
 * All samples that the sources give, by series and time. Chunks of one series may overlap; equal times must agree, unless
 * `anyValue` lets the first one win.
 */
export async function readAll(
  sources: readonly Queryable[],
  q: Select = selectAll(),
  anyValue = false,
): Promise<Map<string, PlainSamples>> {
  const all = new Map<string, PlainSamples>();
  for (const source of sources) {
    for await (const batch of source.select(q, new AbortController().signal)) {
      batch.labels.forEach((labels, row) => {
        const key = String(labels);
        const samples = all.get(key) ?? new Map<number, string>();
        for (let i = batch.firstChunk[row] as number; i < (batch.firstChunk[row + 1] as number); i++) {
          addChunk(
            samples,
            batch.encoding[i] as number,
            batch.bytes,
            batch.offset[i] as number,
            batch.length[i] as number,
            anyValue,
          );
        }
        all.set(key, samples);
      });
    }
  }
  return all;
}

function addChunk(
  samples: PlainSamples,
  encoding: number,
  bytes: Uint8Array,
  from: number,
  length: number,
  anyValue: boolean,
): void {
  const decoded = decodeChunk(encoding, bytes, from, length);
  if (decoded.kind === "aggregates") throw new Error("a head has no aggregates");
  const {columns} = decoded;
  for (let i = 0; i < columns.n; i++) {
    const t = columns.t[i] as number;
    const text =
      decoded.kind === "floats" ? floatText(decoded.columns.v, i) : histogramText(histogramAt(decoded.columns, i));
    const old = samples.get(t);
    if (old !== undefined && anyValue) continue;
    if (old !== undefined && old !== text) throw new Error(`two values at ${t}: ${old} and ${text}`);
    samples.set(t, text);
  }
}

function floatText(v: Float64Array, i: number): string {
  const [low, high] = new Uint32Array(v.buffer, v.byteOffset + 8 * i, 2) as unknown as [number, number];
  return `${high.toString(16)}:${low.toString(16)}`;
}

const one = new Float64Array(1);

export function numberText(value: number): string {
  one[0] = value;
  return floatText(one, 0);
}

export const histogramText = (h: Histogram): string =>
  h.stale ? `${h.kind} stale` : `${h.kind} ${h.count} ${h.sum} ${h.zeroCount}`;
