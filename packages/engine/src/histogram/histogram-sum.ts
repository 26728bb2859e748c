import {alignPair, combineHints} from "./add.ts";
import {divide, type FloatHistogram, HINT, isCustom} from "./float-histogram.ts";

/** One compensated addition: x onto (sum, c). */
function inc(x: number, sum: number, c: number): [number, number] {
  const t = sum + x;
  if (t === Infinity || t === -Infinity) return [t, 0];
  return [t, Math.abs(sum) >= Math.abs(x) ? c + (sum - t + x) : c + (x - t + sum)];
}

/** What adding one histogram to a running sum came to. */
export type AddOutcome = "added" | "incompatible";

/**
 * A running sum of histograms, compensated in count, sum and every bucket. The value is h + c; c has h's layout.
 */
export class HistogramSum {
  #h: FloatHistogram;
  /** Compensations, in the layout of #h. */
  #c: FloatHistogram;
  #sawReset = false;
  #sawNotReset = false;
  /** Custom bounds differed on the way. */
  reconciled = false;

  constructor(first: FloatHistogram) {
    this.#h = first;
    this.#c = zeroOf(first);
    this.#note(first);
  }

  /** Both hints CounterReset and NotCounterReset have come by. */
  get collision(): boolean {
    return this.#sawReset && this.#sawNotReset;
  }

  get custom(): boolean {
    return isCustom(this.#h);
  }

  add(h: FloatHistogram): AddOutcome {
    if (isCustom(h) !== isCustom(this.#h)) return "incompatible";
    this.#note(h);
    const {hint} = combineHints(this.#h.hint, h.hint);
    const {left, right, reconciled} = alignPair(this.#h, h);
    // The compensation takes the same layout; its own zero bucket is set apart, since thresholds must not depend on it.
    const carried = alignPair(this.#c, zeroLike(left)).left;
    this.reconciled ||= reconciled;
    const p = merge(left.pi, left.pv, carried.pi, carried.pv, right.pi, right.pv);
    const n = merge(left.ni, left.nv, carried.ni, carried.nv, right.ni, right.nv);
    const [zeroCount, zc] = inc(right.zeroCount, left.zeroCount, carried.zeroCount);
    const [count, cc] = inc(right.count, left.count, carried.count);
    const [sum, sc] = inc(right.sum, left.sum, carried.sum);
    this.#h = {...left, hint, zeroCount, count, sum, pi: p.index, pv: p.value, ni: n.index, nv: n.value};
    this.#c = {...this.#h, zeroCount: zc, count: cc, sum: sc, pv: p.c, nv: n.c};
    return "added";
  }

  /** Whether a count or the sum has become infinite. */
  get overflown(): boolean {
    const bad = (v: number) => v === Infinity || v === -Infinity;
    const h = this.#h;
    return bad(h.count) || bad(h.sum) || bad(h.zeroCount) || h.pv.some(bad) || h.nv.some(bad);
  }

  /** Multiplies value and compensation. */
  scaleBy(factor: number): void {
    this.#h = scaled(this.#h, factor);
    this.#c = scaled(this.#c, factor);
  }

  divideBy(n: number): void {
    this.#h = divide(this.#h, n);
    this.#c = divide(this.#c, n);
  }

  /** A copy to go back to. */
  snapshot(): HistogramSum {
    const copy = new HistogramSum(this.#h);
    copy.#c = this.#c;
    copy.#sawReset = this.#sawReset;
    copy.#sawNotReset = this.#sawNotReset;
    copy.reconciled = this.reconciled;
    return copy;
  }

  /** The value; buckets that are or became empty stay. */
  result(): FloatHistogram {
    const h = this.#h;
    const c = this.#c;
    const plus = (v: number, e: number) => (Number.isFinite(v) ? v + e : v);
    return {
      ...h,
      zeroCount: plus(h.zeroCount, c.zeroCount),
      count: plus(h.count, c.count),
      sum: plus(h.sum, c.sum),
      pv: h.pv.map((v, i) => plus(v, c.pv[i]!)),
      nv: h.nv.map((v, i) => plus(v, c.nv[i]!)),
    };
  }

  #note(h: FloatHistogram): void {
    if (h.hint === HINT.reset) this.#sawReset = true;
    if (h.hint === HINT.notReset) this.#sawNotReset = true;
  }
}

const scaled = (h: FloatHistogram, f: number): FloatHistogram => ({
  ...h,
  zeroCount: h.zeroCount * f,
  count: h.count * f,
  sum: h.sum * f,
  pv: h.pv.map((v) => v * f),
  nv: h.nv.map((v) => v * f),
});

const zeros = (a: readonly number[]): number[] => new Array<number>(a.length).fill(0);

const zeroOf = (h: FloatHistogram): FloatHistogram => ({
  ...h,
  zeroCount: 0,
  count: 0,
  sum: 0,
  pv: zeros(h.pv),
  nv: zeros(h.nv),
});

const zeroLike = (h: FloatHistogram): FloatHistogram => ({...h, pi: [], pv: [], ni: [], nv: [], zeroCount: 0});

/** Adds buckets b onto (a, c); a bucket that c does not have is not compensated yet. */
function merge(
  ai: readonly number[],
  av: readonly number[],
  ci: readonly number[],
  cv: readonly number[],
  bi: readonly number[],
  bv: readonly number[],
): {index: number[]; value: number[]; c: number[]} {
  const out: {index: number[]; value: number[]; c: number[]} = {index: [], value: [], c: []};
  let i = 0;
  let j = 0;
  let k = 0;
  while (i < ai.length || j < bi.length) {
    const x = i < ai.length ? ai[i]! : Infinity;
    const y = j < bi.length ? bi[j]! : Infinity;
    const index = Math.min(x, y);
    while (k < ci.length && ci[k]! < index) k++;
    let c = k < ci.length && ci[k] === index ? cv[k]! : 0;
    let v = x === index ? av[i++]! : 0;
    if (y === index) [v, c] = inc(bv[j++]!, v, c);
    out.index.push(index);
    out.value.push(v);
    out.c.push(c);
  }
  return out;
}
