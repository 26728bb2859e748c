import type {ReactNode} from "react";
import {DataTable} from "../parts/data-table.tsx";
import {Empty, Loaded} from "../parts/loaded.tsx";
import {matchesFilter, useParam} from "../parts/use-param.ts";
import {usePolled} from "../parts/use-polled.ts";

const SELDOM_MS = 60_000;

/** Every flag of the process with its value. */
export function Flags(): ReactNode {
  const polled = usePolled<Readonly<Record<string, string>>>("status/flags", SELDOM_MS);
  const [filter, setFilter] = useParam("filter");
  return (
    <section className="panel" aria-label="Flags">
      <div className="panel-head">
        <h2>Flags</h2>
        <input
          type="search"
          aria-label="Filter flags"
          placeholder="Name or value"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
      </div>
      <Loaded polled={polled} what="the flags">
        {(flags) => <FlagTable flags={flags} filter={filter} />}
      </Loaded>
    </section>
  );
}

function FlagTable({flags, filter}: {flags: Readonly<Record<string, string>>; filter: string}): ReactNode {
  const shown = Object.entries(flags)
    .filter(([name, value]) => matchesFilter(`--${name}=${value}`, filter))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (shown.length === 0) return <Empty>No flag matches the filter.</Empty>;
  return (
    <DataTable
      label="Flags"
      columns={[
        {name: "Flag", cell: ([name]) => <span className="mono">--{name}</span>},
        {name: "Value", wrap: true, cell: ([, value]) => <span className="mono">{value === "" ? "–" : value}</span>},
      ]}
      rows={shown}
      rowKey={([name]) => name}
    />
  );
}
