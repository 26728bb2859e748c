// Snappy's framed (stream) format: a stream identifier, then frames of at most 64 KiB of content.
//
//   frame:  type u8 | length u24 LE | (types 0, 1) masked CRC32C of the content u32 LE | data
//   types:  00 compressed block, 01 plain, 80…fe skippable, ff stream identifier, 02…7f reserved: an error

import {crc32c} from "./crc32c";
import {snappyDecode, snappyEncode, snappyLength} from "./snappy";
import {CORRUPT, NO_ROOM} from "./bits";

const FRAME: u32 = 65536;
/** "sNaP" and "pY", little-endian. */
const MAGIC_1: u32 = 0x50614e73;
const MAGIC_2: u16 = 0x5970;

@inline function masked(sum: u32): u32 {
  return rotr(sum, 15) + 0xa282ead8;
}

/** Content bytes of the frame at p with `left` bytes up to the stream's end, -1 when it is malformed. */
function frameContent(p: usize, left: u32, first: bool): i64 {
  if (left < 4) return -1;
  const type = load<u8>(p);
  const length = load<u32>(p) >> 8;
  if (length > left - 4) return -1;
  if (type == 0xff) return length == 6 && load<u32>(p, 4) == MAGIC_1 && load<u16>(p, 8) == MAGIC_2 ? 0 : -1;
  if (first) return -1;
  if (type >= 0x80) return 0;
  if (type > 1 || length < 4) return -1;
  const content = type == 1 ? <i64>(length - 4) : snappyLength(p + 8, length - 4);
  return content > <i64>FRAME ? -1 : content;
}

/** Length of the whole content that the frames state; -1 when a frame is malformed. */
export function snappyStreamLength(src: usize, length: u32): i64 {
  let total: i64 = 0;
  for (let at: u32 = 0; at < length; ) {
    const content = frameContent(src + at, length - at, at == 0);
    if (content < 0) return -1;
    total += content;
    at += 4 + (load<u32>(src + at) >> 8);
  }
  return total;
}

/** Decodes a stream into dst, with room for its length plus 32; checks every sum. The length, CORRUPT or NO_ROOM. */
export function snappyStreamDecode(src: usize, length: u32, dst: usize, room: u32): i32 {
  let done: u32 = 0;
  for (let at: u32 = 0; at < length; ) {
    const p = src + at;
    const content = frameContent(p, length - at, at == 0);
    if (content < 0) return CORRUPT;
    if (<u64>done + <u64>content + 32 > <u64>room) return NO_ROOM;
    const size = load<u32>(p) >> 8;
    const type = load<u8>(p);
    if (type < 2) {
      if (type == 1) memory.copy(dst + done, p + 8, size - 4);
      else if (snappyDecode(p + 8, size - 4, dst + done, room - done) != <i32>content) return CORRUPT;
      if (masked(crc32c(dst + done, <u32>content, 0)) != load<u32>(p, 4)) return CORRUPT;
      done += <u32>content;
    }
    at += 4 + size;
  }
  return done;
}

/** Room that encoding `length` bytes may need. */
export function snappyStreamMaxLength(length: u32): u32 {
  return 16 + 64 + length + length / 6 + ((length >> 16) + 1) * 40;
}

/** Encodes [src, src + length) at dst, whose room must be snappyStreamMaxLength(length). Returns the bytes written. */
export function snappyStreamEncode(src: usize, length: u32, dst: usize): u32 {
  if (length == 0) return 0;
  store<u32>(dst, 0x000006ff);
  store<u32>(dst + 4, MAGIC_1);
  store<u16>(dst + 8, MAGIC_2);
  let out = dst + 10;
  for (let at: u32 = 0; at < length; at += FRAME) {
    const piece = min(length - at, FRAME);
    const from = src + at;
    let size = snappyEncode(from, piece, out + 8);
    let type: u32 = 0;
    // What shrinks by less than an eighth is not worth decoding.
    if (size >= piece - (piece >> 3)) {
      memory.copy(out + 8, from, piece);
      size = piece;
      type = 1;
    }
    store<u32>(out, ((size + 4) << 8) | type);
    store<u32>(out + 4, masked(crc32c(from, piece, 0)));
    out += 8 + size;
  }
  return <u32>(out - dst);
}
