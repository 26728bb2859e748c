import {assert} from "@strata/base";
import type {
  Counter,
  Family,
  Gauge,
  Histogram,
  LabelsOf,
  MetricFamily,
  MetricKind,
  MetricSample,
  Registry,
  SubRegistry,
} from "./metric-types.ts";
import * as prom from "./prom-client.ts";

/** Bounds of latencies in seconds where a metric names none: what the Go client library uses. */
export const DEFAULT_BUCKETS: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Ten minutes: how long an observation counts in a summary, as in the Go client library. */
const SUMMARY_MAX_AGE_SECONDS = 600;

/** An empty registry, independent of any other. */
export const newRegistry = (): Registry => new TreeRegistry({});

/** Every spec form in one, as the methods see it behind their overloads. */
type AnySpec = {
  name: string;
  help: string;
  labels?: readonly string[] | undefined;
  preset?: readonly LabelsOf<string>[] | undefined;
  buckets?: readonly number[] | undefined;
  quantiles?: readonly number[] | undefined;
  maxAgeSeconds?: number | undefined;
  collect?: ((metric: never) => void) | undefined;
};

type Entry = {
  readonly kind: MetricKind;
  readonly labelNames: readonly string[];
  readonly family: Family<string, unknown>;
};

/** A node of the tree of registries; prom-client keeps the numbers, this keeps names, types and constant labels. */
class TreeRegistry implements Registry {
  readonly #prom = new prom.Registry();
  readonly #constant: readonly (readonly [string, string])[];
  readonly #entries = new Map<string, Entry>();
  readonly #subs = new Set<TreeRegistry>();
  readonly #scrapeHooks: (() => void)[] = [];

  constructor(constantLabels: Readonly<Record<string, string>>) {
    this.#constant = Object.entries(constantLabels);
  }

  counter(spec: AnySpec): never {
    return this.#getOrCreate("counter", spec, () => {
      const metric = new prom.Counter({...this.#config(spec)});
      return counterFamily(metric);
    });
  }

  gauge(spec: AnySpec): never {
    return this.#getOrCreate("gauge", spec, () => {
      const metric = new prom.Gauge({...this.#config(spec)});
      return gaugeFamily(metric);
    });
  }

  histogram(spec: AnySpec): never {
    return this.#getOrCreate("histogram", spec, () => {
      const metric = new prom.Histogram({...this.#config(spec), buckets: [...(spec.buckets ?? DEFAULT_BUCKETS)]});
      return histogramFamily(metric);
    });
  }

  summary(spec: AnySpec): never {
    return this.#getOrCreate("summary", spec, () => {
      const metric = new prom.Summary({
        ...this.#config(spec),
        percentiles: [...(spec.quantiles ?? [])],
        maxAgeSeconds: spec.maxAgeSeconds ?? SUMMARY_MAX_AGE_SECONDS,
        ageBuckets: 5,
      });
      return histogramFamily(metric);
    });
  }

  sub(labels: Readonly<Record<string, string>>): SubRegistry {
    const child = new TreeRegistry({...Object.fromEntries(this.#constant), ...labels});
    this.#subs.add(child);
    return Object.assign(child, {close: () => void this.#subs.delete(child)});
  }

  onScrape(collect: () => void): void {
    this.#scrapeHooks.push(collect);
  }

  async gather(): Promise<readonly MetricFamily[]> {
    const families = new Map<string, MetricFamily & {samples: MetricSample[]}>();
    await this.#gatherInto(families);
    return [...families.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async #gatherInto(families: Map<string, MetricFamily & {samples: MetricSample[]}>): Promise<void> {
    for (const hook of this.#scrapeHooks) hook();
    for (const read of await this.#prom.getMetricsAsJSON()) {
      // prom-client's declared type of `type` is a numeric enum; at run time it is the kind's name.
      const kind = read.type as unknown as MetricKind;
      let family = families.get(read.name);
      if (family === undefined) {
        family = {name: read.name, help: read.help, kind, samples: []};
        families.set(read.name, family);
      }
      assert(family.kind === kind, `metric ${read.name} is a ${family.kind} in one registry and a ${kind} in another`);
      for (const value of read.values as readonly PromValue[]) {
        family.samples.push({
          name: value.metricName ?? read.name,
          labels: [...this.#constant, ...Object.entries(value.labels).map(([k, v]) => [k, String(v)] as const)],
          value: value.value,
        });
      }
    }
    for (const child of this.#subs) await child.#gatherInto(families);
  }

  #config(spec: AnySpec) {
    return {name: spec.name, help: spec.help, labelNames: [...(spec.labels ?? [])], registers: [this.#prom]};
  }

  /** Returns `never` so that the overloads of `Registry` decide what callers see. */
  #getOrCreate(kind: MetricKind, spec: AnySpec, create: () => Family<string, unknown>): never {
    const labelNames = spec.labels ?? [];
    let entry = this.#entries.get(spec.name);
    if (entry === undefined) {
      entry = {kind, labelNames, family: create()};
      this.#entries.set(spec.name, entry);
    }
    assert(
      entry.kind === kind && entry.labelNames.join() === labelNames.join(),
      `metric ${spec.name} asked for as ${kind} {${labelNames.join()}} is a ${entry.kind} {${entry.labelNames.join()}}`,
    );
    const {family} = entry;
    const metric = spec.labels === undefined ? family.with({}) : family;
    for (const labels of spec.preset ?? []) family.with(labels);
    const collect = spec.collect;
    if (collect !== undefined) this.#scrapeHooks.push(() => collect(metric as never));
    return metric as never;
  }
}

type PromValue = {value: number; metricName?: string; labels: Record<string, string | number>};

/** Keeps one object per label set, because prom-client hashes the labels again on every call of a fresh child. */
function family<S>(
  labelNames: readonly string[],
  create: (labels: Record<string, string>) => S,
  remove: (labels: Record<string, string>) => void,
  reset: () => void,
): Family<string, S> {
  const series = new Map<string, S>();
  const key = (labels: LabelsOf<string>): string => labelNames.map((name) => labels[name] ?? "").join("\xff");
  const copy = (labels: LabelsOf<string>): Record<string, string> =>
    Object.fromEntries(labelNames.map((name) => [name, labels[name] ?? ""]));
  return {
    with(labels) {
      const k = key(labels);
      let child = series.get(k);
      if (child === undefined) {
        child = create(copy(labels));
        series.set(k, child);
      }
      return child;
    },
    remove(labels) {
      if (series.delete(key(labels))) remove(copy(labels));
    },
    clear() {
      series.clear();
      reset();
    },
  };
}

/** prom-client keeps the declared label names on every metric, but does not type them. */
const labelNamesOf = (metric: unknown): readonly string[] => (metric as {labelNames: readonly string[]}).labelNames;

function counterFamily(metric: prom.Counter): Family<string, Counter> {
  const names = labelNamesOf(metric);
  return family<Counter>(
    names,
    (labels) => {
      const child = metric.labels(labels);
      child.inc(0);
      return {inc: (by = 1) => child.inc(by)};
    },
    (labels) => metric.remove(labels),
    () => metric.reset(),
  );
}

function gaugeFamily(metric: prom.Gauge): Family<string, Gauge> {
  const names = labelNamesOf(metric);
  return family<Gauge>(
    names,
    (labels) => {
      const child = metric.labels(labels);
      child.inc(0);
      return {
        set: (value) => child.set(value),
        inc: (by = 1) => child.inc(by),
        dec: (by = 1) => child.dec(by),
        setToCurrentTime: () => child.set(Date.now() / 1000),
      };
    },
    (labels) => metric.remove(labels),
    () => metric.reset(),
  );
}

function histogramFamily(metric: prom.Histogram | prom.Summary): Family<string, Histogram> {
  const names = labelNamesOf(metric);
  return family<Histogram>(
    names,
    (labels) => {
      if (metric instanceof prom.Histogram && names.length > 0) metric.zero(labels);
      const child = metric.labels(labels);
      const observe = (value: number): void => child.observe(value);
      return {
        observe,
        startTimer() {
          const start = performance.now();
          return () => {
            const seconds = (performance.now() - start) / 1000;
            observe(seconds);
            return seconds;
          };
        },
      };
    },
    (labels) => metric.remove(labels),
    () => metric.reset(),
  );
}
