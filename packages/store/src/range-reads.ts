import {forEachLimit} from "@strata/base";
import {type Part, partition} from "./partition.ts";
import type {ReadContext} from "./read-context.ts";

/** Largest single request; beyond it parts are read side by side. */
const MAX_PART_BYTES = 16 << 20;

/** Bytes of an object from `base` on, shorter than asked where the object ends. */
export type ReadPart = Part & {readonly bytes: Uint8Array};

/** Reads ranges (ascending by start) of one object, near ones together, and hands each part to `use` as it arrives. */
export async function readRanges(
  ctx: ReadContext,
  key: string,
  what: "postings" | "series" | "chunks",
  starts: ArrayLike<number>,
  ends: ArrayLike<number>,
  use: (part: ReadPart) => void,
): Promise<void> {
  const parts = partition(starts, ends, ctx.tuning.gap, MAX_PART_BYTES);
  for (const part of parts) ctx.limits.bytes(part.end - part.start, what);
  const read = async (part: Part) => {
    const bytes = await ctx.bucket.getRange(key, part.start, part.end - part.start, ctx.signal);
    use({...part, bytes});
  };
  if (parts.length === 1) await read(parts[0] as Part);
  else await forEachLimit(parts, ctx.tuning.parallel, read);
}
