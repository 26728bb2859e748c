/** The column with room for `size` entries, at least doubled where it has to grow; new entries are 0. */
export const grownF64 = (column: Float64Array, size: number): Float64Array => {
  if (size <= column.length) return column;
  const next = new Float64Array(Math.max(size, 2 * column.length));
  next.set(column);
  return next;
};

export const grownU32 = (column: Uint32Array, size: number): Uint32Array => {
  if (size <= column.length) return column;
  const next = new Uint32Array(Math.max(size, 2 * column.length));
  next.set(column);
  return next;
};

export const grownU16 = (column: Uint16Array, size: number): Uint16Array => {
  if (size <= column.length) return column;
  const next = new Uint16Array(Math.max(size, 2 * column.length));
  next.set(column);
  return next;
};

export const grownU8 = (column: Uint8Array, size: number): Uint8Array => {
  if (size <= column.length) return column;
  const next = new Uint8Array(Math.max(size, 2 * column.length));
  next.set(column);
  return next;
};
