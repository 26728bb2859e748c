import {StrataError} from "@strata/base";
import {type Kernel, kernel} from "./kernel.ts";
import {snappyLengthTwin} from "./snappy-twin.ts";

/** Words of a series' entry, and where each field stands; see assembly/write-request.ts. */
export const SERIES_WORDS = 12;
export const SERIES_FIELD = {
  from: 0,
  to: 1,
  labelsFrom: 2,
  labelsTo: 3,
  labels: 4,
  firstSample: 5,
  samples: 6,
  firstOther: 7,
  others: 8,
  hashLow: 9,
  hashHigh: 10,
  ref: 11,
} as const;
/** `labelsTo` of a series whose labels do not lie side by side. */
export const SCATTERED = 0xffff_ffff;
/** What `others` holds of each exemplar or histogram: its field's number, where its content begins and ends. */
export const OTHER_WORDS = 3;
export const EXEMPLAR = 3;
export const HISTOGRAM = 4;

const SERIES_BYTES = 4 * SERIES_WORDS;
const OTHER_BYTES = 4 * OTHER_WORDS;
const JOB_BYTES = 80;
/** Room past content that wide copies may touch. */
const MARGIN = 32;
/** A copy element of 3 bytes yields 64 at the most. */
const MAX_EXPANSION = 22;
const NO_ROOM = -2;
/** Windows up to this size are kept for the next request. */
const KEPT_BYTES = 8 << 20;
/** Shortest series and sample that an ordinary request holds: room for these is made before anything is counted. */
const USUAL_SERIES_BYTES = 32;
const USUAL_SAMPLE_BYTES = 12;
const USUAL_OTHER_BYTES = 64;

export type WriteLimits = {
  /** Bytes that a request may unpack to. */
  readonly bytes: number;
  /** Series, samples, histograms and exemplars of a request together. */
  readonly entries: number;
};

/** A snappy block that unpacks to a request: of remote write 1.0, or of 2.0. */
export type PackedRequest = {readonly body: Uint8Array; readonly version: 1 | 2};

/** What a translation from remote write 2.0 found. */
export type V2Counts = {
  readonly series: number;
  readonly samples: number;
  readonly histograms: number;
  readonly exemplars: number;
  readonly metadata: number;
};

/** A piece of kernel memory that grows. */
class Region {
  readonly #kernel: Kernel;
  ptr = 0;
  #size = 0;

  constructor(k: Kernel) {
    this.#kernel = k;
  }

  /** At least `bytes`, of undefined content. */
  reserve(bytes: number): number {
    if (bytes <= this.#size) return this.ptr;
    this.#kernel.free(this.ptr);
    this.ptr = 0;
    this.#size = 0;
    const size = Math.max(bytes, 64 << 10);
    this.ptr = this.#kernel.alloc(size);
    this.#size = size;
    return this.ptr;
  }

  /** Gives back what is not worth keeping. */
  trim(): void {
    if (this.#size <= KEPT_BYTES) return;
    this.#kernel.free(this.ptr);
    this.ptr = 0;
    this.#size = 0;
  }
}

/**
 * One remote-write request in linear memory: its bytes and, after `walk`, columns over them. For one synchronous piece of
 * work: views of the memory go stale whenever anybody allocates. `close` makes it free for the next request.
 */
export class WriteWindow implements Disposable {
  readonly kernel: Kernel = kernel();
  #request = new Region(this.kernel);
  #other = new Region(this.kernel);
  readonly #columns = new Region(this.kernel);
  readonly #symbols = new Region(this.kernel);
  readonly #job = this.kernel.alloc(JOB_BYTES);
  readonly #walkJob = this.kernel.alloc(JOB_BYTES);
  /** Set where the translation from 2.0 has walked, too: with start times or not. */
  #walked: {readonly startTimes: boolean} | undefined;
  /** Address and length of the request's bytes. */
  src = 0;
  length = 0;
  /** What the request was unpacked from, while it still says the same. */
  packed: PackedRequest | undefined;
  series = 0;
  samples = 0;
  histograms = 0;
  exemplars = 0;
  metadata = 0;
  /** Samples that name a start time. */
  startTimes = 0;
  /** Addresses of the columns: entries of series, times (f64), values (u64), start times (f64 or 0), others. */
  entries = 0;
  times = 0;
  values = 0;
  starts = 0;
  others = 0;

  /** Unpacks a snappy block. `limit` when it would be larger than allowed, `corrupt` when it is none. */
  loadSnappy(body: Uint8Array, limits: WriteLimits): void {
    const stated = snappyLengthTwin(body, 0, body.length);
    if (stated < 0 || stated > body.length * MAX_EXPANSION) throw corruptSnappy();
    if (stated > limits.bytes) throw tooLarge(stated, limits.bytes);
    const k = this.kernel;
    const packed = k.scratch(body.length + MARGIN);
    const src = this.#request.reserve(stated + MARGIN);
    k.u8().set(body, packed);
    if (k.exports.snappyDecode(packed, body.length, src, stated + MARGIN) < 0) throw corruptSnappy();
    this.src = src;
    this.length = stated;
    this.packed = {body, version: 1};
    this.#walked = undefined;
  }

  /** Copies body[from, to). */
  load(body: Uint8Array, from = 0, to: number = body.length): void {
    this.src = this.#request.reserve(to - from + MARGIN);
    this.length = to - from;
    this.packed = undefined;
    this.#walked = undefined;
    this.kernel.write(this.src, body, from, to);
  }

  /** Turns the loaded request of remote write 2.0 into one of 1.0. */
  fromV2(limits: WriteLimits, startTimes = false): V2Counts {
    const k = this.kernel;
    let room = Math.max(1 << 16, 8 * this.length);
    // A symbol takes two bytes at least.
    const symbolRoom = Math.ceil(this.length / 2) + 1;
    const symbols = this.#symbols.reserve(8 * symbolRoom);
    this.#layOut(...usualCounts(this.length), startTimes);
    for (;;) {
      const dst = this.#other.reserve(room + MARGIN);
      const job = this.#job >>> 2;
      const u32 = k.u32();
      u32[job] = symbolRoom;
      u32[job + 1] = symbols;
      u32[job + 2] = dst;
      u32[job + 3] = room;
      const written = k.exports.writeFromV2(this.src, this.length, this.#job, this.#walkJob);
      if (written === NO_ROOM) {
        if (room >= limits.bytes) throw tooLarge(room, limits.bytes);
        room = Math.min(4 * room, limits.bytes);
        continue;
      }
      const out = k.u32();
      if (written < 0) throw fault(written, out[job + 9] as number, out[job + 10] as number, out[job + 4] as number);
      const request = this.#request;
      this.#request = this.#other;
      this.#other = request;
      this.src = this.#request.ptr;
      this.length = written;
      this.#walked = out[job + 12] === 1 ? {startTimes} : undefined;
      if (this.packed !== undefined) this.packed = {body: this.packed.body, version: 2};
      return {
        series: out[job + 5] as number,
        samples: out[job + 6] as number,
        histograms: out[job + 7] as number,
        exemplars: out[job + 8] as number,
        metadata: out[job + 11] as number,
      };
    }
  }

  /** Walks the request into columns. `bad_data` when it is no WriteRequest, `limit` when it has too many entries. */
  walk(limits: WriteLimits, startTimes = false): void {
    const {length} = this;
    const done = this.#walked?.startTimes === startTimes;
    this.#walked = undefined;
    let code = done ? 0 : this.#walk(...usualCounts(length), startTimes);
    if (code === NO_ROOM) {
      code = this.kernel.exports.writeCount(this.src, length, this.#walkJob);
      const [series, samples, others] = this.#results();
      if (code === 0) {
        const entries = series + samples + others;
        if (entries > limits.entries) {
          throw new StrataError(
            "limit",
            `write request has ${entries} series and samples, more than ${limits.entries}`,
            {
              fields: {limit: limits.entries, entries},
            },
          );
        }
        code = this.#walk(series, samples, others, startTimes);
      }
    }
    const job = (this.#walkJob >>> 2) + 8;
    const u32 = this.kernel.u32();
    if (code !== 0) throw fault(code, u32[job + 3] as number, u32[job + 4] as number, 0);
    this.series = u32[job] as number;
    this.samples = u32[job + 1] as number;
    this.metadata = u32[job + 5] as number;
    this.histograms = u32[job + 6] as number;
    this.exemplars = u32[job + 7] as number;
    this.startTimes = u32[job + 8] as number;
  }

  #results(): [number, number, number] {
    const job = (this.#walkJob >>> 2) + 8;
    const u32 = this.kernel.u32();
    return [u32[job] as number, u32[job + 1] as number, u32[job + 2] as number];
  }

  #walk(series: number, samples: number, others: number, startTimes: boolean): number {
    this.#layOut(series, samples, others, startTimes);
    return this.kernel.exports.writeWalk(this.src, this.length, this.#walkJob);
  }

  /** Makes room for a walk's columns. */
  #layOut(series: number, samples: number, others: number, startTimes: boolean): void {
    const sampleBytes = 8 * samples;
    const bytes = SERIES_BYTES * series + OTHER_BYTES * others + 3 * sampleBytes + 64;
    this.times = this.#columns.reserve(bytes);
    this.values = this.times + sampleBytes;
    this.starts = startTimes ? this.values + sampleBytes : 0;
    this.entries = (this.values + (startTimes ? 2 : 1) * sampleBytes + 15) & ~15;
    this.entries >>>= 0;
    this.others = this.entries + SERIES_BYTES * series;
    const job = this.#walkJob >>> 2;
    const u32 = this.kernel.u32();
    u32[job] = series;
    u32[job + 1] = this.entries;
    u32[job + 2] = samples;
    u32[job + 3] = this.times;
    u32[job + 4] = this.values;
    u32[job + 5] = this.starts;
    u32[job + 6] = others;
    u32[job + 7] = this.others;
  }

  /** Samples of the listed series. */
  samplesOf(list: Uint32Array): number {
    const u32 = this.kernel.u32();
    const first = (this.entries >>> 2) + SERIES_FIELD.samples;
    let total = 0;
    for (const i of list) total += u32[first + SERIES_WORDS * i] as number;
    return total;
  }

  /** A copy of the request's bytes [from, to). */
  bytes(from: number, to: number): Uint8Array<ArrayBuffer> {
    return this.kernel.read(this.src + from, to - from);
  }

  close(): void {
    this.packed = undefined;
    this.#request.trim();
    this.#other.trim();
    this.#columns.trim();
    this.#symbols.trim();
    free.push(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Series, samples and others that an ordinary request of so many bytes has at the most. */
const usualCounts = (bytes: number): [number, number, number] => [
  Math.ceil(bytes / USUAL_SERIES_BYTES) + 16,
  Math.ceil(bytes / USUAL_SAMPLE_BYTES) + 16,
  Math.ceil(bytes / USUAL_OTHER_BYTES) + 16,
];

const free: WriteWindow[] = [];

/** A window to work in; close it. */
export const writeWindow = (): WriteWindow => free.pop() ?? new WriteWindow();

/** References of series by the bytes of their labels in requests. Losing it costs time only. */
export class LabelCache {
  readonly #kernel = kernel();
  #ptr: number;

  constructor() {
    this.#ptr = this.#kernel.alloc(32);
    this.#kernel.u8().fill(0, this.#ptr, this.#ptr + 32);
  }

  /** Bytes of linear memory it holds. */
  get bytes(): number {
    return this.#ptr === 0 ? 0 : (this.#kernel.u32()[(this.#ptr >>> 2) + 6] as number);
  }

  /** Fills in the references of series [0, window.series): 0 where unknown. Returns how many are. */
  find(window: WriteWindow): number {
    return this.#kernel.exports.labelCacheFind(this.#ptr, window.src, window.entries, window.series);
  }

  /** Remembers the reference of the window's series `i`; nothing when there is no memory for it. */
  set(window: WriteWindow, i: number, ref: number): void {
    const u32 = this.#kernel.u32();
    const entry = (window.entries >>> 2) + SERIES_WORDS * i;
    const from = u32[entry + SERIES_FIELD.labelsFrom] as number;
    const to = u32[entry + SERIES_FIELD.labelsTo] as number;
    const low = u32[entry + SERIES_FIELD.hashLow] as number;
    const high = u32[entry + SERIES_FIELD.hashHigh] as number;
    this.#kernel.exports.labelCacheSet(this.#ptr, window.src + from, to - from, low, high, ref);
  }

  clear(): void {
    if (this.#ptr !== 0) this.#kernel.exports.labelCacheClear(this.#ptr);
  }

  /** Safe to call twice; not to be used afterwards. */
  close(): void {
    this.clear();
    this.#kernel.free(this.#ptr);
    this.#ptr = 0;
  }
}

const corruptSnappy = (): StrataError => new StrataError("corrupt", "s2: corrupt input");

const tooLarge = (bytes: number, limit: number): StrataError =>
  new StrataError("limit", `write request unpacks to ${bytes} bytes, more than ${limit}`, {fields: {limit, bytes}});

/** What the kernel found wrong. Compat: the words of Go's protobuf library where it has such. */
function fault(code: number, offset: number, detail: number, symbols: number): StrataError {
  const text = faultText(-10 - code, detail, symbols);
  return new StrataError("bad_data", text, {fields: {offset}});
}

function faultText(kind: number, detail: number, symbols: number): string {
  switch (kind) {
    case 1:
      return "unexpected EOF";
    case 2:
      return `proto: illegal wireType ${detail}`;
    case 3:
      return `proto: illegal tag 0 (wire type ${detail})`;
    case 4:
      return "proto: integer overflow";
    case 5:
      return `proto: wrong wireType = ${detail} for a field of the write request`;
    default:
      return `labelRefs ${detail} outside of symbols table (size ${symbols})`;
  }
}
