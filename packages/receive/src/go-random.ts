import {START_STATE} from "./go-random-state.ts";

const LENGTH = 607;
const TAP = 273;
const MODULUS = 2 ** 31 - 1;
/** Takes the place of a seed of 0. */
const ZERO_SEED = 89482311;
/** Values of the seeding generator that are thrown away. */
const WARM_UP = 20;

/** Go's `math/rand` from a seed (signed 64 bits): shuffle sharding draws from it, and must draw the same. */
export class GoRandom {
  readonly #state = new BigUint64Array(LENGTH);
  #tap = 0;
  #feed = LENGTH - TAP;

  constructor(seed: bigint) {
    const start = Buffer.from(START_STATE, "base64");
    const modulus = BigInt(MODULUS);
    let x = Number(((seed % modulus) + modulus) % modulus);
    if (x === 0) x = ZERO_SEED;
    for (let i = -WARM_UP; i < LENGTH; i++) {
      x = next(x);
      if (i < 0) continue;
      let word = BigInt(x) << 40n;
      x = next(x);
      word ^= BigInt(x) << 20n;
      x = next(x);
      word ^= BigInt(x);
      this.#state[i] = word ^ start.readBigUInt64LE(8 * i);
    }
  }

  /** The next 64 bits. */
  uint64(): bigint {
    this.#tap = this.#tap === 0 ? LENGTH - 1 : this.#tap - 1;
    this.#feed = this.#feed === 0 ? LENGTH - 1 : this.#feed - 1;
    this.#state[this.#feed] = (this.#state[this.#feed] as bigint) + (this.#state[this.#tap] as bigint);
    return this.#state[this.#feed] as bigint;
  }
}

/** One step of the seeding generator: 48271·x modulo 2³¹ − 1. The product is exact. */
const next = (x: number): number => (48271 * x) % MODULUS;
