// The plain TypeScript form of assembly/xor.ts: same results, compared by the tests. 64-bit patterns are two 32-bit
// words here, because BigInt costs more than ten times as much.

/** The bytes end early or contradict themselves. */
export const CORRUPT = -1;
/** More samples, or more bytes, than the caller made room for. */
export const NO_ROOM = -2;

/** How far past a sample's start the reader may look, and more. */
const LOOKAHEAD = 40;
/** While |t0| and |delta| stay below these, no sum of 65535 samples leaves the exact range of a Number. */
const SAFE_T = 2 ** 52;
const SAFE_DELTA = 2 ** 35;
const SAFE_STEP = 2 ** 50;
const TWO_32 = 2 ** 32;

/** Where the last varint read ended; -1 when it was malformed. */
let varintEnd = 0;
/** Its value as two words. */
let varintHi = 0;
let varintLo = 0;

function readUvarint(data: Uint8Array, from: number): void {
  let p = from;
  let lo = 0;
  let hi = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = data[p++] as number;
    const bits = byte & 0x7f;
    if (shift < 28) lo |= bits << shift;
    else if (shift === 28) {
      lo |= bits << 28;
      hi |= bits >> 4;
    } else hi |= bits << (shift - 32);
    if (byte < 0x80) {
      varintEnd = shift < 63 || byte < 2 ? p : -1;
      varintHi = hi;
      varintLo = lo;
      return;
    }
  }
  varintEnd = -1;
}

const signed64 = (hi: number, lo: number): bigint => BigInt.asIntN(64, (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0));

/** The 32 bits at bit `pos`. */
function word(view: DataView, data: Uint8Array, pos: number): number {
  const p = pos >>> 3;
  const k = pos & 7;
  return (view.getInt32(p) << k) | ((data[p + 4] as number) >>> (8 - k));
}

/**
 * Decodes the chunk data[from, from + length) into t (ms) and v from index `at` on. Returns the number of samples,
 * CORRUPT or NO_ROOM.
 */
export function xorDecodeTwin(
  data: Uint8Array,
  from: number,
  length: number,
  t: Float64Array,
  v: Float64Array,
  at = 0,
): number {
  if (length < 2) return CORRUPT;
  const count = ((data[from] as number) << 8) | (data[from + 1] as number);
  if (at + count > t.length || at + count > v.length) return NO_ROOM;
  if (count === 0) return 0;
  let bytes = data;
  let start = from;
  if (from + length + LOOKAHEAD > data.length) {
    bytes = new Uint8Array(length + LOOKAHEAD);
    bytes.set(data.subarray(from, from + length));
    start = 0;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = new Uint32Array(v.buffer, v.byteOffset + at * 8, count * 2);
  const limit = (start + length) * 8;

  readUvarint(bytes, start + 2);
  if (varintEnd < 0 || (varintEnd + 8) * 8 > limit) return CORRUPT;
  // Zig-zag: halve, and flip all bits when odd.
  const flip = -(varintLo & 1);
  const hi0 = (varintHi >>> 1) ^ flip;
  const lo0 = ((varintLo >>> 1) | (varintHi << 31)) ^ flip;
  let time = hi0 * TWO_32 + (lo0 >>> 0);
  let vHi = view.getInt32(varintEnd);
  let vLo = view.getInt32(varintEnd + 4);
  t[at] = time;
  words[0] = vLo;
  words[1] = vHi;
  let pos = (varintEnd + 8) * 8;
  if (count === 1) return 1;
  readUvarint(bytes, pos >>> 3);
  if (varintEnd < 0 || varintEnd * 8 >= limit) return CORRUPT;
  let delta = (varintHi >>> 0) * TWO_32 + (varintLo >>> 0);
  pos = varintEnd * 8;
  // Times that a Number cannot add exactly are read again with BigInt; values take the same path.
  let wide: bigint[] | undefined;
  if (Math.abs(time) > SAFE_T || delta > SAFE_DELTA) {
    wide = [signed64(hi0, lo0), signed64(varintHi, varintLo)];
  }

  let sig = 64;
  let trail = 0;
  for (let i = 1; i < count; i++) {
    let w = word(view, bytes, pos);
    let used = 0;
    if (i > 1) {
      let dod = 0;
      if (w >= 0) used = 1;
      else if ((w & 0x40000000) === 0) {
        dod = (((w >>> 16) + 8191) & 16383) - 8191;
        used = 16;
      } else if ((w & 0x20000000) === 0) {
        dod = (((w >>> 12) + 65535) & 131071) - 65535;
        used = 20;
      } else if ((w & 0x10000000) === 0) {
        dod = (((w >>> 8) + 524287) & 1048575) - 524287;
        used = 24;
      } else {
        const hi = word(view, bytes, pos + 4);
        const lo = word(view, bytes, pos + 36);
        dod = hi * TWO_32 + (lo >>> 0);
        if (wide === undefined && Math.abs(delta + dod) > SAFE_DELTA) wide = [BigInt(time), BigInt(delta)];
        if (wide !== undefined) {
          wide[1] = (wide[1] as bigint) + signed64(hi, lo);
          dod = 0;
        }
        used = 68;
      }
      delta += dod;
      if (wide !== undefined) wide[1] = (wide[1] as bigint) + BigInt(dod);
      pos += used;
      // Up to 19 bits are used of the window when its rest still holds the 13 control bits of a value.
      if (used <= 19) w <<= used;
      else w = word(view, bytes, pos);
    }
    if (wide !== undefined) {
      wide[0] = BigInt.asIntN(64, (wide[0] as bigint) + (wide[1] as bigint));
      time = Number(wide[0]);
    } else time += delta;
    t[at + i] = time;

    if (w >= 0) pos += 1;
    else {
      if ((w & 0x40000000) !== 0) {
        const lead = (w >>> 25) & 31;
        sig = (w >>> 19) & 63;
        if (sig === 0) sig = 64;
        if (lead + sig > 64) return CORRUPT;
        trail = 64 - lead - sig;
        pos += 13;
      } else pos += 2;
      let lo: number;
      let hi: number;
      if (sig <= 32) {
        lo = word(view, bytes, pos) >>> (32 - sig);
        hi = 0;
      } else {
        hi = word(view, bytes, pos) >>> (64 - sig);
        lo = word(view, bytes, pos + sig - 32);
      }
      if (trail >= 32) {
        vHi ^= lo << (trail - 32);
      } else if (trail > 0) {
        vHi ^= (hi << trail) | (lo >>> (32 - trail));
        vLo ^= lo << trail;
      } else {
        vHi ^= hi;
        vLo ^= lo;
      }
      pos += sig;
    }
    words[i * 2] = vLo;
    words[i * 2 + 1] = vHi;
    if (pos > limit) return CORRUPT;
  }
  return count;
}

/** Bytes that n samples may need: the size of the `out` of xorEncode. */
export const xorMaxLength = (n: number): number => 64 + 19 * n;

// Writer state: bytes done, and the bits of the unfinished byte at the top of `acc`.
let outAt = 0;
let outBits = 0;
let acc = 0;

/** Appends the low `count` (1…24) bits. */
function put(out: Uint8Array, bits: number, count: number): void {
  acc |= (bits << (32 - count)) >>> outBits;
  outBits += count;
  while (outBits >= 8) {
    out[outAt++] = acc >>> 24;
    acc <<= 8;
    outBits -= 8;
  }
}

function put32(out: Uint8Array, bits: number, count: number): void {
  if (count > 16) {
    put(out, bits >>> 16, count - 16);
    put(out, bits & 0xffff, 16);
  } else put(out, bits, count);
}

function putUvarint(out: Uint8Array, value: bigint): void {
  let rest = BigInt.asUintN(64, value);
  while (rest >= 0x80n) {
    put(out, Number(rest & 0x7fn) | 0x80, 8);
    rest >>= 7n;
  }
  put(out, Number(rest), 8);
}

const secondDifference = (t: Float64Array, i: number): bigint =>
  BigInt.asIntN(64, BigInt(t[i] as number) - 2n * BigInt(t[i - 1] as number) + BigInt(t[i - 2] as number));

/** Encodes samples [from, to) (at most 65535) to `out`; returns the number of bytes, or NO_ROOM. */
export function xorEncodeTwin(t: Float64Array, v: Float64Array, from: number, to: number, out: Uint8Array): number {
  const n = to - from;
  if (n > 65535 || out.length < 64) return NO_ROOM;
  out[0] = n >>> 8;
  out[1] = n & 255;
  if (n === 0) return 2;
  const limit = out.length - 32;
  const words = new Uint32Array(v.buffer, v.byteOffset + from * 8, n * 2);
  outAt = 2;
  outBits = 0;
  acc = 0;
  const t0 = BigInt(t[from] as number);
  putUvarint(out, t0 < 0n ? -2n * t0 - 1n : 2n * t0);
  let lo = words[0] as number;
  let hi = words[1] as number;
  put32(out, hi, 32);
  put32(out, lo, 32);
  let delta = 0;
  let winLead = 255;
  let winTrail = 0;
  for (let i = 1; i < n; i++) {
    if (outAt > limit) return NO_ROOM;
    const a = t[from + i - 1] as number;
    const b = t[from + i] as number;
    const step = b - a;
    if (i === 1) putUvarint(out, BigInt(b) - BigInt(a));
    else {
      // Differences of far-apart times may not be exact as Numbers.
      const dod = Math.abs(step) < SAFE_STEP ? step - delta : Number(secondDifference(t, from + i));
      if (dod === 0) put(out, 0, 1);
      else if (dod >= -8191 && dod <= 8192) put(out, 0x8000 | (dod & 0x3fff), 16);
      else if (dod >= -65535 && dod <= 65536) put(out, 0xc0000 | (dod & 0x1ffff), 20);
      else if (dod >= -524287 && dod <= 524288) put(out, 0xe00000 | (dod & 0xfffff), 24);
      else {
        const exact = secondDifference(t, from + i);
        put(out, 0xf, 4);
        put32(out, Number(BigInt.asIntN(32, exact >> 32n)), 32);
        put32(out, Number(BigInt.asIntN(32, exact)), 32);
      }
    }
    delta = step;
    const nextLo = words[i * 2] as number;
    const nextHi = words[i * 2 + 1] as number;
    const xLo = nextLo ^ lo;
    const xHi = nextHi ^ hi;
    lo = nextLo;
    hi = nextHi;
    if (xLo === 0 && xHi === 0) {
      put(out, 0, 1);
      continue;
    }
    const lead = Math.min(xHi !== 0 ? Math.clz32(xHi) : 32 + Math.clz32(xLo), 31);
    const trail = xLo !== 0 ? 31 - Math.clz32(xLo & -xLo) : 63 - Math.clz32(xHi & -xHi);
    if (winLead !== 255 && lead >= winLead && trail >= winTrail) put(out, 2, 2);
    else {
      winLead = lead;
      winTrail = trail;
      put(out, 0x1800 | (lead << 6) | ((64 - lead - trail) & 63), 13);
    }
    const sig = 64 - winLead - winTrail;
    const mLo =
      winTrail === 0 ? xLo : winTrail >= 32 ? xHi >>> (winTrail - 32) : (xLo >>> winTrail) | (xHi << (32 - winTrail));
    if (sig > 32) {
      put32(out, winTrail === 0 ? xHi : xHi >>> winTrail, sig - 32);
      put32(out, mLo, 32);
    } else put32(out, mLo, sig);
  }
  if (outBits > 0) out[outAt++] = acc >>> 24;
  return outAt;
}
