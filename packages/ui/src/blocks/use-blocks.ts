import {useEffect} from "react";
import {callApi} from "../api.ts";
import type {Offer} from "../parts/use-offer.ts";
import {type Polled, usePolled} from "../parts/use-polled.ts";
import type {Block, Blocks} from "./block.ts";
import type {Plan} from "./plan.ts";

export type View = "global" | "loaded";
export type ManualMark = "deletion" | "no-compact";

/** A look at a bucket takes a while, and changes little. */
const POLL_MS = 30_000;

/** The blocks of a view, and the plan where the component has one. */
export function useBlocks(view: View, offer: Offer | undefined): {blocks: Polled<Blocks>; plan: Polled<Plan>} {
  return {
    blocks: usePolled<Blocks>(`blocks?view=${view}`, POLL_MS),
    plan: usePolled<Plan>(offer?.has("/blocks/plan") ? "blocks/plan" : undefined, POLL_MS),
  };
}

const ACTIONS: Readonly<Record<ManualMark, string>> = {deletion: "DELETION", "no-compact": "NO_COMPACTION"};

/** Sets a mark on a block, or takes it off. Throws ApiError. */
export async function changeMark(ulid: string, kind: ManualMark, set: boolean, detail: string): Promise<void> {
  const params = new URLSearchParams({id: ulid, action: ACTIONS[kind], detail});
  await callApi<void>(`blocks/${set ? "mark" : "unmark"}`, {signal: new AbortController().signal, params});
}

/** Takes the place of a block by its later self when the list is renewed. */
export function useRenewed(open: Block | undefined, blocks: readonly Block[], set: (block: Block | undefined) => void) {
  useEffect(() => {
    if (open === undefined) return;
    const now = blocks.find(({ulid}) => ulid === open.ulid);
    if (now !== undefined && now !== open) set(now);
  }, [open, blocks, set]);
}
