import {DEFAULT_OPTIONS, execute, type FloatHistogram} from "@strata/engine";
import {
  type Labels,
  METRIC_NAME,
  type FloatHistogram as ModelHistogram,
  matcher,
  matcherText,
  spansOf,
} from "@strata/model";
import {parseExpr} from "@strata/promql";
import {
  type ForState,
  isStale,
  NOTHING_REFUSED,
  type Refused,
  type RuleSamples,
  type RuleStorage,
  seriesKey,
} from "@strata/rules";
import {APPEND, type Db} from "@strata/tsdb";

/** Results in a database of the ruler's own. */
export class DbStorage implements RuleStorage {
  readonly #db: Db;
  /** References of label sets that come again; one that the head has forgotten is asked for anew. */
  readonly #refs = new WeakMap<Labels, number>();

  constructor(db: Db) {
    this.#db = db;
  }

  async append(samples: RuleSamples): Promise<Refused> {
    const {t, labels, values, histograms} = samples;
    const appender = this.#db.head.appender();
    const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
    let [outOfOrder, tooOld, duplicate] = [0, 0, 0];
    try {
      for (let i = 0; i < labels.length; i++) {
        const h = histograms?.get(i);
        const write = (ref: number) =>
          h === undefined
            ? appender.floatWords(ref, t, words[2 * i] as number, words[2 * i + 1] as number, 0)
            : appender.histogram(ref, t, storedHistogram(h));
        const of = labels[i] as Labels;
        let status = write(this.#refs.get(of) ?? 0);
        if (status === APPEND.unknownSeries) {
          const ref = appender.seriesOf(of);
          this.#refs.set(of, ref);
          status = write(ref);
        }
        // The end of a series that has newer samples already says nothing.
        if (status < APPEND.refused || isStale(values, i)) continue;
        if (status === APPEND.outOfOrder) outOfOrder++;
        else if (status === APPEND.duplicate) duplicate++;
        else tooOld++;
      }
      await appender.commit();
    } finally {
      appender.rollback();
    }
    return outOfOrder + tooOld + duplicate === 0 ? NOTHING_REFUSED : {outOfOrder, tooOld, duplicate};
  }

  /** The last samples of series with all these labels, unless they ended. */
  async forState(labels: Labels, mint: number, maxt: number, signal: AbortSignal): Promise<readonly ForState[]> {
    const selector = `{${[...labels].map(([name, value]) => matcherText(matcher(name, "=", value))).join(", ")}}`;
    const at = {start: maxt, end: maxt, step: 0};
    const options = {...DEFAULT_OPTIONS, lookbackMs: maxt - mint};
    const ask = (query: string) => execute(parseExpr(query), at, this.#db, options, signal);
    const values = await ask(selector);
    const times = await ask(`timestamp(${selector})`);
    const byLabels = new Map(times.labels.map((each, i) => [seriesKey(each), (times.values[i] as number) * 1000]));
    return values.labels.flatMap((each, i) => {
      const t = byLabels.get(seriesKey(each.without([METRIC_NAME])));
      return t === undefined || values.histograms?.has(i) ? [] : [{labels: each, t, v: values.values[i] as number}];
    });
  }
}

/** A histogram of the engine as the TSDB stores it. */
export const storedHistogram = (h: FloatHistogram): ModelHistogram => ({
  kind: "float",
  resetHint: h.hint,
  schema: h.schema,
  zeroThreshold: h.zeroThreshold,
  zeroCount: h.zeroCount,
  count: h.count,
  sum: h.sum,
  stale: false,
  positiveSpans: spansOf(h.pi),
  positiveBuckets: Float64Array.from(h.pv),
  negativeSpans: spansOf(h.ni),
  negativeBuckets: Float64Array.from(h.nv),
  customValues: Float64Array.from(h.custom),
});
