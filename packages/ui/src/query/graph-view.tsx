import {type MouseEvent, type ReactNode, useMemo, useState} from "react";
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

/** A series and the letter of the expression that it comes from; "" where there is only one. */
export type GraphSeries = MatrixResult & {readonly letter: string};

/** Where on the time axis the points are, Unix seconds, and what to do when a stretch of it is dragged over. */
export type GraphProps = {
  readonly series: readonly GraphSeries[];
  readonly start: number;
  readonly end: number;
  readonly step: number;
  readonly dark: boolean;
  readonly onZoom: (from: number, to: number) => void;
};

/** A chart of lines, or of areas on top of one another, with its legend. `onHeatmap` is offered where there is nothing else to draw. */
export function GraphView(props: GraphProps & {stacked: boolean; onHeatmap: () => void}): ReactNode {
  const {series, start, end, step, dark, stacked, onZoom, onHeatmap} = props;
  const drawn = useMemo(() => series.filter((s) => (s.values ?? []).length > 0).slice(0, MAX_LINES), [series]);
  const data = useMemo(() => gridData(drawn, start, end, step), [drawn, start, end, step]);
  const labels = useMemo(() => drawn.map(seriesLabel), [drawn]);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const visible = useMemo(() => labels.map((label) => !hidden.has(label)), [labels, hidden]);

  if (series.length === 0) return <p className="empty">Empty result: no series matches in this range.</p>;
  if (drawn.length === 0) {
    return (
      <div className="empty">
        <p>Only native histograms, which no line can show.</p>
        <button type="button" onClick={onHeatmap}>
          Show as heat map
        </button>
      </div>
    );
  }
  const histograms = series.filter((s) => (s.values ?? []).length === 0).length;
  const left = series.length - histograms - drawn.length;
  return (
    <>
      <Chart data={data} labels={labels} visible={visible} stacked={stacked} dark={dark} onZoom={onZoom} />
      {left > 0 && (
        <p className="hint">
          The first {formatCount(MAX_LINES)} of {formatCount(series.length)} series are drawn.
        </p>
      )}
      {histograms > 0 && (
        <p className="hint">{formatCount(histograms)} series hold native histograms and are not drawn as lines.</p>
      )}
      <Legend drawn={drawn} labels={labels} hidden={hidden} setHidden={setHidden} dark={dark} />
    </>
  );
}

const seriesLabel = ({letter, metric}: GraphSeries): string =>
  letter === "" ? formatMetric(metric) : `${letter} ${formatMetric(metric)}`;

type LegendProps = {
  readonly drawn: readonly GraphSeries[];
  readonly labels: readonly string[];
  readonly hidden: ReadonlySet<string>;
  readonly setHidden: (hidden: ReadonlySet<string>) => void;
  readonly dark: boolean;
};

function Legend({drawn, labels, hidden, setHidden, dark}: LegendProps): ReactNode {
  const [limit, setLimit] = useState(LEGEND_PAGE);
  return (
    <>
      <ul className="legend" aria-label="Legend">
        {drawn.slice(0, limit).map(({metric, letter}, i) => {
          const label = labels[i] as string;
          return (
            <li key={label}>
              <button
                type="button"
                aria-pressed={!hidden.has(label)}
                title="Click: show only this series. Ctrl+click: hide or show it."
                onClick={(event) => setHidden(afterClick(event, label, labels, hidden))}
              >
                <svg className="swatch" viewBox="0 0 14 14" width="14" height="14" aria-hidden="true">
                  <rect x="0" y="5" width="14" height="4" rx="2" fill={lineColour(i, dark)} />
                </svg>
                {letter !== "" && <span className="letter">{letter}</span>}
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

/** A click shows one series alone, and all again; with Ctrl, Shift or ⌘ it hides or shows just that one. */
function afterClick(
  event: MouseEvent,
  label: string,
  labels: readonly string[],
  hidden: ReadonlySet<string>,
): ReadonlySet<string> {
  const next = new Set(hidden);
  if (event.ctrlKey || event.metaKey || event.shiftKey) {
    if (!next.delete(label)) next.add(label);
    return next;
  }
  const alone = !hidden.has(label) && hidden.size === labels.length - 1;
  return new Set(alone ? [] : labels.filter((other) => other !== label));
}
