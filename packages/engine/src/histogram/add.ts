import {
  CUSTOM_SCHEMA,
  type FloatHistogram,
  HINT,
  type Hint,
  isCustom,
  negativeBucket,
  positiveBucket,
  toSchema,
  upperBound,
} from "./float-histogram.ts";

/** The sum or difference, and what there is to say about it. `sum` is undefined where schemas do not go together. */
export type AddResult = {
  readonly sum: FloatHistogram | undefined;
  /** One side says it follows a reset, the other that it does not. */
  readonly collision: boolean;
  /** Custom bounds differed and were reconciled. */
  readonly reconciled: boolean;
};

const INCOMPATIBLE: AddResult = {sum: undefined, collision: false, reconciled: false};

/** a + sign × b, with a's layout widened as far as needed. */
export function addHistograms(a: FloatHistogram, b: FloatHistogram, sign: 1 | -1): AddResult {
  if (isCustom(a) !== isCustom(b)) return INCOMPATIBLE;
  const {hint, collision} = combineHints(a.hint, b.hint);
  const aligned = alignPair(a, b);
  const {left, right, reconciled} = aligned;
  const positive = mergeBuckets(left.pi, left.pv, right.pi, right.pv, sign);
  const negative = mergeBuckets(left.ni, left.nv, right.ni, right.nv, sign);
  const sum: FloatHistogram = {
    ...left,
    hint,
    zeroCount: left.zeroCount + sign * right.zeroCount,
    count: left.count + sign * right.count,
    sum: left.sum + sign * right.sum,
    pi: positive.index,
    pv: positive.value,
    ni: negative.index,
    nv: negative.value,
  };
  return {sum, collision, reconciled};
}

/** The hint of a sum. */
export function combineHints(a: Hint, b: Hint): {hint: Hint; collision: boolean} {
  if (a === b) return {hint: a, collision: false};
  if (a === HINT.gauge || b === HINT.gauge) return {hint: HINT.gauge, collision: false};
  if (a === HINT.unknown || b === HINT.unknown) return {hint: HINT.unknown, collision: false};
  return {hint: HINT.unknown, collision: true};
}

/** Both at one schema, zero threshold and set of bounds, so that equal indexes mean equal buckets. */
export function alignPair(
  a: FloatHistogram,
  b: FloatHistogram,
): {left: FloatHistogram; right: FloatHistogram; reconciled: boolean} {
  if (isCustom(a)) {
    if (sameNumbers(a.custom, b.custom)) return {left: a, right: b, reconciled: false};
    const bounds = intersect(a.custom, b.custom);
    return {left: toBounds(a, bounds), right: toBounds(b, bounds), reconciled: true};
  }
  const {left, right} = reconcileZero(a, b);
  const schema = Math.min(left.schema, right.schema);
  const reduced = toSchema(right, schema);
  const above = (index: number) => upperBound(schema, index, []) > left.zeroThreshold;
  return {
    left: toSchema(left, schema),
    right: {...reduced, ...keepPositive(reduced, above), ...keepNegative(reduced, above)},
    reconciled: false,
  };
}

function keepPositive(h: FloatHistogram, keep: (index: number) => boolean) {
  if (h.pi.length === 0 || keep(h.pi[0]!)) return {pi: h.pi, pv: h.pv};
  const from = h.pi.findIndex(keep);
  return from < 0 ? {pi: [], pv: []} : {pi: h.pi.slice(from), pv: h.pv.slice(from)};
}

function keepNegative(h: FloatHistogram, keep: (index: number) => boolean) {
  if (h.ni.length === 0 || keep(h.ni[0]!)) return {ni: h.ni, nv: h.nv};
  const from = h.ni.findIndex(keep);
  return from < 0 ? {ni: [], nv: []} : {ni: h.ni.slice(from), nv: h.nv.slice(from)};
}

/** Both with the larger zero threshold, which may have to grow to the end of a populated bucket. */
function reconcileZero(a: FloatHistogram, b: FloatHistogram): {left: FloatHistogram; right: FloatHistogram} {
  let left = a;
  let right = b;
  while (left.zeroThreshold !== right.zeroThreshold) {
    if (left.zeroThreshold > right.zeroThreshold) right = {...right, ...zeroCountAt(b, left.zeroThreshold)};
    if (right.zeroThreshold > left.zeroThreshold) {
      left = trimZero({...left, ...zeroCountAt(left, right.zeroThreshold)});
    }
  }
  return {left, right};
}

/** The zero bucket if it reached to `threshold`, or beyond where that lies inside a populated bucket. */
export function zeroCountAt(h: FloatHistogram, threshold: number): {zeroCount: number; zeroThreshold: number} {
  let larger = threshold;
  if (larger === h.zeroThreshold) return {zeroCount: h.zeroCount, zeroThreshold: larger};
  outer: for (;;) {
    let zeroCount = h.zeroCount;
    for (let k = 0; k < h.pi.length; k++) {
      const b = positiveBucket(h, k);
      if (b.lower >= larger) break;
      zeroCount += b.count;
      if (b.upper > larger) {
        if (b.count !== 0) larger = b.upper;
        break;
      }
    }
    for (let k = 0; k < h.ni.length; k++) {
      const b = negativeBucket(h, k);
      if (b.upper <= -larger) break;
      zeroCount += b.count;
      if (b.lower < -larger) {
        if (b.count !== 0) {
          larger = -b.lower;
          continue outer;
        }
        break;
      }
    }
    return {zeroCount, zeroThreshold: larger};
  }
}

/** Without the buckets that the zero bucket has taken in, and without empty ones. */
function trimZero(h: FloatHistogram): FloatHistogram {
  const pi: number[] = [];
  const pv: number[] = [];
  const ni: number[] = [];
  const nv: number[] = [];
  for (let k = 0; k < h.pi.length; k++) {
    if (h.pv[k] === 0 || positiveBucket(h, k).lower < h.zeroThreshold) continue;
    pi.push(h.pi[k]!);
    pv.push(h.pv[k]!);
  }
  for (let k = 0; k < h.ni.length; k++) {
    if (h.nv[k] === 0 || negativeBucket(h, k).upper > -h.zeroThreshold) continue;
    ni.push(h.ni[k]!);
    nv.push(h.nv[k]!);
  }
  return {...h, pi, pv, ni, nv};
}

function mergeBuckets(
  ai: readonly number[],
  av: readonly number[],
  bi: readonly number[],
  bv: readonly number[],
  sign: 1 | -1,
): {index: readonly number[]; value: readonly number[]} {
  if (bi.length === 0) return {index: ai, value: av};
  const index: number[] = [];
  const value: number[] = [];
  let i = 0;
  let j = 0;
  while (i < ai.length || j < bi.length) {
    const x = i < ai.length ? ai[i]! : Infinity;
    const y = j < bi.length ? bi[j]! : Infinity;
    index.push(Math.min(x, y));
    if (x === y) value.push(av[i++]! + sign * bv[j++]!);
    else value.push(x < y ? av[i++]! : sign * bv[j++]!);
  }
  return {index, value};
}

export function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

/** The bounds that both lists have. */
function intersect(a: readonly number[], b: readonly number[]): number[] {
  const shared = new Set(b);
  return a.filter((x) => shared.has(x));
}

/** A custom histogram on a subset of its bounds: each bucket goes to the first bound that is not below its own. */
export function toBounds(h: FloatHistogram, bounds: readonly number[]): FloatHistogram {
  const pi: number[] = [];
  const pv: number[] = [];
  const cs: number[] = [];
  let at = 0;
  for (let k = 0; k < h.pi.length; k++) {
    const upper = upperBound(CUSTOM_SCHEMA, h.pi[k]!, h.custom);
    while (at < bounds.length && bounds[at]! < upper) at++;
    const last = pi.length - 1;
    if (last >= 0 && pi[last] === at) {
      const t = pv[last]! + h.pv[k]!;
      cs[last]! += Math.abs(pv[last]!) >= Math.abs(h.pv[k]!) ? pv[last]! - t + h.pv[k]! : h.pv[k]! - t + pv[last]!;
      pv[last] = t;
    } else {
      pi.push(at);
      pv.push(h.pv[k]!);
      cs.push(0);
    }
  }
  return {...h, custom: bounds, pi, pv: pv.map((v, i) => (Number.isFinite(v) ? v + cs[i]! : v))};
}
