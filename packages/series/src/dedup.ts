/**
 * The samples of one replica: ascending distinct times in ms (integers), values, and where `other` is defined at i, a
 * sample that is no float (a histogram) and stands there instead of vs[i].
 */
export type Lane = {
  readonly ts: Float64Array;
  readonly vs: Float64Array;
  readonly n: number;
  readonly other: readonly unknown[] | undefined;
};

/** How samples of several replicas become one series. */
export type DedupFunc = "penalty" | "chain";

/**
 * Merges the lanes of one series. `penalty` stays with one replica as long as it goes on, and takes over the other when
 * a gap shows; `counter` then lifts the new one's values where they would fall. `chain` takes every distinct time. Float bits are kept, except where a counter is lifted. Cost: O(samples × lanes).
 */
export function dedupLanes(lanes: readonly Lane[], func: DedupFunc, counter: boolean): Lane {
  const first = lanes[0];
  if (first === undefined) return {ts: new Float64Array(0), vs: new Float64Array(0), n: 0, other: undefined};
  if (lanes.length === 1) return first;
  if (func === "chain") return drain(new ChainReader(lanes.map((lane) => new LaneReader(lane))), lanes, false);
  let merged: Reader = new LaneReader(first);
  for (const lane of lanes.slice(1)) merged = new PenaltyReader(merged, new LaneReader(lane), counter);
  return drain(merged, lanes, counter);
}

/** Which lane each of the overlapping chunks goes to: the first whose last chunk ends before it begins. */
export function splitLanes(mint: ArrayLike<number>, maxt: ArrayLike<number>, count: number): number[] {
  const ends: number[] = [];
  const lanes: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = mint[i] as number;
    let lane = ends.findIndex((end) => end < start);
    if (lane < 0) lane = ends.push(0) - 1;
    ends[lane] = maxt[i] as number;
    lanes.push(lane);
  }
  return lanes;
}

/** A cursor over samples. The fields describe the current one once `seek` or `next` returned true. */
interface Reader {
  t: number;
  /** Lane and index of the sample, for its bits; `lift` is what a counter's value has been raised by. */
  lane: Lane;
  index: number;
  lift: number;
  isFloat: boolean;
  live: boolean;
  /** To the first sample at or after `t`, which may be the current one; false at the end. */
  seek(t: number): boolean;
  next(): boolean;
  /** Raises all that follows, the current sample included, if that is below `last`. */
  adjust(last: number): void;
}

class LaneReader implements Reader {
  t = -Infinity;
  lane: Lane;
  index = -1;
  lift = 0;
  isFloat = false;
  live = true;

  constructor(lane: Lane) {
    this.lane = lane;
  }

  seek(t: number): boolean {
    if (!this.live) return false;
    const {ts, n} = this.lane;
    let i = Math.max(this.index, 0);
    while (i < n && (ts[i] as number) < t) i++;
    return this.#at(i);
  }

  next(): boolean {
    return this.live && this.#at(this.index + 1);
  }

  adjust(last: number): void {
    if (!this.live || !this.isFloat) return;
    const v = (this.lane.vs[this.index] as number) + this.lift;
    if (last > v) this.lift += last - v;
  }

  #at(i: number): boolean {
    this.index = i;
    this.live = i < this.lane.n;
    if (!this.live) return false;
    this.t = this.lane.ts[i] as number;
    this.isFloat = this.lane.other?.[i] === undefined;
    return true;
  }
}

/** Compat: Thanos' `dedupSeriesIterator`, whose penalties also apply after a seek of the caller. */
class PenaltyReader implements Reader {
  t = -Infinity;
  lane: Lane;
  index = -1;
  lift = 0;
  isFloat = false;
  live = true;

  readonly #a: Reader;
  readonly #b: Reader;
  readonly #counter: boolean;
  #useA = true;
  #penaltyA = 0;
  #penaltyB = 0;

  constructor(a: Reader, b: Reader, counter: boolean) {
    this.#a = a;
    this.#b = b;
    this.#counter = counter;
    this.lane = a.lane;
  }

  seek(t: number): boolean {
    while (this.live && (this.index < 0 || this.t < t)) this.next();
    return this.live;
  }

  next(): boolean {
    if (!this.live) return false;
    const started = this.index >= 0;
    // Compat: before its first sample the original takes the first side's for the one it returned last.
    if (!started && this.#a.seek(-Infinity)) this.#show();
    const last = this.index >= 0 && this.isFloat ? this.#value() : undefined;
    const usedA = this.#useA;
    this.#advance(started);
    if (!this.live) return false;
    if (this.#counter && last !== undefined && usedA !== this.#useA) this.adjust(last);
    this.#show();
    return true;
  }

  adjust(last: number): void {
    this.#a.adjust(last);
    this.#b.adjust(last);
    this.#show();
  }

  /** Chooses the side of the next sample and sets the penalties. */
  #advance(started: boolean): void {
    const a = this.#a;
    const b = this.#b;
    const hasA = a.seek(started ? this.t + 1 + this.#penaltyA : -Infinity);
    const hasB = b.seek(started ? this.t + 1 + this.#penaltyB : -Infinity);
    if (!hasA && !hasB) {
      this.live = false;
      return;
    }
    if (!hasA || !hasB) {
      this.#useA = hasA;
      if (hasA) this.#penaltyA = 0;
      else this.#penaltyB = 0;
      this.t = hasA ? a.t : b.t;
      return;
    }
    this.#useA = a.t <= b.t;
    const t = this.#useA ? a.t : b.t;
    const penalty = started ? 2 * (t - this.t) : INITIAL_PENALTY;
    this.#penaltyA = this.#useA ? 0 : penalty;
    this.#penaltyB = this.#useA ? penalty : 0;
    this.t = t;
  }

  #show(): void {
    const side = this.#useA ? this.#a : this.#b;
    this.lane = side.lane;
    this.index = side.index;
    this.lift = side.lift;
    this.isFloat = side.isFloat;
  }

  #value(): number {
    return (this.lane.vs[this.index] as number) + this.lift;
  }
}

/** ms; what the side not chosen first has to wait, as long as no distance of samples is known. */
const INITIAL_PENALTY = 5000;

/**
 * All distinct times of all lanes. Compat: which lane gives the sample of a time that several have follows from the
 * binary heap of Prometheus' chained merge, so its order of pushes and pops is kept.
 */
class ChainReader implements Reader {
  t = -Infinity;
  lane: Lane;
  index = -1;
  lift = 0;
  isFloat = false;
  live = true;

  readonly #heap: LaneReader[] = [];
  #current: LaneReader;

  constructor(lanes: readonly LaneReader[]) {
    this.#current = lanes[0] as LaneReader;
    this.lane = this.#current.lane;
    for (const lane of lanes.slice(1)) if (lane.next()) push(this.#heap, lane);
  }

  seek(t: number): boolean {
    while (this.live && (this.index < 0 || this.t < t)) this.next();
    return this.live;
  }

  next(): boolean {
    if (!this.live) return false;
    const heap = this.#heap;
    for (;;) {
      if (this.#current.next()) {
        if (this.#current.t === this.t) continue;
        if (heap.length === 0 || this.#current.t < (heap[0] as LaneReader).t) break;
        push(heap, this.#current);
      } else if (heap.length === 0) {
        this.live = false;
        return false;
      }
      this.#current = pop(heap);
      if (this.#current.t !== this.t) break;
    }
    const {t, lane, index, isFloat} = this.#current;
    this.t = t;
    this.lane = lane;
    this.index = index;
    this.isFloat = isFloat;
    return true;
  }

  adjust(): void {}
}

function push(heap: LaneReader[], lane: LaneReader): void {
  let i = heap.push(lane) - 1;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (lane.t >= (heap[parent] as LaneReader).t) break;
    heap[i] = heap[parent] as LaneReader;
    i = parent;
  }
  heap[i] = lane;
}

/** Takes the root of a heap that is not empty. */
function pop(heap: LaneReader[]): LaneReader {
  const root = heap[0] as LaneReader;
  const last = heap.pop() as LaneReader;
  const n = heap.length;
  if (n === 0) return root;
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= n) break;
    if (child + 1 < n && (heap[child + 1] as LaneReader).t < (heap[child] as LaneReader).t) child++;
    if ((heap[child] as LaneReader).t >= last.t) break;
    heap[i] = heap[child] as LaneReader;
    i = child;
  }
  heap[i] = last;
  return root;
}

/** In the high word of a NaN's bits. */
const QUIET_BIT = 0x80000;

/** All samples of a reader as one lane. Bits of floats are copied, not their values, so that NaN payloads stay. */
function drain(reader: Reader, lanes: readonly Lane[], counter: boolean): Lane {
  const room = lanes.reduce((sum, lane) => sum + lane.n, 0);
  const ts = new Float64Array(room);
  const vs = new Float64Array(room);
  const words = new Uint32Array(vs.buffer);
  const from = new Map<Lane, Uint32Array>();
  for (const lane of lanes) from.set(lane, new Uint32Array(lane.vs.buffer, lane.vs.byteOffset, lane.n * 2));
  let other: unknown[] | undefined;
  let n = 0;
  let lane: Lane | undefined;
  let bits: Uint32Array = words;
  for (; reader.next(); n++) {
    if (reader.lane !== lane) {
      lane = reader.lane;
      bits = from.get(lane) as Uint32Array;
    }
    const i = reader.index;
    ts[n] = reader.t;
    if (counter && reader.isFloat) {
      const v = (lane.vs[i] as number) + reader.lift;
      vs[n] = v;
      // Compat: the original's addition (of 0, mostly) quiets a signalling NaN, so that a stale marker is none any more.
      if (Number.isNaN(v)) {
        words[2 * n] = bits[2 * i] as number;
        words[2 * n + 1] = (bits[2 * i + 1] as number) | QUIET_BIT;
      }
    } else {
      words[2 * n] = bits[2 * i] as number;
      words[2 * n + 1] = bits[2 * i + 1] as number;
    }
    if (!reader.isFloat) {
      other ??= [];
      other[n] = lane.other?.[i];
    }
  }
  return {ts, vs, n, other};
}
