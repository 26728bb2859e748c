import {type ReactNode, useState} from "react";
import {ApiError, callApi, toApiError} from "../api.ts";
import {counted, formatBytes, formatCount, formatElapsed, formatTime} from "../format.ts";
import {Badge} from "../parts/badge.tsx";
import {Confirm} from "../parts/confirm.tsx";
import {type Column, DataTable} from "../parts/data-table.tsx";
import {Empty, Loaded} from "../parts/loaded.tsx";
import {PageHead} from "../parts/page-head.tsx";
import {matchesFilter, useParam} from "../parts/use-param.ts";
import {usePolled} from "../parts/use-polled.ts";
import {shownRange} from "./shown-range.ts";

/** A query that runs, as `/api/v1/queries/active` has it. Times and durations in seconds. */
export type RunningQuery = {
  readonly id: string;
  readonly query: string;
  readonly state: "waiting" | "running";
  readonly start: number;
  readonly end: number;
  readonly step: number;
  readonly tenant: string;
  readonly startedAt: string;
  readonly ageSeconds: number;
  readonly samples: number;
  readonly memoryBytes: number;
  readonly peakMemoryBytes: number;
};

/** Often enough to watch a query grow, ms. */
const LIVE_MS = 1000;

/** The queries that run at this moment, and a way to end one. */
export function QueriesPage(): ReactNode {
  const polled = usePolled<readonly RunningQuery[]>("queries/active", LIVE_MS);
  const [filter, setFilter] = useParam("filter");
  const [asked, setAsked] = useState<RunningQuery>();
  const [note, setNote] = useState<{text: string; bad: boolean}>();
  const kill = ({id, query}: RunningQuery): void => {
    callApi(`queries/active/${encodeURIComponent(id)}`, {signal: new AbortController().signal, method: "DELETE"})
      .then(
        () => setNote({text: `Ended: ${query}`, bad: false}),
        (err: unknown) => {
          const gone = err instanceof ApiError && err.type === "not_found";
          setNote(
            gone ? {text: `It had ended by itself: ${query}`, bad: false} : {text: toApiError(err).message, bad: true},
          );
        },
      )
      .finally(polled.refresh);
  };
  const all = polled.answer?.data ?? [];
  const about = polled.answer && `${counted(all.length, "query", "queries")}, renewed every second`;
  return (
    <>
      <PageHead
        title="Running queries"
        about={about}
        filter={filter}
        onFilter={setFilter}
        placeholder="Expression, tenant or id"
      />
      <output className={note?.bad ? "message error" : "message note"} hidden={note === undefined}>
        {note?.text}
      </output>
      <Loaded polled={polled} what="the running queries">
        {(queries) => <QueryList all={queries} filter={filter} onKill={setAsked} />}
      </Loaded>
      {asked !== undefined && (
        <Confirm
          title="Kill this query?"
          action="Kill query"
          onConfirm={() => kill(asked)}
          onClose={() => setAsked(undefined)}
        >
          <pre className="excerpt">{asked.query}</pre>
          <p>
            Whoever asked gets an error. Tenant <strong>{asked.tenant}</strong>, running for{" "}
            {formatElapsed(asked.ageSeconds * 1000)}.
          </p>
        </Confirm>
      )}
    </>
  );
}

type ListProps = {
  readonly all: readonly RunningQuery[];
  readonly filter: string;
  readonly onKill: (query: RunningQuery) => void;
};

/** The oldest come first: they are what one looks for. */
function QueryList({all, filter, onKill}: ListProps): ReactNode {
  if (all.length === 0) return <Empty>No query is running.</Empty>;
  const shown = all
    .filter(({id, query, tenant}) => matchesFilter(`${id} ${query} ${tenant}`, filter))
    .sort((a, b) => b.ageSeconds - a.ageSeconds);
  if (shown.length === 0) return <Empty>No running query matches the filter.</Empty>;
  return (
    <section className="panel" aria-label="Running queries">
      <DataTable label="Running queries" columns={columns(onKill)} rows={shown} rowKey={({id}) => id} />
    </section>
  );
}

const columns = (onKill: (query: RunningQuery) => void): readonly Column<RunningQuery>[] => [
  {name: "Expression", wrap: true, cell: ({query, id}) => <Expression query={query} id={id} />},
  {name: "State", cell: ({state}) => <Badge state={state} />},
  {name: "Age", right: true, cell: ({ageSeconds}) => formatElapsed(ageSeconds * 1000)},
  {name: "Tenant", cell: ({tenant}) => tenant},
  {name: "Range", cell: (query) => <span title={rangeTitle(query)}>{shownRange(query)}</span>},
  {name: "Samples", right: true, cell: ({samples}) => formatCount(samples)},
  {
    name: "Memory",
    right: true,
    cell: ({memoryBytes, peakMemoryBytes}) => (
      <span title={`at most ${formatBytes(peakMemoryBytes)} so far`}>{formatBytes(memoryBytes)}</span>
    ),
  },
  {
    name: "End it",
    cell: (query) => (
      <button type="button" className="danger small" aria-label={`Kill ${query.query}`} onClick={() => onKill(query)}>
        Kill
      </button>
    ),
  },
];

const Expression = ({query, id}: {query: string; id: string}): ReactNode => (
  <>
    <code className="metric">{query}</code>
    <div className="muted small-text">{id}</div>
  </>
);

const rangeTitle = ({start, end}: RunningQuery): string =>
  start === end ? `at ${formatTime(end)}` : `${formatTime(start)} to ${formatTime(end)}`;
