import {StrataError} from "@strata/base";
import {snappyDecode, snappyStreamDecode, snappyStreamEncode} from "@strata/bytes";
import {decodeBigEndianIds} from "@strata/tsdb/blocks";

/*
 * A cached posting list is one of:
 *
 *   "dss" · snappy framed stream of the differences        written today
 *   "dvs" · snappy block of the differences                older, still read
 *   u32 count · count × u32 id, big end first              oldest, still read
 *
 * Differences are uvarints, the first one from 0; ids ascend.
 */
const STREAM = "dss";
const BLOCK = "dvs";
const PREFIX_BYTES = 3;

/** No list of an index is longer: its ids have 32 bits and its file holds them in 64 GiB. */
const MAX_PAYLOAD_BYTES = 1 << 30;

/** The bytes under which a gateway, Go's or ours, caches a posting list. */
export function encodePostings(ids: Uint32Array): Uint8Array {
  if (ids.length === 0) return Buffer.from(STREAM);
  const payload = new Uint8Array(ids.length * 5);
  let at = 0;
  let last = 0;
  for (let i = 0; i < ids.length; i++) {
    let delta = (ids[i] as number) - last;
    last = ids[i] as number;
    while (delta >= 0x80) {
      payload[at++] = (delta & 0x7f) | 0x80;
      delta >>>= 7;
    }
    payload[at++] = delta;
  }
  const stream = snappyStreamEncode(payload, 0, at);
  const out = new Uint8Array(PREFIX_BYTES + stream.length);
  out.set(Buffer.from(STREAM));
  out.set(stream, PREFIX_BYTES);
  return out;
}

/** The list that was cached in any of the forms. Throws `corrupt` for other bytes and for ids beyond 32 bits. */
export function decodePostings(bytes: Uint8Array): Uint32Array {
  const prefix = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(PREFIX_BYTES, bytes.length)).toString("latin1");
  if (prefix === STREAM) {
    if (bytes.length === PREFIX_BYTES) return new Uint32Array(0);
    return undiff(snappyStreamDecode(bytes, MAX_PAYLOAD_BYTES, PREFIX_BYTES));
  }
  if (prefix === BLOCK) return undiff(snappyDecode(bytes, MAX_PAYLOAD_BYTES, PREFIX_BYTES));
  return raw(bytes);
}

function undiff(payload: Uint8Array): Uint32Array {
  let count = 0;
  for (let i = 0; i < payload.length; i++) if ((payload[i] as number) < 0x80) count++;
  const ids = new Uint32Array(count);
  let n = 0;
  let last = 0;
  for (let at = 0; at < payload.length; ) {
    let delta = 0;
    let factor = 1;
    for (;;) {
      if (at >= payload.length || factor > 2 ** 35) throw corrupt(`difference ${n} does not end`);
      const byte = payload[at++] as number;
      delta += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
      factor *= 128;
    }
    last += delta;
    if (last > 0xffffffff) throw corrupt(`id ${n} is beyond 32 bits`);
    ids[n++] = last;
  }
  return ids;
}

function raw(bytes: Uint8Array): Uint32Array {
  if (bytes.length < 4) throw corrupt(`${bytes.length} bytes`);
  const count = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (bytes.length !== 4 + 4 * count) throw corrupt(`${count} ids in ${bytes.length} bytes`);
  const ids = decodeBigEndianIds(bytes, 4, count);
  for (let i = 1; i < ids.length; i++) {
    if ((ids[i] as number) < (ids[i - 1] as number)) throw corrupt(`id ${i} is below the one before it`);
  }
  return ids;
}

const corrupt = (why: string) => new StrataError("corrupt", `cannot read cached posting list: ${why}`);
