import {type MouseEvent, type ReactNode, useMemo, useRef, useState} from "react";
import type {MatrixResult} from "../api.ts";
import {formatCount, formatMetric} from "../format.ts";
import {MetricText} from "../parts/metric-text.tsx";
import {Chart} from "./chart.tsx";
import {gridData} from "./graph-data.ts";
import {lineColour} from "./palette.ts";

/** Lines drawn at most; a graph of more cannot be read anyway. */
const MAX_LINES = 1000;
/** Rows of the legend shown at first. */
const LEGEND_PAGE = 100;

type Props = {
  readonly series: readonly MatrixResult[];
  readonly start: number;
  readonly end: number;
  readonly step: number;
  readonly dark: boolean;
  /** The user dragged over this stretch, in Unix seconds. */
  readonly onZoom: (from: number, to: number) => void;
};

/** A line chart with its legend. */
export function GraphView({series, start, end, step, dark, onZoom}: Props): ReactNode {
  const drawn = useMemo(() => series.filter((s) => (s.values ?? []).length > 0).slice(0, MAX_LINES), [series]);
  const data = useMemo(() => gridData(drawn, start, end, step), [drawn, start, end, step]);
  const labels = useMemo(() => drawn.map((s) => formatMetric(s.metric)), [drawn]);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [limit, setLimit] = useState(LEGEND_PAGE);
  const legend = useRef<HTMLUListElement>(null);
  const visible = useMemo(() => labels.map((label) => !hidden.has(label)), [labels, hidden]);

  if (series.length === 0) return <p className="empty">Empty result: no series matches in this range.</p>;
  if (drawn.length === 0) {
    return (
      <p className="empty">
        Only native histograms: look at them in the table, or draw one number of them, as with histogram_quantile.
      </p>
    );
  }

  /** A click shows one series alone, and all again; with Ctrl, Shift or ⌘ it hides or shows just that one. */
  const toggle = (event: MouseEvent, label: string): void => {
    const next = new Set(hidden);
    const alone = !hidden.has(label) && hidden.size === labels.length - 1;
    if (event.ctrlKey || event.metaKey || event.shiftKey) {
      if (!next.delete(label)) next.add(label);
    } else {
      next.clear();
      if (!alone) for (const other of labels) if (other !== label) next.add(other);
    }
    setHidden(next);
  };

  const histograms = series.filter((s) => (s.values ?? []).length === 0).length;
  const left = series.length - histograms - drawn.length;
  return (
    <>
      <Chart data={data} labels={labels} visible={visible} dark={dark} onZoom={onZoom} />
      {left > 0 && (
        <p className="hint">
          The first {formatCount(MAX_LINES)} of {formatCount(series.length)} series are drawn.
        </p>
      )}
      {histograms > 0 && (
        <p className="hint">{formatCount(histograms)} series hold native histograms and are not drawn.</p>
      )}
      <ul className="legend" ref={legend} aria-label="Legend">
        {drawn.slice(0, limit).map(({metric}, i) => {
          const label = labels[i] as string;
          return (
            <li key={label}>
              <button
                type="button"
                aria-pressed={!hidden.has(label)}
                title="Click: show only this series. Ctrl+click: hide or show it."
                onClick={(event) => toggle(event, label)}
              >
                <svg className="swatch" viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">
                  <rect x="0" y="5" width="14" height="4" rx="2" fill={lineColour(i, dark)} />
                </svg>
                <MetricText metric={metric} />
              </button>
            </li>
          );
        })}
      </ul>
      {drawn.length > limit && (
        <button type="button" className="quiet add" onClick={() => setLimit(MAX_LINES)}>
          {formatCount(drawn.length - limit)} more series
        </button>
      )}
    </>
  );
}
