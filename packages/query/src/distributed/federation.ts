import type {Labels} from "@strata/model";
import type {info} from "@strata/proto";
import type {EndpointSet} from "@strata/storeapi";
import type {CoveredSet, Federation} from "./engines.ts";

/** The queriers among the endpoints, and the stores that are none. */
export function federationOf(endpoints: EndpointSet, partitionLabels: readonly string[]): Federation {
  const queriers = endpoints.endpoints("query").filter(({away}) => away === undefined);
  const addresses = new Set(queriers.map(({address}) => address));
  return {
    engines: queriers.map(({connection, tsdbInfos}) => ({connection, sets: tsdbInfos.map(coveredSet)})),
    stores: endpoints
      .stores()
      .filter(({address, away, labelSets}) => !addresses.has(address) && (away === undefined || labelSets.length > 0))
      .map(({labelSets, mint, maxt}) => ({sets: labelSets.map((set: Labels) => set.pairs), mint, maxt})),
    partitionLabels,
  };
}

const coveredSet = ({labels, minTime, maxTime}: info.TSDBInfo): CoveredSet => ({
  pairs: (labels?.labels ?? []).flatMap(({name, value}) => [name, value]),
  mint: minTime,
  maxt: maxTime,
});
