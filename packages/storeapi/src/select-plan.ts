import type {Labels, Matcher} from "@strata/model";
import type {LabelQuery, Select} from "@strata/series";
import {asGrpcError, GRPC_CODE} from "./grpc-status.ts";
import {type Choosable, chooseStores, type LabelSetSelector, matchExternal, type StoreQuery} from "./store-filter.ts";

/** The stores to ask for series, each with what to ask it. */
export function planSelect<S extends Choosable>(
  stores: readonly S[],
  q: Select,
  selectorLabels: Labels,
  selector: LabelSetSelector,
): readonly {store: S; q: Select}[] {
  const matchers = matchExternal(q.matchers, selectorLabels, "selector");
  if (matchers === undefined) return [];
  if (stores.length === 0 && !q.partialResponse) throw asGrpcError(GRPC_CODE.Unknown, "No StoreAPIs available");
  return chooseStores(stores, storeQuery(q, matchers), selector).map(({store, extraMatchers}) => ({
    store,
    q: {...q, matchers: [...matchers, ...extraMatchers]},
  }));
}

/** What of a request decides which stores are asked, with the matchers that are left of its own. */
export const storeQuery = (q: Select | LabelQuery, matchers: readonly Matcher[]): StoreQuery => ({
  matchers,
  mint: q.mint,
  maxt: q.maxt,
  storeMatch: q.caller?.storeMatch ?? [],
});
