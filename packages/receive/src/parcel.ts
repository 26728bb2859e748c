import {kernel, SERIES_FIELD, SERIES_WORDS, type WriteWindow, writeWindow} from "@strata/kernels";
import {FORM, type Parcel, tuplePieces} from "./peer-request.ts";
import type {TenantPart} from "./request-rewrite.ts";
import {HARD_LIMITS} from "./write-handler.ts";

/** Room past content that the packing kernel's wide reads may touch. */
const MARGIN = 32;

/** The part as a parcel: the request's own body where that says the same, else a piece of it, packed where asked. */
export function parcelOf(window: WriteWindow, {tenant, list}: TenantPart, pack: boolean): Parcel {
  const whole = list === undefined ? window.packed : undefined;
  if (whole !== undefined) return {tenant, form: whole.version === 2 ? FORM.packedV2 : FORM.packed, body: whole.body};
  const k = kernel();
  const {at, size, packedAt} = gather(window, list, pack);
  if (!pack) return {tenant, form: FORM.plain, body: k.read(at, size)};
  return {tenant, form: FORM.packed, body: k.read(packedAt, k.exports.snappyEncode(at, size, packedAt) >>> 0)};
}

/** The part as pieces of a request that every receiver knows, as a replica from 1 on. */
export function tupleOf(window: WriteWindow, {tenant, list}: TenantPart, replica: number): Uint8Array[] {
  const {at, size} = gather(window, list, false);
  return tuplePieces(tenant, kernel().read(at, size), replica);
}

/** The parcel for receivers that do not know parcels. */
export function unpacked(parcel: Parcel, replica: number): Uint8Array[] {
  using window = writeWindow();
  openParcel(window, parcel, false);
  return tupleOf(window, {tenant: parcel.tenant, list: undefined}, replica);
}

/** Loads a parcel into a window and walks it. Throws what a request's body would. */
export function openParcel(window: WriteWindow, {form, body}: Parcel, startTimes: boolean): void {
  if (form === FORM.plain) window.load(body);
  else window.loadSnappy(body, HARD_LIMITS);
  if (form === FORM.packedV2) window.fromV2(HARD_LIMITS, startTimes);
  window.walk(HARD_LIMITS, startTimes);
}

/** Copies the listed series, or all, one behind the other; where they stand, and room for them packed where asked. */
function gather(
  window: WriteWindow,
  list: Uint32Array | undefined,
  pack: boolean,
): {at: number; size: number; packedAt: number} {
  const k = kernel();
  const count = list?.length ?? window.series;
  const first = window.entries >>> 2;
  let u32 = k.u32();
  let size = 0;
  for (let i = 0; i < count; i++) {
    const entry = first + SERIES_WORDS * (list === undefined ? i : (list[i] as number));
    size += (u32[entry + SERIES_FIELD.to] as number) - (u32[entry + SERIES_FIELD.from] as number);
  }
  const listBytes = (4 * count + 15) & ~15;
  const copyBytes = (size + MARGIN + 15) & ~15;
  const listAt = k.scratch(listBytes + copyBytes + (pack ? k.exports.snappyMaxLength(size) >>> 0 : 0));
  u32 = k.u32();
  if (list === undefined) for (let i = 0; i < count; i++) u32[(listAt >>> 2) + i] = i;
  else u32.set(list, listAt >>> 2);
  const at = listAt + listBytes;
  k.exports.writeGather(window.src, window.entries, listAt, count, at);
  return {at, size, packedAt: at + copyBytes};
}
