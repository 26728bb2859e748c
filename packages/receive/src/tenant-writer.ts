import {StrataError} from "@strata/base";
import {ByteWriter} from "@strata/bytes";
import {
  EXEMPLAR,
  HISTOGRAM,
  LabelCache,
  OTHER_WORDS,
  SCATTERED,
  SERIES_FIELD,
  SERIES_WORDS,
  type WriteWindow,
} from "@strata/kernels";
import {Labels} from "@strata/model";
import {prompb} from "@strata/proto";
import type {Logger} from "@strata/telemetry";
import {APPEND, type Head, type HeadAppender, writeLabels} from "@strata/tsdb";
import {histogramFault, readHistogram, storable} from "./histogram-message.ts";
import {labelFault, readLabelFields, toLabels} from "./label-bytes.ts";
import {WriteReport} from "./write-report.ts";

/** What a tenant's new series are held against; 0 is no limit. */
export type SeriesLimits = {
  readonly headSeries: number;
  readonly labelNames: number;
  readonly labelNameLength: number;
  readonly labelValueLength: number;
};

export const NO_SERIES_LIMITS: SeriesLimits = {
  headSeries: 0,
  labelNames: 0,
  labelNameLength: 0,
  labelValueLength: 0,
};

export type TenantWriterOptions = {
  readonly limits: () => SeriesLimits;
  /** ms; floats further ahead are out of bounds. 0 is no bound. */
  readonly tooFarInFutureMs: number;
  /** Whether start times are kept. */
  readonly startTimes: boolean;
  readonly logger: Logger;
};

/** Times that a number cannot hold exactly are out of bounds. */
const MAX_TIME = Number.MAX_SAFE_INTEGER;

const recordBytes = new ByteWriter();

/** Writes parsed requests into a tenant's head. */
export class TenantWriter {
  readonly #head: Head;
  readonly #options: TenantWriterOptions;
  readonly #cache = new LabelCache();
  #limits: SeriesLimits | undefined;

  constructor(head: Head, options: TenantWriterOptions) {
    this.#head = head;
    this.#options = options;
  }

  /** Forgets which bytes stand for which series: after many series went, so that they do not take memory for nothing. */
  forget(): void {
    this.#cache.clear();
  }

  close(): void {
    this.#cache.close();
  }

  /**
   * Appends series of the window, those that `list` numbers or all, in one synchronous step: what is accepted is logged
   * and visible when it returns. Await `head.acknowledge()` before telling anybody. Throws `bad_data` for labels that are
   * no protobuf, with nothing written, and `unavailable` when the log cannot be written.
   */
  write(window: WriteWindow, list: Uint32Array | undefined, now: number): WriteReport {
    const report = new WriteReport();
    const app = this.#head.appender();
    try {
      const limits = this.#options.limits();
      // What is remembered was judged by other limits.
      if (limits !== this.#limits) this.#cache.clear();
      this.#limits = limits;
      this.#cache.find(window);
      this.#resolve(window, list, app, limits, report);
      this.#append(window, list, app, now, report);
      app.commitSync();
    } finally {
      app.rollback();
    }
    return report;
  }

  /** Finds or makes the series that the cache does not know; those that must not be stored keep reference 0. */
  #resolve(
    window: WriteWindow,
    list: Uint32Array | undefined,
    app: HeadAppender,
    limits: SeriesLimits,
    report: WriteReport,
  ): void {
    const n = list?.length ?? window.series;
    const {table} = this.#head.store;
    const known = new Map<number, number>();
    let u32 = window.kernel.u32();
    const first = window.entries >>> 2;
    for (let i = 0; i < n; i++) {
      const series = list === undefined ? i : (list[i] as number);
      const entry = first + SERIES_WORDS * series;
      const cached = u32[entry + SERIES_FIELD.ref] as number;
      if (cached !== 0 && table.slotOf(cached) >= 0) continue;
      const ref = this.#seriesOf(window, series, app, limits, report);
      known.set(entry, ref);
      if (ref !== 0) this.#cache.set(window, series, ref);
      u32 = window.kernel.u32();
    }
    for (const [entry, ref] of known) u32[entry + SERIES_FIELD.ref] = ref;
  }

  #seriesOf(window: WriteWindow, series: number, app: HeadAppender, limits: SeriesLimits, report: WriteReport): number {
    const u32 = window.kernel.u32();
    const entry = (window.entries >>> 2) + SERIES_WORDS * series;
    const from = u32[entry + SERIES_FIELD.labelsFrom] as number;
    const to = u32[entry + SERIES_FIELD.labelsTo] as number;
    if (to === SCATTERED) throw new StrataError("internal", "BUG: labels do not lie side by side");
    const bytes = window.bytes(from, to);
    const pairs = readLabelFields(bytes);
    const fault = labelFault(pairs);
    if (fault !== undefined) {
      report.labels[fault]++;
      return 0;
    }
    const limited = overLimit(pairs, limits);
    if (limited !== undefined) {
      report.limited++;
      report.limit ||= limited;
      return 0;
    }
    recordBytes.reset();
    writeLabels(recordBytes, toLabels(pairs, bytes));
    const record = recordBytes.view();
    const {table} = this.#head.store;
    const slot = table.find(record, 0, record.length);
    if (slot >= 0) return table.ref[slot] as number;
    if (!bringsSamples(window, entry)) return 0;
    if (limits.headSeries > 0 && this.#head.series >= limits.headSeries) {
      report.limited++;
      report.limit ||= `tenant is above active series limit of ${limits.headSeries}`;
      return 0;
    }
    return app.series(record);
  }

  #append(
    window: WriteWindow,
    list: Uint32Array | undefined,
    app: HeadAppender,
    now: number,
    report: WriteReport,
  ): void {
    const {tooFarInFutureMs, startTimes} = this.#options;
    const bound = tooFarInFutureMs > 0 ? Math.min(now + tooFarInFutureMs, MAX_TIME) : MAX_TIME;
    const u32 = window.kernel.u32();
    const f64 = window.kernel.f64();
    const times = f64.subarray(window.times >>> 3, (window.times >>> 3) + window.samples);
    const values = u32.subarray(window.values >>> 2, (window.values >>> 2) + 2 * window.samples);
    const starts =
      startTimes && window.starts !== 0 && window.startTimes > 0
        ? f64.subarray(window.starts >>> 3, (window.starts >>> 3) + window.samples)
        : undefined;
    const n = list?.length ?? window.series;
    const first = window.entries >>> 2;
    const counts = report.samples;
    for (let i = 0; i < n; i++) {
      const entry = first + SERIES_WORDS * (list === undefined ? i : (list[i] as number));
      const ref = u32[entry + SERIES_FIELD.ref] as number;
      if (ref === 0) continue;
      const from = u32[entry + SERIES_FIELD.firstSample] as number;
      const to = from + (u32[entry + SERIES_FIELD.samples] as number);
      let start = from;
      for (let s = from; s < to; s++) {
        const t = times[s] as number;
        if (t <= bound && t >= -MAX_TIME) continue;
        app.floats(ref, times, values, starts, start, s, counts);
        counts[APPEND.outOfBounds] = (counts[APPEND.outOfBounds] as number) + 1;
        start = s + 1;
      }
      app.floats(ref, times, values, starts, start, to, counts);
      if (u32[entry + SERIES_FIELD.others] !== 0) this.#appendOthers(window, entry, ref, app, report);
    }
  }

  /** Histograms first, then exemplars, as the original does. */
  #appendOthers(window: WriteWindow, entry: number, ref: number, app: HeadAppender, report: WriteReport): void {
    const u32 = window.kernel.u32();
    const from = u32[entry + SERIES_FIELD.firstOther] as number;
    const to = from + (u32[entry + SERIES_FIELD.others] as number);
    const place = (i: number): number => (window.others >>> 2) + OTHER_WORDS * i;
    for (let i = from; i < to; i++) {
      const at = place(i);
      if (u32[at] === EXEMPLAR) continue;
      this.#appendHistogram(window.bytes(u32[at + 1] as number, u32[at + 2] as number), ref, app, report);
    }
    for (let i = from; i < to; i++) {
      const at = place(i);
      if (u32[at] !== EXEMPLAR) continue;
      const message = prompb.Exemplar.decode(window.bytes(u32[at + 1] as number, u32[at + 2] as number));
      const labels = Labels.fromPairs(message.labels.map(({name, value}) => [name, value]));
      const status = app.exemplar({ref, t: message.timestamp, v: message.value, labels});
      if (status === "out_of_order" || status === "duplicate" || status === "too_long") report.exemplars[status]++;
    }
  }

  #appendHistogram(bytes: Uint8Array, ref: number, app: HeadAppender, report: WriteReport): void {
    const {t, st, histogram} = readHistogram(bytes);
    const fault = histogramFault(histogram);
    if (fault !== undefined) {
      report.badHistograms++;
      this.#options.logger.debug("histogram left out", {reason: fault});
      return;
    }
    if (Math.abs(t) > MAX_TIME) {
      report.samples[APPEND.outOfBounds] = (report.samples[APPEND.outOfBounds] as number) + 1;
      return;
    }
    const status = app.histogram(ref, t, storable(histogram), this.#options.startTimes ? st : 0);
    report.samples[status] = (report.samples[status] as number) + 1;
  }
}

/** Whether a series brings what makes it exist. Compat: exemplars alone do not. */
function bringsSamples(window: WriteWindow, entry: number): boolean {
  const u32 = window.kernel.u32();
  if (u32[entry + SERIES_FIELD.samples] !== 0) return true;
  const from = u32[entry + SERIES_FIELD.firstOther] as number;
  const to = from + (u32[entry + SERIES_FIELD.others] as number);
  for (let i = from; i < to; i++) if (u32[(window.others >>> 2) + OTHER_WORDS * i] === HISTOGRAM) return true;
  return false;
}

function overLimit(pairs: readonly (readonly [string, string])[], limits: SeriesLimits): string | undefined {
  if (limits.labelNames > 0 && pairs.length > limits.labelNames) {
    return `${pairs.length} labels exceed the limit of ${limits.labelNames}`;
  }
  for (const [name, value] of pairs) {
    if (limits.labelNameLength > 0 && name.length > limits.labelNameLength) {
      return `a label name of ${name.length} characters exceeds the limit of ${limits.labelNameLength}`;
    }
    if (limits.labelValueLength > 0 && value.length > limits.labelValueLength) {
      return `a value of ${value.length} characters exceeds the limit of ${limits.labelValueLength}`;
    }
  }
  return undefined;
}
