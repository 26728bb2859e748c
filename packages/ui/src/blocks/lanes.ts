import type {Block} from "./block.ts";

/** What is drawn as one bar: a block, or neighbours too narrow to be told apart. Times in ms. */
export type Bar = {
  readonly from: number;
  readonly to: number;
  readonly level: number;
  readonly blocks: readonly Block[];
};

/** Puts blocks into as few rows as it takes for no two of a row to overlap, the oldest first. */
export function lanes(blocks: readonly Block[]): Block[][] {
  const rows: {end: number; blocks: Block[]}[] = [];
  const ordered = [...blocks].sort((a, b) => a.minTime - b.minTime || b.maxTime - a.maxTime);
  for (const block of ordered) {
    const row = rows.find(({end}) => end <= block.minTime);
    if (row === undefined) rows.push({end: block.maxTime, blocks: [block]});
    else {
      row.end = block.maxTime;
      row.blocks.push(block);
    }
  }
  return rows.map((row) => row.blocks);
}

/**
 * The bars of one row in [`from`, `to`): blocks shorter than `least` ms become one bar with the neighbours that they
 * touch, as far as these are as short, of the same level, and alike in the eyes of `alike`.
 */
export function bars(
  row: readonly Block[],
  from: number,
  to: number,
  least: number,
  alike: (block: Block) => string,
): Bar[] {
  const out: {from: number; to: number; level: number; blocks: Block[]; kind: string}[] = [];
  for (const block of row) {
    if (block.maxTime <= from || block.minTime >= to) continue;
    const {level} = block.compaction;
    const isShort = block.maxTime - block.minTime < least;
    const kind = isShort ? `${level} ${alike(block)}` : "";
    const last = out.at(-1);
    if (isShort && last?.kind === kind && block.minTime - last.to < least) {
      last.to = block.maxTime;
      last.blocks.push(block);
    } else out.push({from: block.minTime, to: block.maxTime, level, blocks: [block], kind});
  }
  return out.map(({kind: _, ...bar}) => bar);
}
