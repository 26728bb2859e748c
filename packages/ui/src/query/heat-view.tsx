import {type ReactNode, useMemo} from "react";
import type {GraphProps} from "./graph-view.tsx";
import {heatData} from "./heat-data.ts";
import {HeatMap} from "./heat-map.tsx";

/** The heat map of a result, or why there is none. */
export function HeatView({series, start, end, step, dark, onZoom}: GraphProps): ReactNode {
  const data = useMemo(() => heatData(series, start, end, step), [series, start, end, step]);
  if (series.length === 0) return <p className="empty">Empty result: no series matches in this range.</p>;
  if (data === undefined) {
    return (
      <p className="empty">
        A heat map needs a histogram: a native one, or series with a label <code>le</code> as of{" "}
        <code>sum by (le) (rate(x_bucket[5m]))</code>.
      </p>
    );
  }
  if (data.max === 0) return <p className="empty">Nothing fell into any bucket in this range.</p>;
  return <HeatMap data={data} dark={dark} onZoom={onZoom} />;
}
