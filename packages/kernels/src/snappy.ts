import {StrataError} from "@strata/base";
import {kernel} from "./kernel.ts";
import {snappyDecodeTwin, snappyLengthTwin} from "./snappy-twin.ts";

/** Contents up to this size are decoded without the kernel: copying in and out costs more (measured). */
const KERNEL_FROM = 256;
/** Room past the content that the kernel's wide copies may touch. */
const MARGIN = 32;
/** A block cannot expand further: a copy element of 3 bytes yields 64. */
const MAX_EXPANSION = 22;
const MAX_INPUT = 0x7000_0000;

/** Length of the content that the block data[from, to) states, unchecked; `corrupt` when the header is malformed. */
export function snappyLength(data: Uint8Array, from = 0, to: number = data.length): number {
  const stated = snappyLengthTwin(data, from, to);
  if (stated < 0) throw corrupt(from, to);
  return stated;
}

/**
 * Decodes the snappy block data[from, to) into a buffer of its own. `limit` bounds the content's length: `limit` error
 * beyond, before anything is allocated. Malformed bytes are `corrupt`.
 */
export function snappyDecode(
  data: Uint8Array,
  limit: number,
  from = 0,
  to: number = data.length,
): Uint8Array<ArrayBuffer> {
  const stated = snappyLength(data, from, to);
  if (stated > limit) {
    throw new StrataError("limit", `cannot decode snappy block: ${stated} bytes of content exceed ${limit}`, {
      fields: {asked: stated, limit},
    });
  }
  if (stated > (to - from) * MAX_EXPANSION) throw corrupt(from, to);
  if (stated < KERNEL_FROM) {
    const out = new Uint8Array(stated);
    if (snappyDecodeTwin(data, from, to, out) < 0) throw corrupt(from, to);
    return out;
  }
  const k = kernel();
  const length = to - from;
  const room = stated + MARGIN;
  const src = k.scratch(length + MARGIN + room);
  const dst = src + ((length + MARGIN) & ~15);
  k.u8().set(data.subarray(from, to), src);
  if (k.exports.snappyDecode(src, length, dst, room) < 0) throw corrupt(from, to);
  return k.read(dst, stated);
}

/** Encodes data[from, to) as one snappy block, in a buffer that the caller owns. */
export function snappyEncode(data: Uint8Array, from = 0, to: number = data.length): Uint8Array<ArrayBuffer> {
  const length = to - from;
  if (length > MAX_INPUT) throw new StrataError("limit", `cannot encode ${length} bytes as one snappy block`);
  const k = kernel();
  const room = k.exports.snappyMaxLength(length) >>> 0;
  const src = k.scratch(length + MARGIN + room);
  const dst = src + ((length + MARGIN) & ~15);
  k.u8().set(data.subarray(from, to), src);
  return k.read(dst, k.exports.snappyEncode(src, length, dst) >>> 0);
}

/**
 * Decodes the framed snappy stream data[from, to) (several concatenated ones, too) into a buffer of its own, checking
 * every frame's sum. Errors as snappyDecode.
 */
export function snappyStreamDecode(
  data: Uint8Array,
  limit: number,
  from = 0,
  to: number = data.length,
): Uint8Array<ArrayBuffer> {
  const k = kernel();
  const length = to - from;
  const first = k.scratch(length + MARGIN);
  k.u8().set(data.subarray(from, to), first);
  const stated = Number(k.exports.snappyStreamLength(first, length));
  if (stated < 0) throw corruptStream(from, to);
  if (stated > limit) {
    throw new StrataError("limit", `cannot decode snappy stream: ${stated} bytes of content exceed ${limit}`, {
      fields: {asked: stated, limit},
    });
  }
  // The larger window may lie elsewhere, so the input goes in again.
  const room = stated + MARGIN;
  const src = k.scratch(length + MARGIN + room);
  const dst = src + ((length + MARGIN) & ~15);
  if (src !== first) k.u8().set(data.subarray(from, to), src);
  if (k.exports.snappyStreamDecode(src, length, dst, room) < 0) throw corruptStream(from, to);
  return k.read(dst, stated);
}

/** Encodes data[from, to) as a framed snappy stream, in a buffer that the caller owns. */
export function snappyStreamEncode(data: Uint8Array, from = 0, to: number = data.length): Uint8Array<ArrayBuffer> {
  const length = to - from;
  if (length > MAX_INPUT) throw new StrataError("limit", `cannot encode ${length} bytes as one snappy stream`);
  const k = kernel();
  const room = k.exports.snappyStreamMaxLength(length) >>> 0;
  const src = k.scratch(length + MARGIN + room);
  const dst = src + ((length + MARGIN) & ~15);
  k.u8().set(data.subarray(from, to), src);
  return k.read(dst, k.exports.snappyStreamEncode(src, length, dst) >>> 0);
}

const corruptStream = (from: number, to: number): StrataError =>
  new StrataError(
    "corrupt",
    `cannot decode snappy stream of ${to - from} bytes at ${from}: malformed or a sum differs`,
  );

const corrupt = (from: number, to: number): StrataError =>
  new StrataError("corrupt", `cannot decode snappy block of ${to - from} bytes at ${from}: malformed`);
