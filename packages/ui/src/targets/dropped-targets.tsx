import {type ReactNode, useState} from "react";
import {counted} from "../format.ts";
import {Empty, Loaded} from "../parts/loaded.tsx";
import {MetricText} from "../parts/metric-text.tsx";
import {Pages} from "../parts/pages.tsx";
import {matchesFilter} from "../parts/use-param.ts";
import {usePolled} from "../parts/use-polled.ts";
import type {DroppedTarget, Targets} from "./target.ts";

/** What relabelling dropped. There may be very many: they are asked for once they are wanted. */
export function DroppedTargets({filter}: {filter: string}): ReactNode {
  const [open, setOpen] = useState(false);
  const polled = usePolled<Targets>(open ? "targets?state=dropped" : undefined);
  return (
    <details className="panel" open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Dropped targets</summary>
      {open && (
        <Loaded polled={polled} what="the dropped targets">
          {({droppedTargets}) => <DroppedList all={droppedTargets} filter={filter} />}
        </Loaded>
      )}
    </details>
  );
}

function DroppedList({all, filter}: {all: readonly DroppedTarget[]; filter: string}): ReactNode {
  if (all.length === 0) return <Empty>No target was dropped by relabelling.</Empty>;
  const shown = all.filter(({discoveredLabels}) => matchesFilter(JSON.stringify(discoveredLabels), filter));
  return (
    <>
      <p className="muted">
        {shown.length === all.length
          ? counted(all.length, "target", "targets")
          : `${shown.length} of ${all.length} targets`}
        , with the labels they were found with
      </p>
      <ul className="plain">
        <Pages
          items={shown}
          size={100}
          render={({discoveredLabels}, i) => (
            <li key={`${JSON.stringify(discoveredLabels)} ${i}`}>
              <MetricText metric={discoveredLabels} />
            </li>
          )}
        />
      </ul>
    </>
  );
}
