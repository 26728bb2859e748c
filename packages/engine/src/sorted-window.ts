import type {Window} from "./window.ts";

/**
 * The floats of a sliding window in ascending order, NaN counted apart. Moving on inserts and removes single values, so
 * a window costs what changes and not what it holds.
 */
export class SortedWindow {
  #values = new Float64Array(64);
  #n = 0;
  #nans = 0;
  #vs: Float64Array | undefined;
  #from = 0;
  #to = 0;

  /** Moves to the window's floats. Series are told apart by their column. */
  update(w: Window): void {
    const changed = w.from - this.#from + (w.to - this.#to);
    const moves = this.#vs === w.vs && w.from >= this.#from && w.from < this.#to && w.to >= this.#to;
    if (!moves || changed > w.floats) this.#rebuild(w);
    else {
      this.#reserve(this.#n + w.to - this.#to);
      for (let i = this.#to; i < w.to; i++) this.#insert(w.vs[i] as number);
      for (let i = this.#from; i < w.from; i++) this.#remove(w.vs[i] as number);
    }
    this.#vs = w.vs;
    this.#from = w.from;
    this.#to = w.to;
  }

  /** The φ-quantile, 0 ≤ φ ≤ 1: NaN sort first, linear between neighbours. */
  quantile(phi: number): number {
    const total = this.#n + this.#nans;
    const rank = phi * (total - 1);
    const low = Math.max(0, Math.floor(rank));
    const high = Math.min(total - 1, low + 1);
    const weight = rank - Math.floor(rank);
    return this.#at(low) * (1 - weight) + this.#at(high) * weight;
  }

  #at(i: number): number {
    return i < this.#nans ? Number.NaN : (this.#values[i - this.#nans] as number);
  }

  #rebuild(w: Window): void {
    this.#n = 0;
    this.#nans = 0;
    this.#reserve(w.floats);
    for (let i = w.from; i < w.to; i++) {
      const v = w.vs[i] as number;
      if (Number.isNaN(v)) this.#nans++;
      else this.#values[this.#n++] = v;
    }
    this.#values.subarray(0, this.#n).sort();
  }

  #reserve(n: number): void {
    if (n <= this.#values.length) return;
    const grown = new Float64Array(2 * n);
    grown.set(this.#values.subarray(0, this.#n));
    this.#values = grown;
  }

  /** The first place whose value is not below v. */
  #place(v: number): number {
    let low = 0;
    let high = this.#n;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#values[middle] as number) < v) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #insert(v: number): void {
    if (Number.isNaN(v)) {
      this.#nans++;
      return;
    }
    const at = this.#place(v);
    // PERF: copyWithin costs a call into the runtime, more than a short loop.
    if (this.#n - at > 64) this.#values.copyWithin(at + 1, at, this.#n);
    else for (let i = this.#n; i > at; i--) this.#values[i] = this.#values[i - 1] as number;
    this.#values[at] = v;
    this.#n++;
  }

  #remove(v: number): void {
    if (Number.isNaN(v)) {
      this.#nans--;
      return;
    }
    const at = this.#place(v);
    this.#n--;
    if (this.#n - at > 64) this.#values.copyWithin(at, at + 1, this.#n + 1);
    else for (let i = at; i < this.#n; i++) this.#values[i] = this.#values[i + 1] as number;
  }
}
