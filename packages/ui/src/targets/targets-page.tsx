import {type ReactNode, useState} from "react";
import {counted, formatCount} from "../format.ts";
import {Badge} from "../parts/badge.tsx";
import {Empty, Loaded} from "../parts/loaded.tsx";
import {PageHead, StateChecks, toggled} from "../parts/page-head.tsx";
import {Pages} from "../parts/pages.tsx";
import {matchesFilter, useParam} from "../parts/use-param.ts";
import {usePolled} from "../parts/use-polled.ts";
import {DroppedTargets} from "./dropped-targets.tsx";
import {PoolTable} from "./pool-table.tsx";
import type {ActiveTarget, Targets} from "./target.ts";

const HEALTHS = ["up", "down", "unknown"] as const;
type Health = (typeof HEALTHS)[number];

/** What the Prometheus servers behind the querier scrape, by pool, and what they have dropped. */
export function TargetsPage(): ReactNode {
  const polled = usePolled<Targets>("targets?state=active");
  const [filter, setFilter] = useParam("filter");
  const [hidden, setHidden] = useState<ReadonlySet<Health>>(new Set());
  const all = polled.answer?.data.activeTargets ?? [];
  const shown = all.filter((target) => !hidden.has(target.health) && matchesFilter(targetText(target), filter));
  return (
    <>
      <PageHead title="Targets" filter={filter} onFilter={setFilter} placeholder="Address, pool, label or error">
        <StateChecks
          label="Health"
          states={HEALTHS}
          hidden={hidden}
          count={(health) => all.filter((target) => target.health === health).length}
          onToggle={(health) => setHidden(toggled(hidden, health))}
        />
      </PageHead>
      <Loaded polled={polled} what="the targets">
        {(_, at) => <PoolList targets={shown} any={all.length > 0} at={at} />}
      </Loaded>
      <DroppedTargets filter={filter} />
    </>
  );
}

const targetText = (t: ActiveTarget): string =>
  `${t.scrapePool} ${t.scrapeUrl} ${t.health} ${t.lastError} ${JSON.stringify(t.labels)}`;

function PoolList({targets, any, at}: {targets: readonly ActiveTarget[]; any: boolean; at: number}): ReactNode {
  if (!any) {
    return <Empty>No endpoint tells of scrape targets. Sidecars do, for the Prometheus that they stand beside.</Empty>;
  }
  if (targets.length === 0) return <Empty>No target matches the filter.</Empty>;
  const pools = [...Map.groupBy(targets, (target) => target.scrapePool)].sort(([a], [b]) => (a < b ? -1 : 1));
  return (
    <Pages
      items={pools}
      size={100}
      render={([pool, found]) => <Pool key={pool} pool={pool} targets={found} at={at} />}
    />
  );
}

function Pool({pool, targets, at}: {pool: string; targets: readonly ActiveTarget[]; at: number}): ReactNode {
  const up = targets.filter(({health}) => health === "up").length;
  return (
    <section className="panel" aria-label={pool}>
      <h2 className="panel-head">
        {pool}
        <Badge
          state={`${formatCount(up)} of ${counted(targets.length, "target", "targets")} up`}
          tone={up === targets.length ? "good" : "bad"}
        />
      </h2>
      <PoolTable pool={pool} targets={targets} at={at} />
    </section>
  );
}
