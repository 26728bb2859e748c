import {ByteWriter} from "@strata/bytes";
import {SCATTERED, SERIES_FIELD, SERIES_WORDS, type WriteLimits, type WriteWindow} from "@strata/kernels";
import {Labels, type RelabelConfig, relabel} from "@strata/model";
import {WireReader} from "@strata/proto";
import {readLabelFields, writeLabelField} from "./label-bytes.ts";
import {checkTenantName} from "./tenant-name.ts";

/** A tenant's series in a window: numbers of entries, or all of them. */
export type TenantPart = {readonly tenant: string; readonly list: Uint32Array | undefined};

export type RewriteOptions = {
  readonly relabel: readonly RelabelConfig[];
  /** Label whose value is the series' tenant; "" for none. */
  readonly splitLabel: string;
};

const series = new ByteWriter();

/**
 * Brings a walked request into the form that is written: relabelled, split into tenants, the labels of each series side by
 * side. The window is walked anew when anything had to change. Series that relabelling drops are gone.
 */
export function rewriteRequest(
  window: WriteWindow,
  tenant: string,
  options: RewriteOptions,
  limits: WriteLimits,
  startTimes: boolean,
): readonly TenantPart[] {
  const {splitLabel} = options;
  if (options.relabel.length === 0 && splitLabel === "" && !hasScattered(window)) return [{tenant, list: undefined}];
  const out = new ByteWriter(window.length + 1024);
  const tenants: string[] = [];
  for (let i = 0; i < window.series; i++) {
    const bytes = contentOf(window, i);
    let pairs: readonly (readonly [string, string])[] = readLabelFields(bytes);
    if (options.relabel.length > 0) {
      const changed = relabel(Labels.fromPairs(pairs), options.relabel);
      if (changed === undefined || changed.size === 0) continue;
      pairs = [...changed];
    }
    const own = splitLabel === "" ? undefined : pairs.find(([name, value]) => name === splitLabel && value !== "");
    if (own !== undefined) {
      checkTenantName(own[1]);
      pairs = pairs.filter((pair) => pair !== own);
    }
    tenants.push(own?.[1] ?? tenant);
    writeSeries(out, pairs, bytes);
  }
  window.load(out.view());
  window.walk(limits, startTimes);
  return partsOf(tenants);
}

function hasScattered(window: WriteWindow): boolean {
  const u32 = window.kernel.u32();
  const first = window.entries >>> 2;
  for (let i = 0; i < window.series; i++) {
    if (u32[first + SERIES_WORDS * i + SERIES_FIELD.labelsTo] === SCATTERED) return true;
  }
  return false;
}

/** The content of series `i`'s message. */
function contentOf(window: WriteWindow, i: number): Uint8Array {
  const u32 = window.kernel.u32();
  const entry = (window.entries >>> 2) + SERIES_WORDS * i;
  const r = new WireReader(
    window.bytes(u32[entry + SERIES_FIELD.from] as number, u32[entry + SERIES_FIELD.to] as number),
    "time series",
  );
  r.uint32();
  return r.view();
}

/** Appends a series with these labels and all else of `content`. */
function writeSeries(out: ByteWriter, pairs: readonly (readonly [string, string])[], content: Uint8Array): void {
  series.reset();
  for (const [name, value] of pairs) writeLabelField(series, name, value);
  const r = new WireReader(content, "time series");
  while (r.pos < r.end) {
    const from = r.pos;
    const tag = r.uint32();
    r.skip(tag);
    if (tag !== 0x0a) series.bytes(content, from, r.pos);
  }
  out.u8(0x0a);
  out.uvarint(series.length);
  out.bytes(series.view());
}

function partsOf(tenants: readonly string[]): TenantPart[] {
  const lists = new Map<string, number[]>();
  tenants.forEach((tenant, i) => {
    const list = lists.get(tenant);
    if (list === undefined) lists.set(tenant, [i]);
    else list.push(i);
  });
  if (lists.size === 1) return [{tenant: tenants[0] as string, list: undefined}];
  return [...lists].map(([tenant, list]) => ({tenant, list: Uint32Array.from(list)}));
}
