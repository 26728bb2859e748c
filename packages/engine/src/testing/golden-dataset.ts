import {Labels} from "@strata/model";
import {indexes} from "../decode-chunk.ts";
import type {FloatHistogram, Hint} from "../histogram/float-histogram.ts";
import type {StoredSample, StoredSeries} from "./memory-store.ts";

type Span = [offset: number, length: number];

type IntForm = {
  ps?: Span[];
  ns?: Span[];
  pb?: number[];
  nb?: number[];
  zc?: number;
  count: number;
  sum: string;
} & Shared;
type FloatForm = {
  ps?: Span[];
  ns?: Span[];
  pb?: string[];
  nb?: string[];
  zc?: string;
  count: string;
  sum: string;
} & Shared;
type Shared = {schema: number; zt?: string; custom?: number[]; hint?: number};

/** One line of the golden data set. */
export type DatasetLine = {
  labels: Record<string, string>;
  samples: [number, string | {int: IntForm} | {float: FloatForm}][];
};

const words = new BigUint64Array(1);
const numbers = new Float64Array(words.buffer);

/** A float from its 16 hex digits. */
function hexFloat(hex: string | undefined): number {
  words[0] = BigInt(`0x${hex ?? "0"}`);
  return numbers[0]!;
}

const spans = (of: Span[] | undefined) => indexes((of ?? []).map(([offset, length]) => ({offset, length})));

/** Absolute counts from the first count and the differences after it. */
function absolute(deltas: readonly number[] | undefined): number[] {
  let v = 0;
  return (deltas ?? []).map((d) => {
    v += d;
    return v;
  });
}

function histogram(of: {int: IntForm} | {float: FloatForm}): FloatHistogram {
  const shared = "int" in of ? of.int : of.float;
  const base = {
    schema: shared.schema,
    hint: (shared.hint ?? 0) as Hint,
    zeroThreshold: hexFloat(shared.zt),
    sum: hexFloat(shared.sum),
    pi: spans(shared.ps),
    ni: spans(shared.ns),
    custom: shared.custom ?? [],
  };
  if ("int" in of) {
    const {count, zc, pb, nb} = of.int;
    return {...base, count, zeroCount: zc ?? 0, pv: absolute(pb), nv: absolute(nb)};
  }
  const {count, zc, pb, nb} = of.float;
  return {
    ...base,
    count: hexFloat(count),
    zeroCount: hexFloat(zc),
    pv: (pb ?? []).map(hexFloat),
    nv: (nb ?? []).map(hexFloat),
  };
}

const STALE = "7ff0000000000002";

/** A stale histogram is kept as a stale float, as the engine's decoder gives it. */
function histogramOrStale(of: {int: IntForm} | {float: FloatForm}): bigint | FloatHistogram {
  return ("int" in of ? of.int : of.float).sum === STALE ? BigInt(`0x${STALE}`) : histogram(of);
}

/** A line as a series for a MemoryStore. */
export function datasetSeries(line: DatasetLine): StoredSeries {
  const samples = line.samples.map(
    ([t, v]): StoredSample => ({t, v: typeof v === "string" ? BigInt(`0x${v}`) : histogramOrStale(v)}),
  );
  return {labels: Labels.fromObject(line.labels), samples};
}
