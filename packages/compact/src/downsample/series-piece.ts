import type {SeriesSink} from "./downsample-series.ts";

/** Some downsampled series as columns that a thread gives to another: ends are those of series i, or of chunk i. */
export type SeriesPiece = {
  readonly refs: Uint32Array<ArrayBuffer>;
  readonly refsEnd: Uint32Array<ArrayBuffer>;
  readonly chunksEnd: Uint32Array<ArrayBuffer>;
  readonly mint: Float64Array<ArrayBuffer>;
  readonly maxt: Float64Array<ArrayBuffer>;
  readonly dataEnd: Uint32Array<ArrayBuffer>;
  readonly data: Uint8Array<ArrayBuffer>;
};

/** Collects series; `take` gives away what there is. */
export class PieceBuilder implements SeriesSink {
  readonly #refs: number[] = [];
  readonly #refsEnd: number[] = [];
  readonly #chunksEnd: number[] = [];
  readonly #mint: number[] = [];
  readonly #maxt: number[] = [];
  readonly #dataEnd: number[] = [];
  readonly #data: Uint8Array[] = [];
  bytes = 0;

  start(refs: readonly number[]): void {
    for (const ref of refs) this.#refs.push(ref);
  }

  chunk(mint: number, maxt: number, data: Uint8Array): undefined {
    this.#mint.push(mint);
    this.#maxt.push(maxt);
    this.#data.push(data);
    this.bytes += data.length;
    this.#dataEnd.push(this.bytes);
    return undefined;
  }

  end(): undefined {
    this.#refsEnd.push(this.#refs.length);
    this.#chunksEnd.push(this.#mint.length);
    return undefined;
  }

  take(): SeriesPiece {
    const data = new Uint8Array(this.bytes);
    this.#data.forEach((part, i) => {
      data.set(part, i === 0 ? 0 : this.#dataEnd[i - 1]);
    });
    const piece = {
      refs: Uint32Array.from(this.#refs),
      refsEnd: Uint32Array.from(this.#refsEnd),
      chunksEnd: Uint32Array.from(this.#chunksEnd),
      mint: Float64Array.from(this.#mint),
      maxt: Float64Array.from(this.#maxt),
      dataEnd: Uint32Array.from(this.#dataEnd),
      data,
    };
    const lists = [this.#refs, this.#refsEnd, this.#chunksEnd, this.#mint, this.#maxt, this.#dataEnd, this.#data];
    for (const list of lists) list.length = 0;
    this.bytes = 0;
    return piece;
  }
}

/** What of a piece moves to the other thread instead of being copied. */
export const buffersOf = (piece: SeriesPiece): ArrayBuffer[] => Object.values(piece).map(({buffer}) => buffer);

/** Hands the series of a piece on. */
export async function replayPiece(piece: SeriesPiece, sink: SeriesSink): Promise<void> {
  const {refs, refsEnd, chunksEnd, mint, maxt, dataEnd, data} = piece;
  let ref = 0;
  let chunk = 0;
  for (let i = 0; i < refsEnd.length; i++) {
    sink.start([...refs.subarray(ref, refsEnd[i])]);
    ref = refsEnd[i] as number;
    for (; chunk < (chunksEnd[i] as number); chunk++) {
      const from = chunk === 0 ? 0 : (dataEnd[chunk - 1] as number);
      const wait = sink.chunk(mint[chunk] as number, maxt[chunk] as number, data.subarray(from, dataEnd[chunk]));
      if (wait !== undefined) await wait;
    }
    const wait = sink.end();
    if (wait !== undefined) await wait;
  }
}
