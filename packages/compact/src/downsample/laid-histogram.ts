import {addHistograms, alignPair, type FloatHistogram, fromModel, type Hint, toSchema} from "@strata/engine/histogram";
import {type FloatHistogram as ModelHistogram, type Span, spanBuckets} from "@strata/model";

/**
 * A histogram that knows how its buckets lie in spans: for each bucket, whether a span begins there. Compat: two spans may
 * lie side by side, sums keep such seams, and the bytes of a chunk tell of them.
 */
export type LaidHistogram = {
  readonly h: FloatHistogram;
  readonly positive: readonly boolean[];
  readonly negative: readonly boolean[];
};

export const laid = (model: ModelHistogram): LaidHistogram => ({
  h: fromModel(model),
  positive: seams(model.positiveSpans),
  negative: seams(model.negativeSpans),
});

/** The same with another hint. */
export const hinted = (a: LaidHistogram, hint: Hint): LaidHistogram =>
  a.h.hint === hint ? a : {...a, h: {...a.h, hint}};

/** At a coarser schema, which makes one span of what lies side by side. */
export function coarser(a: LaidHistogram, schema: number): LaidHistogram {
  const h = toSchema(a.h, schema);
  return h === a.h ? a : {h, positive: seamsOf(h.pi), negative: seamsOf(h.ni)};
}

/**
 * a + b. A bucket that `a` lacks goes to the end of the span in front of it, else to the beginning of the one behind, else
 * it is a span of its own. Both have custom buckets, or neither.
 */
export function plus(a: LaidHistogram, b: FloatHistogram): LaidHistogram {
  const h = addHistograms(a.h, b, 1).sum as FloatHistogram;
  const {left} = alignPair(a.h, b);
  return {
    h,
    positive: inserted(left.pi, left.pi === a.h.pi ? a.positive : seamsOf(left.pi), h.pi),
    negative: inserted(left.ni, left.ni === a.h.ni ? a.negative : seamsOf(left.ni), h.ni),
  };
}

/** a − b. */
export const minus = (a: LaidHistogram, b: LaidHistogram): FloatHistogram =>
  addHistograms(a.h, b.h, -1).sum as FloatHistogram;

/** The form that chunks are written of. */
export const toModel = ({h, positive, negative}: LaidHistogram): ModelHistogram => ({
  kind: "float",
  resetHint: h.hint,
  schema: h.schema,
  zeroThreshold: h.zeroThreshold,
  sum: h.sum,
  stale: false,
  positiveSpans: spans(h.pi, positive),
  negativeSpans: spans(h.ni, negative),
  customValues: Float64Array.from(h.custom),
  count: h.count,
  zeroCount: h.zeroCount,
  positiveBuckets: Float64Array.from(h.pv),
  negativeBuckets: Float64Array.from(h.nv),
});

function seams(list: readonly Span[]): boolean[] {
  const out: boolean[] = new Array(spanBuckets(list)).fill(false);
  let at = 0;
  for (const {length} of list) {
    if (length > 0) out[at] = true;
    at += length;
  }
  return out;
}

const seamsOf = (indexes: readonly number[]): boolean[] =>
  indexes.map((index, i) => i === 0 || index !== (indexes[i - 1] as number) + 1);

function inserted(own: readonly number[], starts: readonly boolean[], all: readonly number[]): readonly boolean[] {
  if (own.length === all.length) return starts;
  const out: boolean[] = [];
  let k = 0;
  for (let i = 0; i < all.length; i++) {
    const index = all[i] as number;
    const afterAnother = i > 0 && all[i - 1] === index - 1;
    if (own[k] === index) {
      // Taken over by a new bucket in front, if that had nothing before it.
      const joined = afterAnother && out[i - 1] === true && (k === 0 || own[k - 1] !== index - 1);
      out.push(joined ? false : (starts[k] as boolean));
      k++;
    } else {
      out.push(!afterAnother);
    }
  }
  return out;
}

function spans(indexes: readonly number[], starts: readonly boolean[]): Span[] {
  const out: {offset: number; length: number}[] = [];
  let end = 0;
  for (let i = 0; i < indexes.length; i++) {
    const index = indexes[i] as number;
    const last = out.at(-1);
    if (last !== undefined && starts[i] === false) last.length++;
    else out.push({offset: index - end, length: 1});
    end = index + 1;
  }
  return out;
}
