const bits = new BigUint64Array([0x7ff0000000000002n]);

/**
 * The value that ends a series. It is a NaN with bits of its own; a Float64Array keeps them as long as it is copied whole,
 * so it is only ever moved by `fillStale`.
 */
const STALE_BYTES = new Uint8Array(bits.buffer);

/** Writes the stale marker into entries [from, to). */
export function fillStale(values: Float64Array, from: number, to: number): void {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  for (let i = from; i < to; i++) bytes.set(STALE_BYTES, i * 8);
}

/** Whether entry `i` is the stale marker. */
export const isStale = (values: Float64Array, i: number): boolean =>
  new BigUint64Array(values.buffer, values.byteOffset, values.length)[i] === bits[0];
