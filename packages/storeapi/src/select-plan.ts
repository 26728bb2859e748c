import type {Labels, Matcher} from "@strata/model";
import type {LabelQuery, Select} from "@strata/series";
import {asGrpcError, GRPC_CODE} from "./grpc-status.ts";
import {type Choosable, chooseStores, type LabelSetSelector, matchExternal, type StoreQuery} from "./store-filter.ts";

/**
 * The stores to ask for series, each with what to ask it. Stores that are away are among them only where their warnings
 * are wanted.
 */
export function planSelect<S extends Choosable>(
  stores: readonly S[],
  q: Select,
  selectorLabels: Labels,
  selector: LabelSetSelector,
): readonly {store: S; q: Select}[] {
  const matchers = matchExternal(q.matchers, selectorLabels, "selector");
  if (matchers === undefined) return [];
  if (!q.partialResponse && present(stores).length === 0) {
    throw asGrpcError(GRPC_CODE.Unknown, "No StoreAPIs available");
  }
  return chooseStores(stores, storeQuery(q, matchers), selector).map(({store, extraMatchers}) => ({
    store,
    q: {...q, matchers: [...matchers, ...extraMatchers]},
  }));
}

/** The stores that can be asked. */
export const present = <S extends Choosable>(stores: readonly S[]): readonly S[] =>
  stores.filter(({away}) => away === undefined);

/** What of a request decides which stores are asked, with the matchers that are left of its own. */
export const storeQuery = (q: Select | LabelQuery, matchers: readonly Matcher[]): StoreQuery => ({
  matchers,
  mint: q.mint,
  maxt: q.maxt,
  partialResponse: q.partialResponse,
  storeMatch: q.caller?.storeMatch ?? [],
});
