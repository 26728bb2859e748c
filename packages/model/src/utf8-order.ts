/**
 * Order of two strings by their UTF-8 bytes, which is the order of Unicode code points. JavaScript's `<` goes by UTF-16
 * units and puts surrogate pairs (U+10000 and up) before U+E000…U+FFFF; everything else agrees.
 */
export function compareUtf8(a: string, b: string): number {
  if (a === b) return 0;
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return fixUp(x) - fixUp(y);
  }
  return a.length - b.length;
}

/** Moves surrogates above U+E000…U+FFFF, so that units compare as code points do. */
function fixUp(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}
