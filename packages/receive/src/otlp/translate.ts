import {StrataError, unreachable} from "@strata/base";
import {CUSTOM_BUCKETS_SCHEMA, EXPONENTIAL_SCHEMA_MAX, EXPONENTIAL_SCHEMA_MIN, goQuote} from "@strata/model";
import {severalErrors} from "../write-report.ts";
import {layBuckets} from "./bucket-layout.ts";
import {labelName, type MetricType, metricName, type Naming} from "./names.ts";
import {
  type Attribute,
  type ExponentialPoint,
  type HistogramPoint,
  type Metric,
  type NumberPoint,
  type Resource,
  type Scope,
  type SummaryPoint,
  TEMPORALITY,
} from "./otlp-metrics.ts";
import {ResourceLabels} from "./resource-labels.ts";
import type {SeriesCache, SeriesEntry} from "./series-cache.ts";
import {type NativeHistogram, SeriesWriter} from "./series-writer.ts";
import {type TargetInfo, targetInfoSamples} from "./target-info.ts";

/** How exports become series. */
export type OtlpSettings = {
  readonly naming: Naming;
  /** As Prometheus translates them, not as Thanos. */
  readonly prometheus: boolean;
  readonly targetInfo: boolean;
  readonly promote: readonly string[];
  /** target_info keeps service.name and its like beside job and instance. */
  readonly keepIdentifying: boolean;
  /** Histograms become native ones with their own bounds. */
  readonly nhcb: boolean;
  /** Name, version and attributes of scopes become labels. */
  readonly scopeMetadata: boolean;
};

/** Compat: written whatever the export says. */
const ZERO_THRESHOLD = 1e-128;

/** Translates resources with cumulative metrics into a WriteRequest. Throws `bad_data` naming all that is wrong. */
export function translateOtlp(resources: readonly Resource[], settings: OtlpSettings, cache: SeriesCache): Uint8Array {
  const out = new SeriesWriter();
  const errors: string[] = [];
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (err) {
      if (!(err instanceof StrataError) || err.code !== "bad_data") throw err;
      errors.push(err.message);
    }
  };
  const infos = new Map<string, TargetInfo>();
  for (const resource of resources) {
    attempt(() => {
      const base = new ResourceLabels(resource.attributes, settings);
      for (const scope of resource.scopes) {
        const scopeLabels = settings.scopeMetadata ? labelsOfScope(scope, settings.naming) : [];
        for (const metric of scope.metrics) {
          attempt(() => new MetricTranslator(out, cache, base, scopeLabels, metric, settings).run());
        }
      }
      attempt(() => targetInfoSamples(resource, base, settings, infos));
    });
  }
  for (const {labels, times} of infos.values()) {
    const series = cache.entry(labels);
    for (const t of times) out.sample(series, t, 1, false);
  }
  if (errors.length === 0) return out.finish();
  // Prometheus joins errors by lines, and calls them its own.
  if (settings.prometheus) throw new StrataError("internal", errors.join("\n"), {fields: {status: 500}});
  throw new StrataError("bad_data", severalErrors(errors));
}

function labelsOfScope({name, version, schemaUrl, attributes}: Scope, naming: Naming): [string, string][] {
  return [
    ...attributes.map(({key, value}): [string, string] => [labelName(`otel_scope_${key}`, naming), value]),
    ["otel_scope_name", name],
    ["otel_scope_version", version],
    ["otel_scope_schema_url", schemaUrl],
  ];
}

/** Writes one metric's points. */
class MetricTranslator {
  readonly #out: SeriesWriter;
  readonly #cache: SeriesCache;
  readonly #base: ResourceLabels;
  readonly #scope: readonly (readonly [string, string])[];
  readonly #metric: Metric;
  readonly #settings: OtlpSettings;
  #name = "";

  constructor(
    out: SeriesWriter,
    cache: SeriesCache,
    base: ResourceLabels,
    scope: readonly (readonly [string, string])[],
    metric: Metric,
    settings: OtlpSettings,
  ) {
    this.#out = out;
    this.#cache = cache;
    this.#base = base;
    this.#scope = scope;
    this.#metric = metric;
    this.#settings = settings;
  }

  run(): void {
    const {name, unit, data} = this.#metric;
    this.#checkTemporality();
    if (data.kind === "empty") throw bad(`could not get aggregation temporality for ${name}`);
    this.#name = metricName(name, unit, typeOf(data), this.#settings.naming);
    if (data.points.length === 0) {
      // Prometheus only warns.
      if (this.#settings.prometheus) return;
      throw bad(`empty data points. ${name} is dropped`);
    }
    switch (data.kind) {
      case "gauge":
      case "sum":
        this.#numbers(data.points);
        return;
      case "histogram":
        for (const point of data.points) {
          if (this.#settings.nhcb) this.#customBuckets(point);
          else this.#classic(point);
        }
        return;
      case "exponential":
        for (const point of data.points) this.#exponential(point);
        return;
      case "summary":
        for (const point of data.points) this.#summary(point);
        return;
      default:
        unreachable(data);
    }
  }

  #checkTemporality(): void {
    const {name, data} = this.#metric;
    const {prometheus} = this.#settings;
    if (data.kind === "empty" && prometheus) {
      throw bad(`could not get aggregation temporality for ${name} as it has unsupported metric type Empty`);
    }
    if (data.kind === "gauge" || data.kind === "summary") return;
    if (data.kind !== "empty" && data.temporality === TEMPORALITY.cumulative) return;
    throw bad(
      prometheus
        ? `invalid temporality and type combination for metric ${goQuote(name)}`
        : `invalid temporality for metric ${goQuote(name)}`,
    );
  }

  /** The series of a point. */
  #series(attributes: readonly Attribute[], name: string, ...extra: [string, string][]): SeriesEntry {
    return this.#cache.metric(this.#base, [...this.#scope, ...extra], name).of(attributes);
  }

  #numbers(points: readonly NumberPoint[]): void {
    const out = this.#out;
    const all = this.#cache.metric(this.#base, this.#scope, this.#name);
    for (const {attributes, t, value, stale, exemplars} of points) {
      const series = all.of(attributes);
      out.sample(series, t, value, stale);
      if (exemplars.length > 0) out.exemplars(series, exemplars);
    }
  }

  #classic({attributes, t, stale, count, sum, counts, bounds, exemplars}: HistogramPoint): void {
    const out = this.#out;
    if (sum !== undefined) out.sample(this.#series(attributes, `${this.#name}_sum`), t, sum, stale);
    out.sample(this.#series(attributes, `${this.#name}_count`), t, count, stale);
    const bucket = `${this.#name}_bucket`;
    const buckets: {series: SeriesEntry; bound: number}[] = [];
    let total = 0;
    bounds.forEach((bound, i) => {
      if (i >= counts.length) return;
      total += counts[i] as number;
      const series = this.#series(attributes, bucket, ["le", decimalText(bound)]);
      out.sample(series, t, total, stale);
      buckets.push({series, bound});
    });
    const infinite = this.#series(attributes, bucket, ["le", "+Inf"]);
    out.sample(infinite, t, stale ? 0 : count, stale);
    buckets.push({series: infinite, bound: Number.POSITIVE_INFINITY});
    buckets.sort((a, b) => a.bound - b.bound);
    for (const exemplar of exemplars) {
      const found = buckets.find(({bound}) => exemplar.value <= bound);
      if (found !== undefined) out.exemplars(found.series, [exemplar]);
    }
  }

  #customBuckets({attributes, t, stale, count, sum, counts, bounds, exemplars}: HistogramPoint): void {
    const series = this.#series(attributes, this.#name);
    this.#out.histogram(series, {
      t,
      schema: CUSTOM_BUCKETS_SCHEMA,
      count,
      sum: sum ?? 0,
      stale,
      zeroThreshold: 0,
      zeroCount: 0,
      positive: stale ? NO_BUCKETS : layBuckets({offset: 0, counts}, 0, 0),
      negative: NO_BUCKETS,
      customValues: bounds,
    });
    this.#out.exemplars(series, exemplars);
  }

  #exponential(point: ExponentialPoint): void {
    const series = this.#series(point.attributes, this.#name);
    this.#out.histogram(series, nativeHistogram(point));
    this.#out.exemplars(series, point.exemplars);
  }

  #summary({attributes, t, stale, count, sum, quantiles}: SummaryPoint): void {
    const out = this.#out;
    out.sample(this.#series(attributes, `${this.#name}_sum`), t, sum, stale);
    out.sample(this.#series(attributes, `${this.#name}_count`), t, count, stale);
    for (const [quantile, value] of quantiles) {
      const series = this.#series(attributes, this.#name, ["quantile", decimalText(quantile)]);
      out.sample(series, t, value, stale);
    }
  }
}

const NO_BUCKETS = {spans: [], counts: []};

function nativeHistogram(point: ExponentialPoint): NativeHistogram {
  const {t, stale, count, sum, scale, zeroCount, positive, negative} = point;
  if (scale < EXPONENTIAL_SCHEMA_MIN) {
    throw bad(
      `cannot convert exponential to native histogram. Scale must be >= ${EXPONENTIAL_SCHEMA_MIN}, was ${scale}`,
    );
  }
  const shift = Math.max(0, scale - EXPONENTIAL_SCHEMA_MAX);
  return {
    t,
    schema: scale - shift,
    count,
    sum: sum ?? 0,
    stale,
    zeroThreshold: ZERO_THRESHOLD,
    zeroCount: stale ? 0 : zeroCount,
    positive: stale ? NO_BUCKETS : layBuckets(positive, shift, 1),
    negative: stale ? NO_BUCKETS : layBuckets(negative, shift, 1),
    customValues: [],
  };
}

function typeOf(data: Metric["data"]): MetricType {
  if (data.kind === "gauge") return "gauge";
  return data.kind === "sum" && data.monotonic ? "counter" : "other";
}

/** A number as Go's `strconv.FormatFloat(v, 'f', -1, 64)` writes it: shortest, and never with an exponent. */
export function decimalText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  const text = String(value);
  const match = /^(-?)(\d+)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (match === null) return Object.is(value, -0) ? "-0" : text;
  const [, sign, whole = "", fraction = "", exponent] = match;
  const shift = Number(exponent);
  if (shift < 0) return `${sign}0.${"0".repeat(-shift - 1)}${whole}${fraction}`;
  return `${sign}${whole}${fraction.padEnd(shift, "0")}`;
}

const bad = (problem: string): StrataError => new StrataError("bad_data", problem);
