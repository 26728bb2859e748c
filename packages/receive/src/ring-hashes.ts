import {StrataError} from "@strata/base";
import {kernel, type WriteWindow} from "@strata/kernels";

let room = 0;
let at = 0;

/**
 * The hashes (u64) by which rings place the window's series for a tenant; the address where they stand, with as much room
 * behind them for a column of u32. Good until the next call. Throws `bad_data` for labels that are no protobuf.
 */
export function ringHashes(window: WriteWindow, tenant: string): number {
  const k = kernel();
  const name = Buffer.from(tenant);
  const {series} = window;
  const bytes = 16 * series + 16 + name.length + window.length + 64;
  if (bytes > room) {
    k.free(at);
    at = 0;
    room = 0;
    at = k.alloc(bytes);
    room = bytes;
  }
  const buffer = at + 16 * series + 16;
  k.u8().set(name, buffer);
  const bad = k.exports.writeRingHashes(window.src, window.entries, series, buffer, name.length, at);
  if (bad >= 0) throw unreadable(bad);
  return at;
}

/** Throws `bad_data` as `ringHashes` would: where every series goes everywhere no hash is needed. */
export function checkLabels(window: WriteWindow): void {
  const bad = kernel().exports.writeLabelFault(window.src, window.entries, window.series);
  if (bad >= 0) throw unreadable(bad);
}

const unreadable = (series: number): StrataError =>
  new StrataError("bad_data", `cannot read the labels of series ${series}`);
