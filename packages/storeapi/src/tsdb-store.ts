import type {Labels} from "@strata/model";
import type {Init, info} from "@strata/proto";
import type {Queryable} from "@strata/series";
import type {StoreHandle} from "./store-handle.ts";

/** A component's own database, as its StoreAPI shows it. */
export type TsdbStore = {
  /** Adds `labels` to its series by itself. */
  readonly queryable: Queryable;
  /** External labels of all its series. */
  readonly labels: Labels;
  /** First sample, ms; +Infinity while there is none. */
  readonly minTime: number;
};

/** The end of int64: a database takes samples of now and later. */
const OPEN_END = 2 ** 63;

/** How a component over databases of its own introduces itself. `others` adds what it serves beside series. */
export function tsdbInfo(
  componentType: string,
  stores: readonly TsdbStore[],
  others: Init<info.InfoResponse> = {},
): Init<info.InfoResponse> {
  const tsdbInfos = stores.map((store) => ({labels: labelSet(store.labels), ...timesOf(store)}));
  const minTime = stores.reduce((t, store) => Math.min(t, timesOf(store).minTime), OPEN_END);
  return {
    ...others,
    componentType,
    labelSets: tsdbInfos.map(({labels}) => labels),
    store: {
      minTime,
      maxTime: OPEN_END,
      supportsSharding: true,
      supportsWithoutReplicaLabels: true,
      tsdbInfos,
    },
  };
}

/** A database as one of the stores of a proxy. */
export function tsdbHandle(store: TsdbStore): StoreHandle {
  const {minTime, maxTime} = timesOf(store);
  return {
    address: store.labels.toString(),
    labelSets: store.labels.size === 0 ? [] : [store.labels],
    mint: minTime,
    maxt: maxTime,
    supportsSharding: true,
    supportsWithoutReplicaLabels: true,
    tsdbInfos: [{labels: labelSet(store.labels), minTime, maxTime}],
    source: {kind: "local", queryable: store.queryable},
  };
}

const labelSet = (labels: Labels): NonNullable<Init<info.TSDBInfo>["labels"]> => ({
  labels: [...labels].map(([name, value]) => ({name, value})),
});

const timesOf = ({minTime}: TsdbStore): {minTime: number; maxTime: number} => ({
  minTime: Math.min(minTime, OPEN_END),
  maxTime: OPEN_END,
});
