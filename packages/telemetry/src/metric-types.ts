/** One series of a counter. `inc` takes a finite number >= 0 and adds 1 without one. */
export type Counter = {inc(by?: number): void};

/** One series of a gauge. */
export type Gauge = {
  set(value: number): void;
  inc(by?: number): void;
  dec(by?: number): void;
  setToCurrentTime(): void;
};

/** One series of a histogram; values in the unit that the metric's name ends with. */
export type Histogram = {
  observe(value: number): void;
  /** Starts a clock; calling the result observes the seconds since then and returns them. */
  startTimer(): () => number;
};

/** One series of a summary: quantiles over a sliding window. */
export type Summary = Histogram;

/** Values for exactly the declared label names. */
export type LabelsOf<L extends string> = Readonly<Record<L, string>>;

/**
 * A metric with labels. `with` makes the series appear (at zero) and returns it; equal labels give the same object, so
 * callers on a warm path keep what they got. Cardinality is the caller's duty: nothing is ever dropped by itself.
 */
export type Family<L extends string, Series> = {
  with(labels: LabelsOf<L>): Series;
  /** Drops one series from the exposition. */
  remove(labels: LabelsOf<L>): void;
  /** Drops all series. */
  clear(): void;
};

export type MetricSpec = {
  /** Full name, `_total` of counters included. */
  readonly name: string;
  /** One sentence in our own words. */
  readonly help: string;
};

type Labelled<L extends string> = {
  readonly labels: readonly L[];
  /** Series that exist at zero from the beginning, so that rates start right. */
  readonly preset?: readonly LabelsOf<L>[] | undefined;
};

export type LabelledSpec<L extends string> = MetricSpec & Labelled<L>;

export type HistogramSpec = MetricSpec & {
  /** Upper bounds, ascending, `+Inf` left out. */
  readonly buckets?: readonly number[] | undefined;
};

export type SummarySpec = MetricSpec & {
  /** Ranks between 0 and 1. */
  readonly quantiles: readonly number[];
  /** Seconds that an observation counts. */
  readonly maxAgeSeconds?: number | undefined;
};

export type LabelledHistogramSpec<L extends string> = HistogramSpec & Labelled<L>;
export type LabelledSummarySpec<L extends string> = SummarySpec & Labelled<L>;

/** Called before each scrape to bring a gauge up to date. */
export type GaugeSpec = MetricSpec & {readonly collect?: ((gauge: Gauge) => void) | undefined};
export type LabelledGaugeSpec<L extends string> = LabelledSpec<L> & {
  readonly collect?: ((gauge: Family<L, Gauge>) => void) | undefined;
};

/**
 * Where a component keeps its metrics. There is no global one: it is passed down. Asking twice for the same name, kind
 * and label names gives the same metric; asking for the same name with another kind or other labels is a bug.
 */
export type Registry = {
  counter(spec: MetricSpec & {labels?: undefined}): Counter;
  counter<const L extends string>(spec: LabelledSpec<L>): Family<L, Counter>;
  gauge(spec: GaugeSpec & {labels?: undefined}): Gauge;
  gauge<const L extends string>(spec: LabelledGaugeSpec<L>): Family<L, Gauge>;
  histogram(spec: HistogramSpec & {labels?: undefined}): Histogram;
  histogram<const L extends string>(spec: LabelledHistogramSpec<L>): Family<L, Histogram>;
  summary(spec: SummarySpec & {labels?: undefined}): Summary;
  summary<const L extends string>(spec: LabelledSummarySpec<L>): Family<L, Summary>;

  /**
   * A registry whose series carry `labels` besides their own and appear in this one's exposition, in the same families.
   * `close` takes them away.
   */
  sub(labels: Readonly<Record<string, string>>): SubRegistry;

  /** Called before each scrape; for values that several metrics take from one reading. */
  onScrape(collect: () => void): void;

  /** The families with all their series as they are now, ordered by name. */
  gather(): Promise<readonly MetricFamily[]>;
};

export type SubRegistry = Registry & {close(): void};

export type MetricKind = "counter" | "gauge" | "histogram" | "summary";

/** One line of the exposition; `name` carries the suffixes `_bucket`, `_sum` and `_count`. */
export type MetricSample = {
  readonly name: string;
  readonly labels: readonly (readonly [string, string])[];
  readonly value: number;
};

export type MetricFamily = {
  readonly name: string;
  readonly help: string;
  readonly kind: MetricKind;
  readonly samples: readonly MetricSample[];
};
