import {Labels} from "@strata/model";
import fc from "fast-check";
import {type FloatHistogram, HINT} from "../histogram/float-histogram.ts";
import type {StoredSample, StoredSeries} from "./memory-store.ts";

const float = new Float64Array(1);
const asBits = new BigUint64Array(float.buffer);
const STALE = 0x7ff0000000000002n;

/** The bits of a float. */
export function bitsOf(v: number): bigint {
  float[0] = v;
  return asBits[0]!;
}

/** Values as scrapes bring them: counters that grow and fall, gauges, and what should not be there. */
const value = fc.oneof(
  {weight: 8, arbitrary: fc.integer({min: 0, max: 60}).map((v) => bitsOf(v / 4))},
  {weight: 2, arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity, -0, -3.5, 1e300).map(bitsOf)},
  {weight: 1, arbitrary: fc.constant(STALE)},
);

/** Native histograms of both kinds; layouts, zero buckets and hints vary. */
const histogram: fc.Arbitrary<FloatHistogram> = fc
  .record({
    custom: fc.boolean(),
    schema: fc.constantFrom(0, 1),
    wide: fc.boolean(),
    counts: fc.array(fc.integer({min: 0, max: 9}), {minLength: 1, maxLength: 4}),
    zero: fc.integer({min: 0, max: 3}),
    hint: fc.constantFrom(HINT.unknown, HINT.notReset, HINT.reset, HINT.gauge),
    sum: fc.integer({min: -5, max: 50}),
  })
  .map(({custom, schema, wide, counts, zero, hint, sum}) => {
    const bounds = wide ? [1, 2, 4, 8] : [1, 4];
    const pv = custom ? counts.slice(0, bounds.length + 1) : counts;
    const zeroCount = custom ? 0 : zero;
    return {
      schema: custom ? -53 : schema,
      hint,
      zeroThreshold: custom ? 0 : 0.001,
      zeroCount,
      count: zeroCount + pv.reduce((a, b) => a + b, 0),
      sum,
      pi: pv.map((_, i) => i),
      pv,
      ni: [],
      nv: [],
      custom: custom ? bounds : [],
    };
  });

/** Samples 5 to 40 s apart, now and then with a gap; of floats, of histograms, or of both. */
const samples = (content: fc.Arbitrary<bigint | FloatHistogram>): fc.Arbitrary<StoredSample[]> =>
  fc
    .array(
      fc.tuple(
        fc.oneof({weight: 9, arbitrary: fc.integer({min: 5, max: 40})}, {weight: 1, arbitrary: fc.constant(400)}),
        content,
      ),
      {
        maxLength: 40,
      },
    )
    .map((list) => {
      let t = 0;
      return list.map(([gap, v]) => {
        t += gap * 1000;
        return {t, v};
      });
    });

const kinds = {floats: samples(value), both: samples(fc.oneof(value, histogram)), histograms: samples(histogram)};

/** Some series of some metrics: `a_total` and `b_total` hold floats, `g` floats and histograms, `h` mostly histograms. */
export const storedSeries: fc.Arbitrary<StoredSeries[]> = fc.uniqueArray(
  fc
    .record({
      name: fc.constantFrom("a_total", "b_total", "g", "h"),
      job: fc.constantFrom("x", "y"),
      i: fc.constantFrom("0", "1", "2"),
    })
    .chain((labels) => {
      const kind = labels.name === "g" ? kinds.both : labels.name === "h" ? kinds.histograms : kinds.floats;
      const {name, job, i} = labels;
      return kind.map((list) => ({labels: Labels.fromObject({__name__: name, job, i}), samples: list}));
    }),
  {selector: (s) => s.labels.toString(), maxLength: 14},
);

const RANGE = ["rate", "increase", "delta", "irate", "idelta", "changes", "resets", "deriv"];
const OVER_TIME = ["sum", "avg", "min", "max", "count", "last", "first", "present", "stddev", "stdvar", "mad"];
const INSTANT = [
  "abs",
  "sgn",
  "ceil",
  "sqrt",
  "timestamp",
  "histogram_count",
  "histogram_sum",
  "histogram_avg",
  "absent",
];
const FOLDS = ["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"];

const selector = fc
  .tuple(
    fc.constantFrom("a_total", "b_total", "g", "h"),
    fc.constantFrom("", '{job="x"}', '{i=~"0|1"}', '{job="x",i!="2"}'),
  )
  .map((parts) => parts.join(""));
const times = fc.constantFrom("", "", "", " offset 30s", " @ 300", " offset -1m");
const window = fc.constantFrom("30s", "1m", "2m", "5m");
const rangeFunction = fc.constantFrom(...RANGE, ...OVER_TIME.map((f) => `${f}_over_time`));

/** A range function straight over a selector. */
export const rangeCall: fc.Arbitrary<string> = fc
  .tuple(rangeFunction, selector, window, times)
  .map(([f, s, w, t]) => `${f}(${s}[${w}]${t})`);
const labels = fc.constantFrom("job", "i", "job, i");

/** Expressions whose value at a time does not depend on the query's other times, and of which order says nothing. */
export const expression: fc.Arbitrary<string> = fc.letrec<{vector: string}>((tie) => {
  const vector = tie("vector");
  const range = fc.oneof(
    {weight: 3, arbitrary: fc.tuple(selector, window, times).map(([s, w, t]) => `${s}[${w}]${t}`)},
    {weight: 1, arbitrary: fc.tuple(vector, window, times).map(([v, w, t]) => `(${v})[${w}:20s]${t}`)},
  );
  const grouping = fc.oneof(
    fc.constant(""),
    labels.map((l) => ` by (${l})`),
    labels.map((l) => ` without (${l})`),
  );
  const matching = fc.oneof(
    fc.constant(""),
    fc.constantFrom(" on (job, i)", " on (job)", " ignoring (i)", " on (i) group_left ()"),
  );
  return {
    vector: fc.oneof(
      {maxDepth: 3, depthIdentifier: "expression"},
      {weight: 2, arbitrary: fc.tuple(selector, times).map((parts) => parts.join(""))},
      {
        weight: 3,
        arbitrary: fc.tuple(rangeFunction, range).map(([f, r]) => `${f}(${r})`),
      },
      {weight: 1, arbitrary: fc.tuple(fc.constantFrom(...INSTANT), vector).map(([f, v]) => `${f}(${v})`)},
      {
        weight: 1,
        arbitrary: fc.tuple(fc.constantFrom("-1", "0.5", "1"), vector).map(([q, v]) => `quantile(${q}, ${v})`),
      },
      {
        weight: 1,
        arbitrary: fc.tuple(fc.constantFrom("0.5", "0.9"), vector).map(([q, v]) => `histogram_quantile(${q}, ${v})`),
      },
      {
        weight: 3,
        arbitrary: fc.tuple(fc.constantFrom(...FOLDS), grouping, vector).map(([f, g, v]) => `${f}${g} (${v})`),
      },
      {
        weight: 3,
        arbitrary: fc
          .tuple(vector, fc.constantFrom("+", "-", "/", "*", ">", "== bool"), matching, vector)
          .map(([a, op, m, b]) => `(${a}) ${op}${m} (${b})`),
      },
      {
        weight: 2,
        arbitrary: fc
          .tuple(vector, fc.constantFrom("and", "or", "unless"), vector)
          .map(([a, op, b]) => `(${a}) ${op} (${b})`),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(vector, fc.constantFrom("* 2", "> 3", "+ 1e3", "/ 0", "^ 2"))
          .map(([v, s]) => `(${v}) ${s}`),
      },
      {weight: 1, arbitrary: vector.map((v) => `-(${v})`)},
    ),
  };
}).vector;
