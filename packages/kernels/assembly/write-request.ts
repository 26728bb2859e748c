// Remote write 1.0: one walk over a WriteRequest's bytes into columns, without looking into labels. Labels are hashed and
// compared as the bytes they came in.
//
//   job (u32 each):   0 room for series   4 series   8 room for samples   12 t f64   16 values u64   20 start times f64 or 0
//                    24 room for others  28 others
//   results:         32 series   36 samples   40 others   44 offset of the fault   48 its detail   52 metadata entries
//                    56 histograms   60 exemplars   64 start times seen
//   series, 48 bytes: 0 from   4 to, of the whole field, tag included   8 labels from   12 labels to   16 labels
//                    20 first sample   24 samples   28 first other   32 others   36 hash (u64)   44 reference
//   other, 12 bytes:  0 field number (3 exemplar, 4 histogram)   4 from   8 to, of its content
// Offsets count from the request's first byte.

import {NO_ROOM} from "./bits";
import {
  advance, at, begin, copyShort, fail, fault, faultDetail, fieldEnd, moveTo, shortVarint, skip, varint, WRONG_WIRE_TYPE,
} from "./proto-bytes";
import {xxhash64} from "./xxhash64";

export const SERIES_BYTES: u32 = 48;
const OTHER_BYTES: u32 = 12;
/** In `labels to`: the labels do not lie side by side. */
export const SCATTERED: u32 = 0xffff_ffff;

let samples: u32 = 0;
let others: u32 = 0;
let startTimes: u32 = 0;

/** Begins a walk: nothing found yet. */
export function walkBegin(): void {
  samples = 0;
  others = 0;
  startTimes = 0;
}

/** Samples and others found so far. */
@inline export function samplesSoFar(): u32 {
  return samples;
}

@inline export function othersSoFar(): u32 {
  return others;
}

/** Notes that an exemplar or histogram (its field's number in 1.0) has its content at [from, to). */
export function putOther(job: usize, number: u32, from: u32, to: u32): void {
  const other = <usize>load<u32>(job, 28) + <usize>others * OTHER_BYTES;
  others++;
  store<u32>(other, number);
  store<u32>(other, from, 4);
  store<u32>(other, to, 8);
}

/** Writes entry `n`: the series [from, to), its labels, and all found since the first sample and other. */
export function putEntry(
  job: usize, n: u32, src: usize, from: usize, to: usize, labelsFrom: usize, labelsTo: usize, labels: u32, scattered: bool,
  firstSample: u32, firstOther: u32,
): void {
  const entry = <usize>load<u32>(job, 4) + <usize>n * SERIES_BYTES;
  store<u32>(entry, <u32>(from - src));
  store<u32>(entry, <u32>(to - src), 4);
  store<u32>(entry, <u32>(labelsFrom - src), 8);
  store<u32>(entry, scattered ? SCATTERED : <u32>(labelsTo - src), 12);
  store<u32>(entry, labels, 16);
  store<u32>(entry, firstSample, 20);
  store<u32>(entry, samples - firstSample, 24);
  store<u32>(entry, firstOther, 28);
  store<u32>(entry, others - firstOther, 32);
  store<u64>(entry, scattered ? 0 : xxhash64(labelsFrom, <u32>(labelsTo - labelsFrom)), 36);
  store<u32>(entry, 0, 44);
}

/** Leaves the results of a walk. */
export function walkEnd(job: usize, series: u32, offset: u32, metadata: u32, histograms: u32, exemplars: u32): void {
  store<u32>(job, series, 32);
  store<u32>(job, samples, 36);
  store<u32>(job, others, 40);
  store<u32>(job, offset, 44);
  store<u32>(job, faultDetail, 48);
  store<u32>(job, metadata, 52);
  store<u32>(job, histograms, 56);
  store<u32>(job, exemplars, 60);
  store<u32>(job, startTimes, 64);
}

/** Reads the sample [at, end) as number `samples`. */
export function readSample(job: usize, end: usize): void {
  let value: u64 = 0;
  let t: i64 = 0;
  let start: i64 = 0;
  while (at < end && fault == 0) {
    const tag = shortVarint(end);
    if (tag == 0x09) {
      const p = at;
      advance(8, end);
      if (fault == 0) value = load<u64>(p);
    } else if (tag == 0x10) t = <i64>varint(end);
    else if (tag == 0x18) start = <i64>varint(end);
    else if (tag >> 3 == 1 || tag >> 3 == 2) fail(WRONG_WIRE_TYPE, <u32>tag & 7);
    else skip(tag, end);
  }
  const i = samples++;
  store<f64>(<usize>load<u32>(job, 12) + (<usize>i << 3), <f64>t);
  store<u64>(<usize>load<u32>(job, 16) + (<usize>i << 3), value);
  if (start != 0) startTimes++;
  const column = <usize>load<u32>(job, 20);
  if (column != 0) store<f64>(column + (<usize>i << 3), <f64>start);
}

/** Walks the request [src, src + length). 0, NO_ROOM, or −10 − kind of fault. */
export function writeWalk(src: usize, length: u32, job: usize): i32 {
  const end = src + length;
  const seriesRoom = load<u32>(job, 0);
  const sampleRoom = load<u32>(job, 8);
  const otherRoom = load<u32>(job, 24);
  let series: u32 = 0;
  let metadata: u32 = 0;
  let histograms: u32 = 0;
  let exemplars: u32 = 0;
  walkBegin();
  begin(src);
  let room = true;
  while (at < end && fault == 0) {
    const from = at;
    const tag = shortVarint(end);
    if (tag != 0x0a) {
      if (tag >> 3 == 1 || (tag >> 3 == 3 && tag != 0x1a && tag != 0x18)) fail(WRONG_WIRE_TYPE, <u32>tag & 7);
      else skip(tag, end);
      if (tag == 0x1a) metadata++;
      continue;
    }
    const to = fieldEnd(end);
    if (series == seriesRoom) {
      room = false;
      break;
    }
    let labelsFrom: usize = at;
    let labelsTo: usize = 0;
    let labels: u32 = 0;
    let scattered = false;
    const firstSample = samples;
    const firstOther = others;
    while (at < to && fault == 0) {
      const field = at;
      const t = shortVarint(to);
      if (t == 0x0a) {
        moveTo(fieldEnd(to));
        if (labels == 0) labelsFrom = field;
        else if (labelsTo != field) scattered = true;
        labelsTo = at;
        labels++;
      } else if (t == 0x12) {
        const stop = fieldEnd(to);
        if (samples == sampleRoom) {
          room = false;
          break;
        }
        readSample(job, stop);
      } else if (t == 0x1a || t == 0x22) {
        const stop = fieldEnd(to);
        if (others == otherRoom) {
          room = false;
          break;
        }
        putOther(job, <u32>t >> 3, <u32>(at - src), <u32>(stop - src));
        if (t == 0x1a) exemplars++;
        else histograms++;
        moveTo(stop);
      } else if (t >> 3 >= 1 && t >> 3 <= 4) fail(WRONG_WIRE_TYPE, <u32>t & 7);
      else skip(t, to);
    }
    if (!room) break;
    if (labels == 0) labelsTo = labelsFrom;
    putEntry(job, series, src, from, to, labelsFrom, labelsTo, labels, scattered, firstSample, firstOther);
    series++;
  }
  walkEnd(job, series, <u32>(at - src), metadata, histograms, exemplars);
  if (fault != 0) return -10 - fault;
  return room ? 0 : NO_ROOM;
}

/** What a walk will find, at the fields' level only: results as of writeWalk. For a request that had no room. */
export function writeCount(src: usize, length: u32, job: usize): i32 {
  const end = src + length;
  let series: u32 = 0;
  samples = 0;
  others = 0;
  begin(src);
  while (at < end && fault == 0) {
    const tag = shortVarint(end);
    if (tag != 0x0a) {
      skip(tag, end);
      continue;
    }
    const to = fieldEnd(end);
    series++;
    while (at < to && fault == 0) {
      const t = shortVarint(to);
      if (t == 0x12) samples++;
      else if (t == 0x1a || t == 0x22) others++;
      skip(t, to);
    }
  }
  store<u32>(job, series, 32);
  store<u32>(job, samples, 36);
  store<u32>(job, others, 40);
  store<u32>(job, <u32>(at - src), 44);
  store<u32>(job, faultDetail, 48);
  return fault != 0 ? -10 - fault : 0;
}

/**
 * Copies the whole fields of the series whose numbers are listed, one behind the other: the series part of another
 * request. Returns the bytes.
 */
export function writeGather(src: usize, series: usize, list: usize, count: u32, dst: usize): u32 {
  let out = dst;
  for (let i: u32 = 0; i < count; i++) {
    const entry = series + <usize>load<u32>(list + (<usize>i << 2)) * SERIES_BYTES;
    const from = load<u32>(entry);
    const size = load<u32>(entry, 4) - from;
    memory.copy(out, src + from, size);
    out += size;
  }
  return <u32>(out - dst);
}

/**
 * For each series the hash by which rings place it: xxhash64 of tenant · 0xff · { name · 0xff · value · 0xff }…, labels as
 * they come. `buffer` holds the tenant and has room for `tenantLength + 17 + length of the longest labels`. −1 or the
 * number of the series whose labels cannot be read.
 */
export function writeRingHashes(src: usize, series: usize, count: u32, buffer: usize, tenantLength: u32, out: usize): i32 {
  store<u8>(buffer + tenantLength, 0xff);
  const start = buffer + tenantLength + 1;
  for (let i: u32 = 0; i < count; i++) {
    const entry = series + <usize>i * SERIES_BYTES;
    const end = src + load<u32>(entry, 12);
    let p = start;
    begin(src + load<u32>(entry, 8));
    while (at < end && fault == 0) {
      shortVarint(end);
      const stop = fieldEnd(end);
      let nameAt: usize = 0;
      let nameLength: u32 = 0;
      let valueAt: usize = 0;
      let valueLength: u32 = 0;
      while (at < stop && fault == 0) {
        const tag = shortVarint(stop);
        if (tag == 0x0a) {
          const to = fieldEnd(stop);
          nameAt = at;
          nameLength = <u32>(to - at);
          moveTo(to);
        } else if (tag == 0x12) {
          const to = fieldEnd(stop);
          valueAt = at;
          valueLength = <u32>(to - at);
          moveTo(to);
        } else skip(tag, stop);
      }
      copyShort(p, nameAt, nameLength);
      p += nameLength;
      store<u8>(p++, 0xff);
      copyShort(p, valueAt, valueLength);
      p += valueLength;
      store<u8>(p++, 0xff);
    }
    if (fault != 0) return <i32>i;
    store<u64>(out + (<usize>i << 3), xxhash64(buffer, <u32>(p - buffer)));
  }
  return -1;
}

/** −1 or the number of the first series whose labels cannot be read. */
export function writeLabelFault(src: usize, series: usize, count: u32): i32 {
  for (let i: u32 = 0; i < count; i++) {
    const entry = series + <usize>i * SERIES_BYTES;
    const end = src + load<u32>(entry, 12);
    begin(src + load<u32>(entry, 8));
    while (at < end && fault == 0) {
      shortVarint(end);
      const stop = fieldEnd(end);
      while (at < stop && fault == 0) {
        const tag = shortVarint(stop);
        if (tag == 0x0a || tag == 0x12) moveTo(fieldEnd(stop));
        else skip(tag, stop);
      }
    }
    if (fault != 0) return <i32>i;
  }
  return -1;
}

/** Upper bits of a hash by which `ringIndex` knows where to look. */
const INDEX_BITS: u32 = 12;

/** Fills `index` (u32, 2^12): for each value of a hash's upper bits the first of `sections` that is not below it. */
export function ringIndex(sections: usize, sectionCount: u32, index: usize): void {
  let section: u32 = 0;
  for (let i: u32 = 0; i < 1 << INDEX_BITS; i++) {
    const low = <u64>i << (64 - INDEX_BITS);
    while (section < sectionCount && load<u64>(sections + (<usize>section << 3)) < low) section++;
    store<u32>(index + (<usize>i << 2), section);
  }
}

/** Each hash's place on a ring: the first of `sections` (u64, ascending) that is not below it, else the first of all. */
export function ringSections(hashes: usize, count: u32, sections: usize, sectionCount: u32, index: usize, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    const hash = load<u64>(hashes + (<usize>i << 3));
    let section = load<u32>(index + (<usize>(hash >> (64 - INDEX_BITS)) << 2));
    while (section < sectionCount && load<u64>(sections + (<usize>section << 3)) < hash) section++;
    store<u32>(out + (<usize>i << 2), section == sectionCount ? 0 : section);
  }
}

/** Each hash plus `add`, modulo `count` of nodes. */
export function ringModulo(hashes: usize, count: u32, add: u32, nodes: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(out + (<usize>i << 2), <u32>((load<u64>(hashes + (<usize>i << 3)) + <u64>add) % <u64>nodes));
  }
}
