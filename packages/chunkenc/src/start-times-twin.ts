import type {BitReader} from "@strata/bytes";

/** Reads start times as assembly/start-times.ts does. Times are exact Numbers; 64-bit overflow is not imitated. */
export class StartTimesTwin {
  readonly #known: boolean;
  readonly #changeOn: number;
  #first = 0;
  #diff = 0;

  constructor(header: number) {
    this.#known = (header & 0x80) !== 0;
    this.#changeOn = header & 0x7f;
  }

  first(r: BitReader, t: number): number {
    if (this.#known) this.#first = t - r.varint();
    return this.#first;
  }

  next(r: BitReader, n: number, before: number): number {
    if (this.#changeOn === 0 || n < this.#changeOn) return this.#first;
    this.#diff += r.varbitInt();
    return before - this.#diff;
  }
}
