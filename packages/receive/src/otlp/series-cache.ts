import type {Labels} from "@strata/model";
import {METRIC_NAME} from "@strata/model";
import {labelFields} from "../label-bytes.ts";
import {AttributeCache} from "./attribute-cache.ts";
import type {Attribute} from "./otlp-metrics.ts";
import type {ResourceLabels} from "./resource-labels.ts";

/** A series that exports become. The same labels are the same entry. */
export type SeriesEntry = {
  /** Its labels as fields of a remote-write series. */
  readonly fields: Uint8Array;
  /** Its place with the writer that uses it now; see SeriesWriter. */
  slot: number;
};

/** All lists and series together may take so much; beyond, they are forgotten. */
const MAX_BYTES = 64 << 20;
/** What an entry costs beside its bytes: objects, and its places in two maps. */
const ENTRY_BYTES = 300;

/** What exports had in common with those before: lists of attributes, and the series they made. Bounded; a cache only. */
export class SeriesCache {
  readonly protobuf = new AttributeCache();
  readonly json = new AttributeCache();
  readonly #entries = new Map<string, SeriesEntry>();
  readonly #metrics = new Map<string, MetricSeries>();
  #bytes = 0;

  /** Forgets all when it is too much. Between exports only: entries of one export stay valid. */
  trim(): void {
    if (this.#bytes + this.protobuf.bytes + this.json.bytes <= MAX_BYTES) return;
    this.protobuf.clear();
    this.json.clear();
    this.#entries.clear();
    this.#metrics.clear();
    this.#bytes = 0;
  }

  /** The series of a metric name, with labels of the resource and `extra` ones. */
  metric(base: ResourceLabels, extra: readonly (readonly [string, string])[], name: string): MetricSeries {
    const key = [base.key, ...extra.flat(), name].join("\xff");
    let metric = this.#metrics.get(key);
    if (metric === undefined) {
      metric = new MetricSeries(this, base, [...extra, [METRIC_NAME, name]]);
      this.#metrics.set(key, metric);
      this.count(2 * key.length + ENTRY_BYTES);
    }
    return metric;
  }

  entry(labels: Labels): SeriesEntry {
    const key = labels.pairs.join("\xff");
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = {fields: labelFields(labels).slice(), slot: 0};
      this.#entries.set(key, entry);
      this.count(2 * key.length + entry.fields.length + ENTRY_BYTES);
    }
    return entry;
  }

  count(bytes: number): void {
    this.#bytes += bytes;
  }
}

/** The series of one name, by attributes of points. */
export class MetricSeries {
  readonly #cache: SeriesCache;
  readonly #base: ResourceLabels;
  readonly #extra: readonly (readonly [string, string])[];
  readonly #entries = new Map<readonly Attribute[], SeriesEntry>();

  constructor(cache: SeriesCache, base: ResourceLabels, extra: readonly (readonly [string, string])[]) {
    this.#cache = cache;
    this.#base = base;
    this.#extra = extra;
  }

  /** Throws `bad_data` for attributes that make no labels. */
  of(attributes: readonly Attribute[]): SeriesEntry {
    let entry = this.#entries.get(attributes);
    if (entry === undefined) {
      entry = this.#cache.entry(this.#base.extend(attributes, this.#extra));
      this.#entries.set(attributes, entry);
      this.#cache.count(64);
    }
    return entry;
  }
}
