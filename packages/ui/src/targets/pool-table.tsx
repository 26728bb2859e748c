import type {ReactNode} from "react";
import {formatAgo, formatElapsed} from "../format.ts";
import {Badge} from "../parts/badge.tsx";
import {type Column, DataTable} from "../parts/data-table.tsx";
import {MetricText} from "../parts/metric-text.tsx";
import type {ActiveTarget} from "./target.ts";

/** Targets of one pool; those that are not up come first. */
export function PoolTable({
  pool,
  targets,
  at,
}: {
  pool: string;
  targets: readonly ActiveTarget[];
  at: number;
}): ReactNode {
  const sorted = [...targets].sort(
    (a, b) => Number(a.health === "up") - Number(b.health === "up") || (a.scrapeUrl < b.scrapeUrl ? -1 : 1),
  );
  return (
    <DataTable
      label={`Targets of ${pool}`}
      columns={columns(at)}
      rows={sorted}
      rowKey={(target, i) => `${target.scrapeUrl} ${JSON.stringify(target.labels)} ${i}`}
    />
  );
}

const columns = (at: number): readonly Column<ActiveTarget>[] => [
  {
    name: "Address",
    width: "24%",
    cell: ({scrapeUrl}) =>
      /^https?:\/\//.test(scrapeUrl) ? (
        <a className="mono" href={scrapeUrl} rel="noreferrer">
          {scrapeUrl}
        </a>
      ) : (
        <span className="mono">{scrapeUrl}</span>
      ),
  },
  {
    name: "Health",
    width: "24%",
    cell: ({health, lastError}) => (
      <>
        <Badge state={health} />
        {lastError !== "" && <p className="fault">{lastError}</p>}
      </>
    ),
  },
  {name: "Labels", wrap: true, cell: (target) => <TargetLabels target={target} />},
  {name: "Last scrape", width: "10%", cell: (target) => scrapedText(target, at)},
  {name: "Took", width: "7%", right: true, cell: ({lastScrapeDuration: s}) => (s > 0 ? formatElapsed(s * 1000) : "–")},
];

/** The labels that series get; those before relabelling can be opened. */
function TargetLabels({target}: {target: ActiveTarget}): ReactNode {
  return (
    <>
      <MetricText metric={target.labels} />
      {Object.keys(target.discoveredLabels).length > 0 && (
        <details className="before">
          <summary>before relabelling</summary>
          <MetricText metric={target.discoveredLabels} />
        </details>
      )}
    </>
  );
}

/** The year 1 is "never". */
function scrapedText({lastScrape}: ActiveTarget, at: number): string {
  const time = Date.parse(lastScrape);
  return Number.isNaN(time) || time < 0 ? "never" : formatAgo((at - time) / 1000);
}
