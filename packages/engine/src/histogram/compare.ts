import {sameNumbers, zeroCountAt} from "./add.ts";
import {CUSTOM_SCHEMA, type FloatHistogram, HINT, isCustom, toSchema, upperBound} from "./float-histogram.ts";

/** Bit equality of layout and counts; hints do not count. */
export function histogramsEqual(a: FloatHistogram, b: FloatHistogram): boolean {
  return (
    a.schema === b.schema &&
    Object.is(a.count, b.count) &&
    Object.is(a.sum, b.sum) &&
    Object.is(a.zeroCount, b.zeroCount) &&
    a.zeroThreshold === b.zeroThreshold &&
    sameNumbers(a.custom, b.custom) &&
    sameNumbers(a.pi, b.pi) &&
    sameNumbers(a.ni, b.ni) &&
    sameNumbers(a.pv, b.pv) &&
    sameNumbers(a.nv, b.nv)
  );
}

/** Whether a counter histogram was reset between `previous` and `current`. */
export function detectReset(current: FloatHistogram, previous: FloatHistogram): boolean {
  if (current.hint === HINT.reset) return true;
  if (current.hint === HINT.notReset) return false;
  return countsFell(current, previous);
}

/** The same by counts alone. */
export function countsFell(current: FloatHistogram, previous: FloatHistogram): boolean {
  if (current.count < previous.count) return true;
  if (isCustom(current)) {
    if (!isCustom(previous)) return true;
    if (!sameNumbers(current.custom, previous.custom)) return customFell(current, previous);
    return bucketFell(current.pi, current.pv, previous.pi, previous.pv);
  }
  if (isCustom(previous) || current.schema > previous.schema) return true;
  if (current.zeroThreshold < previous.zeroThreshold) return true;
  const widened = zeroCountAt(previous, current.zeroThreshold);
  if (widened.zeroThreshold !== current.zeroThreshold || current.zeroCount < widened.zeroCount) return true;
  const before = toSchema(previous, current.schema);
  const above = (index: number) => upperBound(current.schema, index, []) > current.zeroThreshold;
  return (
    bucketFell(current.pi, current.pv, before.pi, before.pv, above) ||
    bucketFell(current.ni, current.nv, before.ni, before.nv, above)
  );
}

/** Whether some bucket counts less than before, or is gone though it had counted. */
function bucketFell(
  ci: readonly number[],
  cv: readonly number[],
  pi: readonly number[],
  pv: readonly number[],
  counts: (index: number) => boolean = () => true,
): boolean {
  let i = 0;
  for (let k = 0; k < pi.length; k++) {
    const index = pi[k]!;
    if (!counts(index)) continue;
    while (i < ci.length && ci[i]! < index) i++;
    const gone = i === ci.length || ci[i] !== index;
    if (gone ? pv[k] !== 0 : cv[i]! < pv[k]!) return true;
  }
  return false;
}

/** Different custom bounds: compares the cumulative counts at the bounds both have. */
function customFell(current: FloatHistogram, previous: FloatHistogram): boolean {
  const shared = new Set(previous.custom);
  let i = 0;
  let j = 0;
  let now = 0;
  let before = 0;
  for (const bound of [...current.custom.filter((b) => shared.has(b)), Infinity]) {
    // Counts between two shared bounds are compared as one bucket.
    now = 0;
    before = 0;
    for (; i < current.pi.length && upperBound(CUSTOM_SCHEMA, current.pi[i]!, current.custom) <= bound; i++) {
      now += current.pv[i]!;
    }
    for (; j < previous.pi.length && upperBound(CUSTOM_SCHEMA, previous.pi[j]!, previous.custom) <= bound; j++) {
      before += previous.pv[j]!;
    }
    if (now < before) return true;
  }
  return false;
}
