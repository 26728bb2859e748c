import {Labels} from "@strata/model";
import type {Select} from "@strata/series";
import type {Connection} from "./connection.ts";
import {planSelect} from "./select-plan.ts";
import type {StoreHandle} from "./store-handle.ts";
import {planStore, type StorePlan} from "./store-stream.ts";

/**
 * The stores of a proxy at one moment as plain data, so that another thread plans selects by itself: asking takes two
 * messages, each of which wakes a thread.
 */
export type ProxyOutline = {
  readonly stores: readonly StoreOutline[];
  readonly selectorLabels: readonly string[];
  readonly responseTimeoutMs: number;
};

type StoreOutline = Omit<StoreHandle, "labelSets" | "tsdbInfos" | "source"> & {
  readonly connection: Connection;
  readonly labelSets: readonly (readonly string[])[];
};

/** With more it costs less to ask than to send all of it along with each query. */
const MOST_STORES = 16;
const MOST_LABEL_SETS = 64;

/** undefined for stores that are too many, and for those in this process, which no other thread can ask. */
export function outlineOf(
  stores: readonly StoreHandle[],
  selectorLabels: Labels,
  responseTimeoutMs: number,
): ProxyOutline | undefined {
  if (stores.length > MOST_STORES) return undefined;
  const outlines: StoreOutline[] = [];
  let sets = 0;
  for (const {source, labelSets, tsdbInfos: _, ...rest} of stores) {
    sets += labelSets.length;
    if (source.kind !== "remote" || sets > MOST_LABEL_SETS) return undefined;
    outlines.push({...rest, connection: source.client.connection, labelSets: labelSets.map((set) => set.pairs)});
  }
  return {stores: outlines, selectorLabels: selectorLabels.pairs, responseTimeoutMs};
}

/** What `ProxyStore.plan` gave at the moment of the outline. */
export function planFrom(outline: ProxyOutline, q: Select): readonly StorePlan[] {
  const stores = outline.stores.map((store) => ({
    ...store,
    labelSets: store.labelSets.map((pairs) => new Labels(pairs)),
    source: REMOTE,
  }));
  return planSelect(stores, q, new Labels(outline.selectorLabels), undefined).map(({store, q: asked}, i) =>
    planStore(store, store.connection, asked, i, outline.responseTimeoutMs),
  );
}

const REMOTE = {kind: "remote"} as const;
