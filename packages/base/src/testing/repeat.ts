/**
 * How often a randomised or crash test runs. `n` is the full count; STRATA_REPEAT is a factor on it: `npm test` sets
 * 0.1, `npm run test:soak` sets 1, and without it a tenth is run. At least 1.
 */
export function repeat(n: number): number {
  return Math.max(1, Math.round(n * factor()));
}

function factor(): number {
  const text = process.env.STRATA_REPEAT;
  if (text === undefined || text === "") return 0.1;
  const value = Number(text);
  if (!(value > 0)) throw new Error(`cannot use STRATA_REPEAT=${text}: want a number above 0`);
  return value;
}

/**
 * The seed of a randomised test: STRATA_SEED, else a new one. It is printed once per process, so that a failure can be
 * repeated with the same data. An integer in [0, 2³¹).
 */
export function seed(): number {
  if (chosen === undefined) {
    const text = process.env.STRATA_SEED;
    chosen = text ? Number(text) : Math.floor(Math.random() * 2 ** 31);
    if (!Number.isSafeInteger(chosen)) throw new Error(`cannot use STRATA_SEED=${text}: want an integer`);
    console.log(`seed ${chosen} (STRATA_SEED=${chosen} repeats this run)`);
  }
  return chosen;
}

let chosen: number | undefined;

/** A small fast generator of numbers in [0, 1) for test data; equal seeds give equal sequences on every machine. */
export function random(from: number = seed()): () => number {
  let state = from >>> 0;
  return () => {
    // A Weyl sequence mixed by two multiply-xorshift rounds (the murmur3 finaliser); ample for test data.
    state = (state + 0x9e3779b9) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
  };
}
