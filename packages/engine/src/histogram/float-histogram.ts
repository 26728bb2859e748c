/** Counter reset hints; numbers as in the TSDB. */
export const HINT = {unknown: 0, reset: 1, notReset: 2, gauge: 3} as const;
export type Hint = (typeof HINT)[keyof typeof HINT];

/** Schema number of histograms with custom bucket bounds. */
export const CUSTOM_SCHEMA = -53;

/**
 * A native histogram with absolute float counts. Buckets are parallel arrays of absolute index (ascending) and count,
 * rather than spans: every operation walks indexes anyway, and two layouts are equal exactly if the indexes are. Values
 * are immutable once they leave the function that made them: operators share them freely.
 */
export type FloatHistogram = {
  readonly schema: number;
  readonly hint: Hint;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly count: number;
  readonly sum: number;
  readonly pi: readonly number[];
  readonly pv: readonly number[];
  readonly ni: readonly number[];
  readonly nv: readonly number[];
  /** Upper bounds without +Inf, for CUSTOM_SCHEMA only. */
  readonly custom: readonly number[];
};

/** One bucket as an interval of observations. */
export type Bucket = {
  readonly lower: number;
  readonly upper: number;
  readonly lowerInclusive: boolean;
  readonly upperInclusive: boolean;
  readonly count: number;
};

export const isCustom = (h: FloatHistogram): boolean => h.schema === CUSTOM_SCHEMA;

/** Points that a histogram counts as, for the sample limit. Compat: Prometheus counts 16-byte samples. */
export const histogramPoints = (h: FloatHistogram): number =>
  Math.floor((176 + 8 * (runs(h.pi) + h.pi.length + runs(h.ni) + h.ni.length + h.custom.length)) / 16);

/** How many spans the buckets would be written as. */
function runs(index: readonly number[]): number {
  let n = 0;
  for (let i = 0; i < index.length; i++) if (i === 0 || index[i] !== index[i - 1]! + 1) n++;
  return n;
}

/** About the bytes that a histogram takes: an object, four arrays, two numbers a bucket. */
export const histogramBytes = (h: FloatHistogram): number => 320 + 16 * (h.pi.length + h.ni.length);

/** Without empty buckets. */
export function compact(h: FloatHistogram): FloatHistogram {
  if (!h.pv.includes(0) && !h.nv.includes(0)) return h;
  const p = nonZero(h.pi, h.pv);
  const n = nonZero(h.ni, h.nv);
  return {...h, pi: p.index, pv: p.value, ni: n.index, nv: n.value};
}

function nonZero(index: readonly number[], value: readonly number[]): {index: number[]; value: number[]} {
  const kept: {index: number[]; value: number[]} = {index: [], value: []};
  for (let i = 0; i < index.length; i++) {
    if (value[i] === 0) continue;
    kept.index.push(index[i]!);
    kept.value.push(value[i]!);
  }
  return kept;
}

export const withHint = (h: FloatHistogram, hint: Hint): FloatHistogram => (h.hint === hint ? h : {...h, hint});

/** Upper bound of positive bucket `index`; a custom index past the bounds is +Inf, one before them -Inf. */
export function upperBound(schema: number, index: number, custom: readonly number[]): number {
  if (schema === CUSTOM_SCHEMA) {
    if (index < 0) return -Infinity;
    return index < custom.length ? custom[index]! : Infinity;
  }
  if (schema < 0) {
    const exponent = index * 2 ** -schema;
    return exponent === 1024 ? Number.MAX_VALUE : 2 ** exponent;
  }
  const fraction = fractions()[(index & ((1 << schema) - 1)) << (8 - schema)]!;
  const exponent = (index >> schema) + 1;
  if (fraction === 0.5 && exponent === 1025) return Number.MAX_VALUE;
  return fraction * 2 ** (exponent - 1) * 2;
}

let table: Float64Array | undefined;

/**
 * How far each of Prometheus' bounds, which are not quite rounded, lies below the rounded 2^(k/256) / 2: one digit a
 * bound, units of 2^-53 plus one.
 */
const BELOW_ROUNDED =
  "1111112111211111112311222222222211211121122211221122102211221122" +
  "1111112222332132112111211112111111121011213311221222112121332222" +
  "2121223322322122222222323233323311221121223321332233212232332232" +
  "2243223233433343333333444455435422322333324422333243223333543344";

/**
 * 2^(k/256) / 2 for k < 256 as Prometheus has them. Bounds must be bit-equal, and Math.pow need not be the same on every
 * machine, so they are computed from a 256-bit root and then moved.
 */
function fractions(): Float64Array {
  if (table !== undefined) return table;
  const bits = 256n;
  let root = 2n << bits;
  for (let i = 0; i < 8; i++) root = squareRoot(root << bits);
  table = new Float64Array(256);
  let power = 1n << bits;
  const shift = bits - 52n;
  for (let k = 0; k < 256; k++) {
    const rounded = (power + (1n << (shift - 1n))) >> shift;
    table[k] = (Number(rounded) - Number(BELOW_ROUNDED[k]) + 1) * 2 ** -53;
    power = (power * root) >> bits;
  }
  return table;
}

/** Integer square root by Newton's method. */
function squareRoot(n: bigint): bigint {
  let x = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const y = (x + n / x) >> 1n;
    if (y >= x) return x;
    x = y;
  }
}

/** Positive bucket k of the arrays as an interval. */
export function positiveBucket(h: FloatHistogram, k: number): Bucket {
  const index = h.pi[k]!;
  return {
    lower: upperBound(h.schema, index - 1, h.custom),
    upper: upperBound(h.schema, index, h.custom),
    lowerInclusive: isCustom(h) && index === 0,
    upperInclusive: true,
    count: h.pv[k]!,
  };
}

export function negativeBucket(h: FloatHistogram, k: number): Bucket {
  const index = h.ni[k]!;
  return {
    lower: -upperBound(h.schema, index, h.custom),
    upper: -upperBound(h.schema, index - 1, h.custom),
    lowerInclusive: true,
    upperInclusive: false,
    count: h.nv[k]!,
  };
}

/**
 * All buckets from the most negative up; the zero bucket only if its count is positive. A bucket into which the zero
 * bucket reaches begins where that ends.
 */
export function ascendingBuckets(h: FloatHistogram): Bucket[] {
  const buckets: Bucket[] = [];
  const zero = h.zeroThreshold;
  for (let k = h.ni.length - 1; k >= 0; k--) {
    const b = negativeBucket(h, k);
    buckets.push(b.upper < 0 && b.upper > -zero ? {...b, upper: -zero} : b);
  }
  if (h.zeroCount > 0) {
    buckets.push({
      lower: -h.zeroThreshold,
      upper: h.zeroThreshold,
      lowerInclusive: true,
      upperInclusive: true,
      count: h.zeroCount,
    });
  }
  for (let k = 0; k < h.pi.length; k++) {
    const b = positiveBucket(h, k);
    buckets.push(b.lower > 0 && b.lower < zero ? {...b, lower: zero} : b);
  }
  return buckets;
}

/** Buckets at a coarser schema: counts of buckets that fall together are added. */
export function reduceBuckets(
  index: readonly number[],
  value: readonly number[],
  from: number,
  to: number,
): {index: number[]; value: number[]} {
  const d = from - to;
  const out: {index: number[]; value: number[]} = {index: [], value: []};
  for (let i = 0; i < index.length; i++) {
    const target = ((index[i]! - 1) >> d) + 1;
    const last = out.index.length - 1;
    if (last >= 0 && out.index[last] === target) out.value[last]! += value[i]!;
    else {
      out.index.push(target);
      out.value.push(value[i]!);
    }
  }
  return out;
}

/** At a coarser (or its own) exponential schema. */
export function toSchema(h: FloatHistogram, schema: number): FloatHistogram {
  if (h.schema === schema) return h;
  const p = reduceBuckets(h.pi, h.pv, h.schema, schema);
  const n = reduceBuckets(h.ni, h.nv, h.schema, schema);
  return {...h, schema, pi: p.index, pv: p.value, ni: n.index, nv: n.value};
}

/** Every count and the sum multiplied; by a negative factor the result is a gauge. */
export function scale(h: FloatHistogram, factor: number): FloatHistogram {
  return {
    ...h,
    hint: factor < 0 ? HINT.gauge : h.hint,
    // With custom buckets there is no zero bucket; 0 × Inf must not make one.
    zeroCount: isCustom(h) ? 0 : h.zeroCount * factor,
    count: h.count * factor,
    sum: h.sum * factor,
    pv: h.pv.map((v) => v * factor),
    nv: h.nv.map((v) => v * factor),
  };
}

/** Every count and the sum divided; division by zero leaves no buckets. */
export function divide(h: FloatHistogram, by: number): FloatHistogram {
  const divided = {
    ...h,
    hint: by < 0 ? HINT.gauge : h.hint,
    zeroCount: isCustom(h) ? 0 : h.zeroCount / by,
    count: h.count / by,
    sum: h.sum / by,
  };
  if (by === 0) return {...divided, pi: [], pv: [], ni: [], nv: []};
  return {...divided, pv: h.pv.map((v) => v / by), nv: h.nv.map((v) => v / by)};
}
