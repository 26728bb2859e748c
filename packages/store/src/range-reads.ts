import {forEachLimit} from "@strata/base";
import {type Part, partition} from "./partition.ts";
import type {ReadContext} from "./read-context.ts";

/** Largest single request; beyond it parts are read side by side. */
const MAX_PART_BYTES = 16 << 20;

/** Bytes of an object from `base` on, shorter than asked where the object ends. */
export type ReadPart = Part & {readonly bytes: Uint8Array};

/**
 * Reads ranges (ascending by start) of one object, near ones together, and hands each part to `use` as it arrives. The
 * bytes are counted before they are asked for, and for as long as `use` takes; with `keep` they stay counted, and the
 * owner of the budget gives them back.
 */
export async function readRanges(
  ctx: ReadContext,
  key: string,
  what: "postings" | "series" | "chunks",
  starts: ArrayLike<number>,
  ends: ArrayLike<number>,
  use: (part: ReadPart) => void,
  keep = false,
): Promise<void> {
  const parts = partition(starts, ends, ctx.tuning.gap, Math.min(MAX_PART_BYTES, ctx.tuning.unitBytes));
  for (const part of parts) ctx.limits.bytes(part.end - part.start, what);
  const read = async (part: Part) => {
    const size = part.end - part.start;
    ctx.budget.take(size, `${what} of ${key}`);
    let held = size;
    try {
      const bytes = await ctx.bucket.getRange(key, part.start, size, ctx.signal);
      use({...part, bytes});
      if (keep) held = size - bytes.length;
    } finally {
      ctx.budget.give(held);
    }
  };
  if (parts.length === 1) await read(parts[0] as Part);
  else await forEachLimit(parts, ctx.tuning.parallel, read);
}
