import {type ReactNode, useCallback, useEffect, useState} from "react";
import {ApiError, callApi, type Store} from "../api.ts";
import {counted, formatAgo, formatTime} from "../format.ts";
import {MetricText} from "../query/result-table.tsx";

type StoresByType = Readonly<Record<string, readonly Store[]>>;

type Load =
  | {readonly state: "loading"}
  | {readonly state: "failed"; readonly error: ApiError}
  | {readonly state: "done"; readonly stores: StoresByType; readonly at: number};

/** How often the page asks again, in ms. */
const REFRESH = 15_000;

/** The endpoints that the querier reads from, by component, with their health. */
export function StoresPage(): ReactNode {
  const [load, setLoad] = useState<Load>({state: "loading"});
  const [filter, setFilter] = useState("");
  const refresh = useCallback((signal: AbortSignal): void => {
    callApi<StoresByType>("stores", undefined, signal).then(
      ({data}) => setLoad({state: "done", stores: data, at: Date.now()}),
      (err: unknown) => {
        if (signal.aborted) return;
        const error = err instanceof ApiError ? err : new ApiError("internal", String(err));
        setLoad({state: "failed", error});
      },
    );
  }, []);
  useEffect(() => {
    const abort = new AbortController();
    refresh(abort.signal);
    const timer = setInterval(() => refresh(abort.signal), REFRESH);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [refresh]);

  return (
    <div className="stores">
      <div className="title">
        <h1>Stores</h1>
        <input
          type="search"
          aria-label="Filter stores"
          placeholder="Filter by address or label"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
      </div>
      <Content load={load} filter={filter.trim().toLowerCase()} retry={() => refresh(new AbortController().signal)} />
    </div>
  );
}

function Content({load, filter, retry}: {load: Load; filter: string; retry: () => void}): ReactNode {
  if (load.state === "loading") return <p className="empty">Loading…</p>;
  if (load.state === "failed") {
    return (
      <div className="message error" role="alert">
        <strong>Cannot list the stores</strong>
        <p>{load.error.message}</p>
        <button type="button" onClick={retry}>
          Try again
        </button>
      </div>
    );
  }
  const types = Object.keys(load.stores).sort();
  if (types.every((type) => load.stores[type]?.length === 0)) {
    return (
      <p className="empty">No stores are connected. They are named with --endpoint, or found by service discovery.</p>
    );
  }
  const groups = types
    .map((type) => [type, (load.stores[type] ?? []).filter((store) => matches(store, filter))] as const)
    .filter(([, stores]) => stores.length > 0);
  if (groups.length === 0) return <p className="empty">No store matches the filter.</p>;
  return groups.map(([type, stores]) => <Group key={type} type={type} stores={stores} at={load.at} />);
}

const matches = (store: Store, filter: string): boolean =>
  filter === "" || `${store.name} ${JSON.stringify(store.labelSets)}`.toLowerCase().includes(filter);

function Group({type, stores, at}: {type: string; stores: readonly Store[]; at: number}): ReactNode {
  const up = stores.filter((store) => store.lastError === null).length;
  return (
    <section className="panel" aria-label={type}>
      <h2>
        {type}
        <span className="muted">
          {up} of {counted(stores.length, "store", "stores")} up
        </span>
      </h2>
      <div className="scroll">
        <table className="endpoints">
          <thead>
            <tr>
              <th scope="col">Address</th>
              <th scope="col">Health</th>
              <th scope="col">Label sets</th>
              <th scope="col">From</th>
              <th scope="col">To</th>
              <th scope="col">Last check</th>
            </tr>
          </thead>
          <tbody>
            {stores.map((store) => (
              <Row key={store.name} store={store} at={at} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Row({store, at}: {store: Store; at: number}): ReactNode {
  const checked = Date.parse(store.lastCheck);
  return (
    <tr>
      <th scope="row">{store.name}</th>
      <td data-name="Health">
        <span className={store.lastError === null ? "badge up" : "badge down"}>
          {store.lastError === null ? "up" : "down"}
        </span>
        {store.lastError !== null && <p className="fault">{store.lastError}</p>}
      </td>
      <td data-name="Label sets">
        {(store.labelSets ?? []).map((set) => (
          <div key={JSON.stringify(set)}>
            <MetricText metric={set} />
          </div>
        ))}
      </td>
      <td data-name="From">{boundary(store.minTime)}</td>
      <td data-name="To">{boundary(store.maxTime)}</td>
      <td data-name="Last check">{Number.isNaN(checked) ? "–" : formatAgo((at - checked) / 1000)}</td>
    </tr>
  );
}

/** The bounds of an endpoint without data, or without an end, lie outside of what a calendar has. */
function boundary(ms: number): string {
  if (ms >= 8.64e15) return "no end";
  if (ms <= -6.2e13) return "no start";
  return formatTime(ms / 1000);
}
