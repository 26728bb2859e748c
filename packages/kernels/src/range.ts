import type {Kernel} from "./kernel.ts";
import type {RangeFunc, Windows} from "./range-twin.ts";

/** Columns of samples in linear memory: addresses of f64 times (ms, ascending) and f64 values. */
export type KernelColumns = {readonly ts: number; readonly vs: number};

/** Removes stale markers from the first `n` samples in place; returns how many are left. */
export const dropStale = (k: Kernel, columns: KernelColumns, n: number): number =>
  k.exports.dropStale(columns.ts, columns.vs, n);

/**
 * `rangeTwin` over columns in linear memory: `count` values at `out`, as many kind bytes at `kind` (1 where there is a
 * result); returns how many results there are. `scratch` is the address of 16 × n bytes that it may overwrite. Nothing is allocated, so views stay valid.
 */
export function rangeWindows(
  k: Kernel,
  func: RangeFunc,
  columns: KernelColumns,
  n: number,
  w: Windows,
  out: number,
  kind: number,
  scratch: number,
): number {
  return k.exports.rangeWindows(func, columns.ts, columns.vs, n, w.start, w.step, w.count, w.range, out, kind, scratch);
}

/** How many samples the windows of the last `rangeWindows` call held, each window counted, and how many different ones. */
export const windowSamples = (k: Kernel): {total: number; fresh: number} => ({
  total: k.exports.rangeTotal(),
  fresh: k.exports.rangeFresh(),
});
