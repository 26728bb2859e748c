import type {Kernel} from "./kernel.ts";
import type {KernelArena} from "./kernel-arena.ts";

/** Room for finished chunks between two drains: more than the largest chunk there can be. */
const OUT_BYTES = 8 * 1024 * 1024;
const ENTRY = 5;

/** Gets a finished chunk: first and last time (ms, both inclusive), its samples, and its data, which is a copy. */
export type DownsampledChunk = (mint: number, maxt: number, samples: number, data: Uint8Array<ArrayBuffer>) => void;

/**
 * Aggregates float samples over windows of `resolution` ms into the chunks of a downsampled series, whose bytes come out
 * ready: count, sum, min, max and counter. Samples lie in linear memory and may come in pieces; `downsampleTwin` tells the
 * rules. Owned by one arena; series one after the other.
 */
export class FloatDownsampler {
  readonly #k: Kernel;
  readonly #state: number;
  readonly #out: number;
  readonly #resolution: number;

  constructor(k: Kernel, arena: KernelArena, resolution: number) {
    this.#k = k;
    this.#resolution = resolution;
    this.#state = arena.alloc(k.exports.downsampleStateSize());
    this.#out = arena.alloc(OUT_BYTES);
    k.exports.downsampleOpen(this.#state, this.#out, OUT_BYTES);
  }

  /** Begins a run of samples; chunks end with the window that `batchSize` samples are full in. */
  begin(batchSize: number): void {
    this.#k.exports.downsampleBegin(this.#state, this.#resolution, batchSize);
  }

  /** Takes the `n` samples at `ts` and `vs`, ascending and without stale markers; hands out what is finished. */
  push(ts: number, vs: number, n: number, emit: DownsampledChunk): void {
    const {exports} = this.#k;
    for (let done = 0; done < n; ) {
      done += exports.downsamplePush(this.#state, ts + 8 * done, vs + 8 * done, n - done);
      if (done < n) this.#drain(emit);
    }
  }

  /** Ends the run and hands out all that is left. */
  end(emit: DownsampledChunk): void {
    const {exports} = this.#k;
    while (exports.downsampleEnd(this.#state) < 0) this.#drain(emit);
    this.#drain(emit);
  }

  #drain(emit: DownsampledChunk): void {
    const k = this.#k;
    const chunks = k.exports.downsampleChunks(this.#state);
    let at = (k.exports.downsampleDirectory(this.#state) >>> 0) / 8;
    for (let i = 0; i < chunks; i++, at += ENTRY) {
      const [mint, maxt, samples, offset, length] = k.f64().subarray(at, at + ENTRY) as unknown as number[];
      emit(mint as number, maxt as number, samples as number, k.read(this.#out + (offset as number), length as number));
    }
    k.exports.downsampleDrain(this.#state);
  }
}

/** How `windowColumn` puts the values of a window together. */
export const WINDOW_OP = {sum: 0, min: 1, max: 2, counter: 3} as const;
