import {StrataError} from "@strata/base";
import type {Init, info} from "@strata/proto";
import {announce, type EndpointSet, type ProxyStore, type ReadApis} from "@strata/storeapi";
import type {StoreStatus} from "@strata/web";

/** The endpoints as `/api/v1/stores` shows them: those that have introduced themselves at least once. */
export function storeStatuses(endpoints: EndpointSet): readonly StoreStatus[] {
  return endpoints.statuses().flatMap((e) =>
    e.componentType === undefined || e.lastCheck === undefined
      ? []
      : [
          {
            name: e.name,
            component: e.componentType,
            lastCheck: e.lastCheck,
            lastError: e.lastError,
            labelSets: e.labelSets,
            minTime: e.mint,
            maxTime: e.maxt,
          },
        ],
  );
}

/** How a querier introduces itself to one above it; `unavailable` until it is ready. */
export function queryInfo(proxy: ProxyStore, apis: ReadApis, ready: boolean): Init<info.InfoResponse> {
  if (!ready) throw new StrataError("unavailable", "Not ready");
  const {mint, maxt} = proxy.timeRange();
  const labelSets = proxy.labelSets().map((set) => ({labels: [...set].map(([name, value]) => ({name, value}))}));
  return {
    labelSets,
    componentType: "query",
    store: {
      minTime: mint,
      maxTime: maxt,
      supportsSharding: true,
      supportsWithoutReplicaLabels: true,
      tsdbInfos: proxy.tsdbInfos(),
    },
    ...announce(apis),
    query: {},
  };
}
