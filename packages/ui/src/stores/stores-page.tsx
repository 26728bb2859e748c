import type {ReactNode} from "react";
import type {Store} from "../api.ts";
import {counted, formatAgo, formatTime} from "../format.ts";
import {Badge} from "../parts/badge.tsx";
import {type Column, DataTable} from "../parts/data-table.tsx";
import {Empty, Loaded} from "../parts/loaded.tsx";
import {MetricText} from "../parts/metric-text.tsx";
import {PageHead} from "../parts/page-head.tsx";
import {matchesFilter, useParam} from "../parts/use-param.ts";
import {usePolled} from "../parts/use-polled.ts";

/** The answer of `/api/v1/stores`: endpoints by component. */
export type StoresByType = Readonly<Record<string, readonly Store[]>>;

/** The endpoints that the querier reads from, by component, with their health. */
export function StoresPage(): ReactNode {
  const polled = usePolled<StoresByType>("stores");
  const [filter, setFilter] = useParam("filter");
  return (
    <>
      <PageHead title="Stores" filter={filter} onFilter={setFilter} placeholder="Address or label" />
      <Loaded polled={polled} what="the stores">
        {(stores, at) => <Fleet stores={stores} at={at} filter={filter} />}
      </Loaded>
    </>
  );
}

function Fleet({stores, at, filter}: {stores: StoresByType; at: number; filter: string}): ReactNode {
  const types = Object.keys(stores).sort();
  if (types.every((type) => stores[type]?.length === 0)) {
    return <Empty>No stores are connected. They are named with --endpoint, or found by service discovery.</Empty>;
  }
  const groups = types
    .map((type) => [type, (stores[type] ?? []).filter((s) => matchesFilter(storeText(s), filter))] as const)
    .filter(([, found]) => found.length > 0);
  if (groups.length === 0) return <Empty>No store matches the filter.</Empty>;
  return groups.map(([type, found]) => <Group key={type} type={type} stores={found} at={at} />);
}

const storeText = (store: Store): string => `${store.name} ${JSON.stringify(store.labelSets)}`;

function Group({type, stores, at}: {type: string; stores: readonly Store[]; at: number}): ReactNode {
  const up = stores.filter((store) => store.lastError === null).length;
  return (
    <section className="panel" aria-label={type}>
      <h2 className="panel-head">
        <span className="capital">{type}</span>
        <Badge
          state={`${up} of ${counted(stores.length, "store", "stores")} up`}
          tone={up === stores.length ? "good" : "bad"}
        />
      </h2>
      <DataTable label={type} columns={columns(at)} rows={stores} rowKey={(store) => store.name} />
    </section>
  );
}

const columns = (at: number): readonly Column<Store>[] => [
  {name: "Address", width: "20%", cell: (store) => <span className="mono">{store.name}</span>},
  {name: "Health", width: "16%", cell: (store) => <Health store={store} />},
  {name: "Label sets", wrap: true, cell: (store) => <LabelSets store={store} />},
  {name: "From", width: "13%", cell: (store) => boundary(store.minTime)},
  {name: "To", width: "13%", cell: (store) => boundary(store.maxTime)},
  {name: "Last check", width: "10%", cell: (store) => checkedText(store, at)},
];

function Health({store}: {store: Store}): ReactNode {
  return (
    <>
      <Badge state={store.lastError === null ? "up" : "down"} />
      {store.lastError !== null && <p className="fault">{store.lastError}</p>}
    </>
  );
}

const LabelSets = ({store}: {store: Store}): ReactNode =>
  (store.labelSets ?? []).map((set) => (
    <div key={JSON.stringify(set)}>
      <MetricText metric={set} />
    </div>
  ));

function checkedText(store: Store, at: number): string {
  const checked = Date.parse(store.lastCheck);
  return Number.isNaN(checked) ? "–" : formatAgo((at - checked) / 1000);
}

/** The bounds of an endpoint without data, or without an end, lie outside of what a calendar has. */
function boundary(ms: number): string {
  if (ms >= 8.64e15) return "no end";
  if (ms <= -6.2e13) return "no start";
  return formatTime(ms / 1000);
}
