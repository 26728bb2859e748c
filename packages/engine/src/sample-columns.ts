import type {ByteBudget} from "@strata/base";
import {
  dropStale,
  type Kernel,
  KernelArena,
  type KernelColumns,
  kernel,
  type RangeFunc,
  rangeWindows,
  type Windows,
  windowSamples,
} from "@strata/kernels";
import {type FloatHistogram, histogramBytes} from "./histogram/float-histogram.ts";

/**
 * The samples of one series, floats as columns in kernel memory, histograms beside them; both ascending in time. Made
 * once an operator and filled anew for each series. `close` frees the kernel memory.
 */
export class SampleColumns {
  /** How many floats, and histograms. */
  n = 0;
  hn = 0;
  hts: number[] = [];
  hs: FloatHistogram[] = [];
  /** Start timestamps (ms, 0 unknown) of floats and histograms; only where the source has any. */
  st: Float64Array | undefined;
  hst: number[] | undefined;

  readonly #k: Kernel = kernel();
  readonly #arena: KernelArena;
  readonly #budget: ByteBudget;
  #histogramBytes = 0;
  #capacity = 0;
  #ts = 0;
  #vs = 0;
  #scratch = 0;
  #steps = 0;
  #out = 0;
  #kind = 0;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
    this.#arena = new KernelArena("decoded samples", budget);
  }

  /** Addresses of the float columns; valid until the next `reserve`. */
  get columns(): KernelColumns {
    return {ts: this.#ts, vs: this.#vs};
  }

  /** Times of the floats, a view of n entries; goes stale when kernel memory grows. */
  get ts(): Float64Array {
    return this.#k.f64().subarray(this.#ts / 8, this.#ts / 8 + this.n);
  }

  get vs(): Float64Array {
    return this.#k.f64().subarray(this.#vs / 8, this.#vs / 8 + this.n);
  }

  clear(): void {
    this.n = 0;
    this.#budget.give(this.#histogramBytes);
    this.#histogramBytes = 0;
    if (this.hn > 0) {
      this.hn = 0;
      this.hts = [];
      this.hs = [];
    }
    this.st = undefined;
    this.hst = undefined;
  }

  /** Makes room for n floats. What the columns held is lost. */
  reserve(n: number): void {
    if (n <= this.#capacity && this.#capacity > 0) return;
    const capacity = Math.max(1024, Math.ceil(n * 1.25));
    for (const ptr of [this.#ts, this.#vs, this.#scratch]) this.#arena.free(ptr);
    this.#capacity = 0;
    this.#ts = this.#arena.alloc(8 * capacity);
    this.#vs = this.#arena.alloc(8 * capacity);
    this.#scratch = this.#arena.alloc(16 * capacity);
    this.#capacity = capacity;
  }

  /** Fills the float columns from ts[0, n), vs[0, n), bit by bit. */
  setFloats(ts: Float64Array, vs: Float64Array, n: number): void {
    this.reserve(n);
    const f64 = this.#k.f64();
    f64.set(n === ts.length ? ts : ts.subarray(0, n), this.#ts / 8);
    f64.set(n === vs.length ? vs : vs.subarray(0, n), this.#vs / 8);
    this.n = n;
  }

  setHistograms(ts: number[], hs: FloatHistogram[]): void {
    let bytes = 0;
    for (const h of hs) bytes += histogramBytes(h);
    this.#budget.take(bytes, "decoded histograms");
    this.#histogramBytes += bytes;
    this.hts = ts;
    this.hs = hs;
    this.hn = hs.length;
  }

  /** Removes stale floats. Start timestamps, where there are any, follow. */
  dropStale(): void {
    if (this.st !== undefined) {
      const bits = this.#k.u64().subarray(this.#vs / 8, this.#vs / 8 + this.n);
      this.st = this.st.filter((_, i) => bits[i] !== STALE_BITS);
    }
    this.n = dropStale(this.#k, this.columns, this.n);
  }

  /** Removes what lies after a time. */
  cutAfter(t: number): void {
    const {ts} = this;
    while (this.n > 0 && ts[this.n - 1]! > t) this.n--;
    while (this.hn > 0 && this.hts[this.hn - 1]! > t) this.hn--;
  }

  isStale(i: number): boolean {
    const u32 = this.#k.u32();
    const at = this.#vs / 4 + 2 * i;
    return u32[at] === 2 && u32[at + 1] === 0x7ff00000;
  }

  /** Slides a kernel's window function over the floats into values[at…] and kind[at…]; returns how many results. */
  slide(func: RangeFunc, w: Windows, values: Float64Array, kind: Uint8Array, at: number): number {
    this.#reserveSteps(w.count);
    if (this.#capacity === 0) this.reserve(1);
    const results = rangeWindows(this.#k, func, this.columns, this.n, w, this.#out, this.#kind, this.#scratch);
    if (results > 0) {
      values.set(this.#k.f64().subarray(this.#out / 8, this.#out / 8 + w.count), at);
      kind.set(this.#k.u8().subarray(this.#kind, this.#kind + w.count), at);
    }
    return results;
  }

  /** Samples in the windows of the last `slide`, each window counted, and different ones. */
  get looked(): {total: number; fresh: number} {
    return windowSamples(this.#k);
  }

  close(): void {
    this.clear();
    this.#arena.close();
    this.#capacity = 0;
    this.#steps = 0;
  }

  #reserveSteps(count: number): void {
    if (count <= this.#steps) return;
    this.#arena.free(this.#out);
    this.#arena.free(this.#kind);
    this.#out = this.#arena.alloc(8 * count);
    this.#kind = this.#arena.alloc(count);
    this.#steps = count;
  }
}

const STALE_BITS = 0x7ff0000000000002n;
