import {StrataError} from "@strata/base";
import {Labels, METRIC_NAME} from "@strata/model";
import type {LoadCommand, TestHistogram} from "@strata/promql/testing";
import {sameNumbers} from "../histogram/add.ts";
import {countsFell} from "../histogram/compare.ts";
import {CUSTOM_SCHEMA, compact, type FloatHistogram, HINT, type Hint} from "../histogram/float-histogram.ts";
import {parseLe} from "../histogram-functions.ts";
import {labelsKey} from "../metric-name.ts";
import {MemoryStore, type StoredSample} from "./memory-store.ts";

const STALE = 0x7ff0000000000002n;
const HINTS: Record<TestHistogram["hint"], Hint> = {
  unknown: HINT.unknown,
  reset: HINT.reset,
  not_reset: HINT.notReset,
  gauge: HINT.gauge,
};

type Series = {labels: Labels; samples: StoredSample[]};

/** What the `load` commands of a script have stored. */
export class ScriptStorage {
  readonly #series = new Map<string, Series>();
  #store: MemoryStore | undefined;

  clear(): void {
    this.#series.clear();
    this.#store = undefined;
  }

  load(command: LoadCommand): void {
    this.#store = undefined;
    for (const {labels, values, startOffsets} of command.series) {
      const samples: StoredSample[] = [];
      values.forEach((value, i) => {
        const t = i * command.gap;
        const offset = startOffsets?.[i];
        const st = startOffsets === undefined ? {} : {st: offset === undefined ? 0 : t + offset};
        if (value.kind === "float") samples.push({t, v: floatBits(value.value), ...st});
        else if (value.kind === "stale") samples.push({t, v: STALE, ...st});
        else if (value.kind === "histogram") samples.push({t, v: fromScript(value.histogram), ...st});
      });
      this.#append(labels, samples);
    }
    if (command.withNhcb) for (const {labels, samples} of customHistograms(command)) this.#append(labels, samples);
  }

  /** The samples as a store would give them back. */
  get store(): MemoryStore {
    this.#store ??= new MemoryStore(
      [...this.#series.values()].map(({labels, samples}) => ({labels, samples: asRead(samples)})),
    );
    return this.#store;
  }

  #append(labels: Labels, samples: readonly StoredSample[]): void {
    const key = labelsKey(labels);
    let series = this.#series.get(key);
    if (series === undefined) {
      series = {labels, samples: []};
      this.#series.set(key, series);
    }
    for (const sample of samples) {
      const last = series.samples[series.samples.length - 1];
      if (last !== undefined && sample.t <= last.t) {
        if (sample.t === last.t && sample.v === last.v) continue;
        throw new StrataError("conflict", `out of order sample at ${sample.t} of ${labels}`);
      }
      series.samples.push(sample);
    }
  }
}

const words = new BigUint64Array(1);
const numbers = new Float64Array(words.buffer);

function floatBits(v: number): bigint {
  numbers[0] = v;
  return words[0]!;
}

/** A histogram of a script in the engine's form, empty buckets kept. */
export function fromScript(h: TestHistogram): FloatHistogram {
  const range = (from: number, n: number) => Array.from({length: n}, (_, i) => from + i);
  return {
    schema: h.schema,
    hint: HINTS[h.hint],
    zeroThreshold: h.zeroThreshold,
    zeroCount: h.zeroCount,
    count: h.count,
    sum: h.sum,
    pi: range(h.positive.offset, h.positive.counts.length),
    pv: [...h.positive.counts],
    ni: range(h.negative.offset, h.negative.counts.length),
    nv: [...h.negative.counts],
    custom: [...h.customValues],
  };
}

const DAY = 86_400_000;

/**
 * What reading back from chunks makes of appended samples: a histogram's hint says where in a chunk it lies, and all of
 * a chunk have one layout.
 */
export function asRead(samples: readonly StoredSample[]): StoredSample[] {
  const out: StoredSample[] = [];
  let chunk: {sample: StoredSample; h: FloatHistogram}[] = [];
  const finish = () => {
    const union = (of: "pi" | "ni") => [...new Set(chunk.flatMap(({h}) => h[of]))].sort((a, b) => a - b);
    const pi = union("pi");
    const ni = union("ni");
    chunk.forEach(({sample, h}, i) => {
      const hint = h.hint === HINT.gauge ? HINT.gauge : i === 0 ? HINT.unknown : HINT.notReset;
      const at = (index: readonly number[], value: readonly number[]) => {
        const counts = new Map(index.map((x, k) => [x, value[k]!]));
        return (x: number) => counts.get(x) ?? 0;
      };
      const v = {...h, hint, pi, pv: pi.map(at(h.pi, h.pv)), ni, nv: ni.map(at(h.ni, h.nv))};
      out.push({...sample, v});
    });
    chunk = [];
  };
  for (const sample of samples) {
    if (typeof sample.v === "bigint") {
      finish();
      out.push(sample);
      continue;
    }
    const previous = chunk[chunk.length - 1];
    if (previous !== undefined && cuts(previous.h, sample.v, previous.sample.t, sample.t)) finish();
    chunk.push({sample, h: sample.v});
  }
  finish();
  return out;
}

/** Whether a histogram begins a new chunk. */
function cuts(previous: FloatHistogram, h: FloatHistogram, previousT: number, t: number): boolean {
  const gauge = h.hint === HINT.gauge;
  return (
    h.hint === HINT.reset ||
    gauge !== (previous.hint === HINT.gauge) ||
    h.schema !== previous.schema ||
    h.zeroThreshold !== previous.zeroThreshold ||
    !sameNumbers(h.custom, previous.custom) ||
    Math.floor(t / DAY) !== Math.floor(previousT / DAY) ||
    (!gauge && countsFell(h, previous))
  );
}

/** Custom-bucket histograms from the classic ones among the float series of a load. */
function customHistograms(command: LoadCommand): Series[] {
  type Parts = {buckets: Map<number, number>; count?: number; sum?: number};
  const groups = new Map<string, {labels: Labels; byTime: Map<number, Parts>}>();
  for (const {labels, values} of command.series) {
    const name = /^(.*)_(bucket|count|sum)$/.exec(labels.get(METRIC_NAME));
    if (name === null) continue;
    const [, base, part] = name as unknown as [string, string, "bucket" | "count" | "sum"];
    const le = parseLe(labels.get("le"));
    if (part === "bucket" && (le === undefined || Number.isNaN(le))) continue;
    const own = labels.without(["le"]).extend(Labels.fromPairs([[METRIC_NAME, base]]));
    const key = labelsKey(own);
    const group = groups.get(key) ?? {labels: own, byTime: new Map<number, Parts>()};
    groups.set(key, group);
    values.forEach((value, i) => {
      if (value.kind !== "float") return;
      const t = i * command.gap;
      const parts = group.byTime.get(t) ?? {buckets: new Map<number, number>()};
      group.byTime.set(t, parts);
      if (part !== "bucket") parts[part] = value.value;
      else if (!parts.buckets.has(le!)) parts.buckets.set(le!, value.value);
    });
  }
  return [...groups.values()].map(({labels, byTime}) => ({
    labels,
    samples: [...byTime].sort(([a], [b]) => a - b).map(([t, parts]) => ({t, v: customHistogram(parts)})),
  }));
}

function customHistogram(parts: {buckets: Map<number, number>; count?: number; sum?: number}): FloatHistogram {
  const sorted = [...parts.buckets].sort(([a], [b]) => a - b);
  const last = sorted[sorted.length - 1];
  const count = parts.count ?? last?.[1] ?? 0;
  if (last?.[0] !== Infinity) sorted.push([Infinity, count]);
  let before = 0;
  const pv = sorted.map(([, cumulative]) => {
    const own = cumulative - before;
    if (own < 0) throw new StrataError("bad_data", "classic buckets are not cumulative");
    before = cumulative;
    return own;
  });
  return compact({
    schema: CUSTOM_SCHEMA,
    hint: HINT.unknown,
    zeroThreshold: 0,
    zeroCount: 0,
    count,
    sum: parts.sum ?? 0,
    pi: pv.map((_, i) => i),
    pv,
    ni: [],
    nv: [],
    custom: sorted.slice(0, -1).map(([le]) => le),
  });
}
