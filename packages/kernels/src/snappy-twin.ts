import {crc32cTwin} from "./crc32c.ts";

// The plain TypeScript forms of the decoders in assembly/snappy.ts and snappy-stream.ts, and a small encoder.

/** Length of the content that a block states; -1 when the header is malformed. */
export function snappyLengthTwin(data: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = 0; i < 5 && from + i < to; i++) {
    const byte = data[from + i] as number;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return value > 0xffff_ffff ? -1 : value;
  }
  return -1;
}

/** Decodes the block data[from, to) into `out` at `at`; returns the content's length, or -1 (corrupt), -2 (no room). */
export function snappyDecodeTwin(data: Uint8Array, from: number, to: number, out: Uint8Array, at = 0): number {
  const stated = snappyLengthTwin(data, from, to);
  if (stated < 0) return -1;
  if (at + stated > out.length) return -2;
  let p = from;
  while ((data[p++] as number) >= 0x80);
  const outEnd = at + stated;
  let o = at;
  while (p < to) {
    const tag = data[p++] as number;
    let count = (tag >> 2) + 1;
    if ((tag & 3) === 0) {
      if (count > 60) {
        const wide = count - 60;
        if (to - p < wide) return -1;
        count = 1;
        for (let i = 0; i < wide; i++) count += (data[p++] as number) * 2 ** (8 * i);
      }
      if (count > to - p || count > outEnd - o) return -1;
      if (count < 24) for (let i = 0; i < count; i++) out[o + i] = data[p + i] as number;
      else out.set(data.subarray(p, p + count), o);
      p += count;
      o += count;
      continue;
    }
    let offset: number;
    if ((tag & 3) === 1) {
      if (p >= to) return -1;
      count = ((tag >> 2) & 7) + 4;
      offset = ((tag >> 5) << 8) | (data[p++] as number);
    } else {
      const wide = (tag & 3) === 2 ? 2 : 4;
      if (to - p < wide) return -1;
      offset = 0;
      for (let i = 0; i < wide; i++) offset += (data[p++] as number) * 2 ** (8 * i);
    }
    if (offset < 1 || offset > o - at || count > outEnd - o) return -1;
    for (let i = 0; i < count; i++, o++) out[o] = out[o - offset] as number;
  }
  return o === outEnd ? stated : -1;
}

/** Encodes data[from, to) as one literal-and-copy block; returns the bytes. Compresses less than the kernel. */
export function snappyEncodeTwin(data: Uint8Array, from: number, to: number): Uint8Array<ArrayBuffer> {
  const length = to - from;
  const out = new Uint8Array(32 + length + Math.ceil(length / 6));
  let o = 0;
  let rest = length;
  for (; rest >= 0x80; rest >>>= 7) out[o++] = (rest & 0x7f) | 0x80;
  out[o++] = rest;
  const table = new Int32Array(1 << 12).fill(-1);
  let emitted = from;
  const literal = (end: number): void => {
    const n = end - emitted - 1;
    if (n < 0) return;
    if (n < 60) out[o++] = n << 2;
    else {
      const wide = n < 256 ? 1 : n < 65536 ? 2 : n < 1 << 24 ? 3 : 4;
      out[o++] = (59 + wide) << 2;
      for (let i = 0; i < wide; i++) out[o++] = (n >>> (8 * i)) & 255;
    }
    out.set(data.subarray(emitted, end), o);
    o += end - emitted;
  };
  const word = (i: number): number =>
    (data[i] as number) |
    ((data[i + 1] as number) << 8) |
    ((data[i + 2] as number) << 16) |
    ((data[i + 3] as number) << 24);
  for (let p = from; p + 4 <= to; ) {
    const here = word(p);
    const slot = Math.imul(here, 0x1e35a7bd) >>> 20;
    const match = table[slot] as number;
    table[slot] = p;
    if (match < 0 || p - match > 65535 || word(match) !== here) {
      p++;
      continue;
    }
    literal(p);
    let n = 4;
    while (n < 64 && p + n < to && data[p + n] === data[match + n]) n++;
    out[o++] = ((n - 1) << 2) | 2;
    out[o++] = (p - match) & 255;
    out[o++] = (p - match) >>> 8;
    p += n;
    emitted = p;
  }
  literal(to);
  return out.slice(0, o);
}

/** Decodes the framed stream data[from, to) into `out`; returns the content's length, or -1 (corrupt), -2 (no room). */
export function snappyStreamDecodeTwin(data: Uint8Array, from: number, to: number, out: Uint8Array): number {
  const u32 = (p: number): number =>
    ((data[p] as number) |
      ((data[p + 1] as number) << 8) |
      ((data[p + 2] as number) << 16) |
      ((data[p + 3] as number) << 24)) >>>
    0;
  let done = 0;
  for (let p = from; p < to; ) {
    if (to - p < 4) return -1;
    const type = data[p] as number;
    const size = u32(p) >>> 8;
    const end = p + 4 + size;
    if (end > to || (p === from && type !== 0xff)) return -1;
    if (type === 0xff) {
      if (size !== 6 || u32(p + 4) !== 0x50614e73 || data[p + 8] !== 0x70 || data[p + 9] !== 0x59) return -1;
    } else if (type < 2) {
      if (size < 4) return -1;
      const content = type === 1 ? size - 4 : snappyLengthTwin(data, p + 8, end);
      if (content < 0 || content > 65536) return -1;
      if (done + content > out.length) return -2;
      if (type === 1) out.set(data.subarray(p + 8, end), done);
      else if (snappyDecodeTwin(data, p + 8, end, out, done) !== content) return -1;
      const sum = crc32cTwin(out, done, done + content, 0);
      if ((((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0 !== u32(p + 4)) return -1;
      done += content;
    } else if (type < 0x80) return -1;
    p = end;
  }
  return done;
}
