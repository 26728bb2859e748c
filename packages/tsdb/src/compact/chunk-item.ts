/** A chunk on its way through a compaction. Its bytes are shared with others and never written into. */
export type ChunkItem = {
  /** ms, both inclusive. */
  readonly mint: number;
  readonly maxt: number;
  readonly encoding: number;
  readonly data: Uint8Array;
  readonly from: number;
  readonly length: number;
  /** CRC32C of encoding and data where it is known; saves the writer from computing it again. */
  readonly sum?: number | undefined;
};

export function sameBytes(a: ChunkItem, b: ChunkItem): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a.data[a.from + i] !== b.data[b.from + i]) return false;
  return true;
}
