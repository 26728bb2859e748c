import {Ledger} from "../receive/ledger.ts";
import {HISTORY_SERIES, STEP_MS, type Truth} from "./truth.ts";

export type Series = {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [number, string])[];
};

/** What must be readable: samples of a series by time (ms). */
export type Due = Map<string, Map<number, number>>;

/** A question whose answer is known. Times are ms. */
export type Check = {
  readonly name: string;
  readonly path: "query" | "query_range";
  readonly params: Readonly<Record<string, string>>;
  /** What is wrong in the answer, whatever is missing in it. */
  readonly wrong: (series: readonly Series[]) => string | undefined;
  /** What is missing in it. */
  readonly missing: (series: readonly Series[]) => string | undefined;
};

/** What was seen at the sources, or in answers, and must be readable from then on. */
export class Known {
  /** Of each Prometheus, by replica. */
  readonly totals: Due = new Map();
  /** By the label `i`. */
  readonly ledger: Due = new Map();
  /** Of each ruler, by the label `ruler`. */
  readonly clocks: Due = new Map();

  static add(due: Due, key: string, t: number, v: number): void {
    const samples = due.get(key) ?? new Map<number, number>();
    due.set(key, samples);
    samples.set(t, v);
  }
}

export const ms = (seconds: number): number => Math.round(seconds * 1000);

/** All samples of series, one after another. */
export function* samplesOf(series: readonly Series[]): Generator<{metric: Series["metric"]; t: number; v: number}> {
  for (const {metric, values} of series) for (const [at, text] of values) yield {metric, t: ms(at), v: Number(text)};
}

/** The first due sample in `(from, to]` that none of the series has; `keyOf` tells what a series counts for. */
export function firstMissing(
  due: Due,
  series: readonly Series[],
  keyOf: (metric: Series["metric"]) => string | undefined,
  from: number,
  to: number,
): string | undefined {
  const has = new Map<string, Set<number>>([...due.keys()].map((key) => [key, new Set()]));
  for (const {metric, t} of samplesOf(series)) {
    const key = keyOf(metric);
    // Series without the label that tells them apart, such as merged ones, count for all.
    for (const [name, times] of has) if (key === undefined || key === name) times.add(t);
  }
  for (const [key, samples] of due) {
    for (const t of samples.keys()) {
      if (t > from && t <= to && !has.get(key)?.has(t)) return `${key} has nothing at ${t}`;
    }
  }
  return undefined;
}

/** What is asked again and again, for the time before `now`. */
export function checksAt(now: number, truth: Truth, known: Known): readonly Check[] {
  const window = 30_000;
  const recent = {time: String(now / 1000)};
  const raw = {...recent, dedup: "false"};
  const from = now - window;
  return [
    {
      name: "samples of the pair",
      path: "query",
      params: {...raw, query: "truth_total[30s]"},
      wrong: (series) => wrongTotal(series, truth),
      missing: (series) => firstMissing(known.totals, series, ({replica}) => replica, from, now),
    },
    {
      name: "samples of the pair as one",
      path: "query",
      params: {...recent, query: "truth_total[30s]"},
      wrong: (series) =>
        series.length > 1 ? `${series.length} series` : (wrongTotal(series, truth) ?? unordered(series)),
      missing: (series) => behind(known.totals, series),
    },
    {
      name: "rate of the pair as one",
      path: "query_range",
      params: {query: "rate(truth_total[30s])", start: String(from / 1000), end: String(now / 1000), step: "5"},
      wrong: (series) => {
        // As in Thanos, the replica that is gone over to may be lifted by the distance of two samples, a second.
        for (const {t, v} of samplesOf(series)) if (!(v > 0 && v < (1000 * 32) / 30)) return `${v} at ${t}`;
        return series.length > 1 ? `${series.length} series` : undefined;
      },
      missing: (series) => (series.length === 0 ? "no series" : undefined),
    },
    {
      name: "the ledger",
      path: "query",
      params: {...raw, query: "ledger[30s]"},
      wrong: (series) => wrongLedger(series),
      missing: (series) => firstMissing(known.ledger, series, ({i}) => i, from, now),
    },
    {
      name: "recorded times",
      path: "query",
      params: {...raw, query: "clock[30s]"},
      wrong: (series) => wrongClock(series),
      missing: (series) => firstMissing(known.clocks, series, ({ruler}) => ruler, from, now),
    },
    {
      name: "recorded maxima",
      path: "query",
      params: {...raw, query: '{__name__="truth:max"}[30s]'},
      wrong: (series) => {
        for (const {t, v} of samplesOf(series)) {
          const at = truth.timeOf(v);
          if (at > t || at < t - 300_000) return `${v}, which is of ${at}, at ${t}`;
        }
        return undefined;
      },
      missing: () => undefined,
    },
    history(truth),
  ];
}

/** Whether the newest sample is older than what any source had some seconds before: one replica is enough. */
function behind(due: Due, series: readonly Series[]): string | undefined {
  const newest = Math.max(0, ...[...due.values()].flatMap((samples) => [...samples.keys()].slice(-1)));
  const last = series[0]?.values.at(-1)?.[0];
  if (last !== undefined && ms(last) > newest - 5000) return undefined;
  return `the last sample is of ${last}, where ${newest / 1000} is known`;
}

/** Half a day of blocks, each point of which is known. */
function history(truth: Truth): Check {
  const stepMs = 300_000;
  const {start, end} = truth.history;
  return {
    name: "history",
    path: "query_range",
    params: {query: "history", start: String(start / 1000), end: String((end - stepMs) / 1000), step: "300"},
    wrong: (series) => {
      for (const {metric, t, v} of samplesOf(series)) {
        // Where a sample is missing, the last one of five minutes before is the answer.
        const ago = Array.from({length: stepMs / STEP_MS}, (_, k) => truth.past(metric.i ?? "", t - k * STEP_MS));
        if (!ago.includes(v)) return `i=${metric.i} is ${v} instead of ${ago[0]} at ${t}`;
      }
      return undefined;
    },
    missing: (series) => {
      for (const i of HISTORY_SERIES) {
        const own = new Map([...samplesOf(series)].flatMap(({metric, t, v}) => (metric.i === i ? [[t, v]] : [])));
        for (let t = start; t < end; t += stepMs) {
          if (own.get(t) !== truth.past(i, t)) return `i=${i} is ${own.get(t)} instead of ${truth.past(i, t)} at ${t}`;
        }
      }
      return undefined;
    },
  };
}

export function wrongTotal(series: readonly Series[], truth: Truth): string | undefined {
  for (const {t, v} of samplesOf(series)) if (v !== truth.total(t)) return `${v} instead of ${truth.total(t)} at ${t}`;
  return undefined;
}

export function wrongLedger(series: readonly Series[]): string | undefined {
  for (const {metric, t, v} of samplesOf(series)) {
    const want = Ledger.value(metric.i ?? "", t);
    if (v !== want) return `i=${metric.i} is ${v} instead of ${want} at ${t}`;
  }
  return undefined;
}

export function wrongClock(series: readonly Series[]): string | undefined {
  for (const {metric, t, v} of samplesOf(series)) if (ms(v) !== t) return `${v} of ${metric.ruler} at ${t}`;
  return unordered(series);
}

function unordered(series: readonly Series[]): string | undefined {
  for (const {metric, values} of series) {
    const at = values.findIndex(([t], k) => k > 0 && t <= (values[k - 1]?.[0] as number));
    if (at >= 0) return `time goes back at ${values[at]?.[0]} in ${JSON.stringify(metric)}`;
  }
  return undefined;
}
