/** How far a query has come. */
export type Progress = {
  /** Samples decoded. */
  readonly samples: number;
  /** Bytes that it holds, and held at the most. */
  readonly bytes: number;
  readonly peakBytes: number;
};

// One slot for each query that may run:
//   i32 stop, i32 unused | f64 samples | f64 bytes | f64 peak bytes
const SLOT_BYTES = 32;

/**
 * What main thread and workers see of each other's queries without a message, which a thread deep in a computation would
 * not read: whether a query is to stop, and how far it is. Lies in shared memory.
 */
export class QueryBoard {
  readonly buffer: SharedArrayBuffer;
  readonly #i32: Int32Array;
  readonly #f64: Float64Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#i32 = new Int32Array(buffer);
    this.#f64 = new Float64Array(buffer);
  }

  static withSlots(slots: number): QueryBoard {
    return new QueryBoard(new SharedArrayBuffer(slots * SLOT_BYTES));
  }

  /** For a new query; whoever had the slot must be over. */
  clear(slot: number): void {
    this.#f64.fill(0, slot * 4, slot * 4 + 4);
    Atomics.store(this.#i32, slot * 8, 0);
  }

  stop(slot: number): void {
    Atomics.store(this.#i32, slot * 8, 1);
  }

  stopped(slot: number): boolean {
    return Atomics.load(this.#i32, slot * 8) !== 0;
  }

  report(slot: number, {samples, bytes, peakBytes}: Progress): void {
    const at = slot * 4;
    this.#f64[at + 1] = samples;
    this.#f64[at + 2] = bytes;
    this.#f64[at + 3] = peakBytes;
  }

  progress(slot: number): Progress {
    const at = slot * 4;
    return {
      samples: this.#f64[at + 1] as number,
      bytes: this.#f64[at + 2] as number,
      peakBytes: this.#f64[at + 3] as number,
    };
  }
}
