import {
  type Attribute,
  type Buckets,
  type ExponentialPoint,
  type HistogramPoint,
  type Metric,
  type NumberPoint,
  type Resource,
  TEMPORALITY,
} from "./otlp-metrics.ts";

type State = {readonly point: NumberPoint | HistogramPoint | ExponentialPoint; seen: number};

/** Streams that are remembered; the one longest silent goes first. */
const MAX_STREAMS = 1_000_000;
/** A stream that is silent for so long begins anew; ms. */
const MAX_SILENCE_MS = 5 * 60_000;

/** Adds up deltas, stream by stream, so that they become cumulative. What is too old for its stream is left out. */
export class DeltaToCumulative {
  /** By resource, scope, metric and attributes; the one longest silent first. */
  readonly #streams = new Map<string, State>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** The resources with every delta turned cumulative. `tenant` keeps tenants apart. */
  convert(tenant: string, resources: readonly Resource[]): Resource[] {
    this.#forget();
    return resources.map((resource) => ({
      ...resource,
      scopes: resource.scopes.map((scope) => ({
        ...scope,
        metrics: scope.metrics.map((metric) => {
          const key = [tenant, attributesKey(resource.attributes), scope.name, scope.version].join("\xff");
          return this.#metric(key, metric);
        }),
      })),
    }));
  }

  #metric(key: string, metric: Metric): Metric {
    const {data} = metric;
    if (!("temporality" in data) || data.temporality !== TEMPORALITY.delta) return metric;
    const own = [key, data.kind, metric.name, metric.unit].join("\xff");
    const add = <P extends State["point"]>(points: readonly P[]): P[] =>
      [...points].sort((a, b) => a.t - b.t).flatMap((point) => this.#add(own, point) as P[]);
    const temporality = TEMPORALITY.cumulative;
    if (data.kind === "sum") return {...metric, data: {...data, temporality, points: add(data.points)}};
    if (data.kind === "histogram") return {...metric, data: {...data, temporality, points: add(data.points)}};
    return {...metric, data: {...data, temporality, points: add(data.points)}};
  }

  #add(metric: string, point: State["point"]): State["point"][] {
    const key = `${metric}\xff${attributesKey(point.attributes)}`;
    const state = this.#streams.get(key);
    if (state !== undefined && point.t <= state.point.t) return [];
    const total = state === undefined || point.stale ? point : sum(state.point, point);
    this.#streams.delete(key);
    if (!point.stale) this.#streams.set(key, {point: total, seen: this.#now()});
    return [total];
  }

  #forget(): void {
    const before = this.#now() - MAX_SILENCE_MS;
    for (const [key, {seen}] of this.#streams) {
      if (seen >= before && this.#streams.size <= MAX_STREAMS) return;
      this.#streams.delete(key);
    }
  }
}

const attributesKey = (attributes: readonly Attribute[]): string =>
  [...attributes]
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({key, value}) => `${key}\0${value}`)
    .join("\x01");

/** The sum of what was before and what came, with the times of both. */
function sum(before: State["point"], next: State["point"]): State["point"] {
  if ("value" in before && "value" in next) return {...next, start: before.start, value: before.value + next.value};
  if ("bounds" in before && "bounds" in next) {
    // Other bounds: another histogram.
    if (before.bounds.length !== next.bounds.length || before.bounds.some((b, i) => b !== next.bounds[i])) return next;
    const counts = next.counts.map((count, i) => count + (before.counts[i] ?? 0));
    return {...next, start: before.start, count: before.count + next.count, sum: plus(before.sum, next.sum), counts};
  }
  if ("scale" in before && "scale" in next) {
    const scale = Math.min(before.scale, next.scale);
    const joined = (a: Buckets, b: Buckets): Buckets =>
      addBuckets(coarser(a, before.scale - scale), coarser(b, next.scale - scale));
    return {
      ...next,
      start: before.start,
      scale,
      count: before.count + next.count,
      sum: plus(before.sum, next.sum),
      zeroCount: before.zeroCount + next.zeroCount,
      positive: joined(before.positive, next.positive),
      negative: joined(before.negative, next.negative),
    };
  }
  return next;
}

const plus = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a + b;

function coarser({offset, counts}: Buckets, shift: number): Buckets {
  if (shift === 0 || counts.length === 0) return {offset, counts};
  const index = (i: number): number => Math.floor((offset + i) / 2 ** shift);
  const first = index(0);
  const out = new Array<number>(index(counts.length - 1) - first + 1).fill(0);
  counts.forEach((count, i) => {
    const at = index(i) - first;
    out[at] = (out[at] as number) + count;
  });
  return {offset: first, counts: out};
}

/** Buckets of both may lie this far apart; beyond, what came stands for itself. */
const MAX_WIDTH = 4096;

function addBuckets(a: Buckets, b: Buckets): Buckets {
  if (a.counts.length === 0) return b;
  if (b.counts.length === 0) return a;
  const offset = Math.min(a.offset, b.offset);
  const end = Math.max(a.offset + a.counts.length, b.offset + b.counts.length);
  if (end - offset > MAX_WIDTH) return b;
  const counts = new Array<number>(end - offset).fill(0);
  for (const part of [a, b]) {
    part.counts.forEach((count, i) => {
      const at = part.offset - offset + i;
      counts[at] = (counts[at] as number) + count;
    });
  }
  return {offset, counts};
}
