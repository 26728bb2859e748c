import {type ReactNode, useEffect, useRef} from "react";
import uPlot from "uplot";
import {formatTick, formatTime, formatValue} from "../format.ts";
import {type GraphData, isolated} from "./graph-data.ts";
import {lineColour} from "./palette.ts";
import {followWidth, placeTip, plotFrame, tipLine} from "./plot-frame.ts";

type Props = {
  readonly data: GraphData;
  readonly labels: readonly string[];
  readonly visible: readonly boolean[];
  readonly dark: boolean;
  readonly onZoom: (from: number, to: number) => void;
};

/** The chart itself. It is drawn on a canvas, so the legend and the table carry what must be read without seeing it. */
export function Chart({data, labels, visible, dark, onZoom}: Props): ReactNode {
  const host = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const zoom = useRef(onZoom);
  zoom.current = onZoom;

  useEffect(() => {
    const element = host.current as HTMLDivElement;
    const showTip = (u: uPlot): void => placeTip(u, tip.current as HTMLDivElement, reading(u, labels, dark));
    const plot = new uPlot(
      options(element.clientWidth, labels.length, dark, showTip, (from, to) => zoom.current(from, to)),
      [data.times, ...data.columns],
      element,
    );
    chart.current = plot;
    const stop = followWidth(plot, element);
    return () => {
      stop();
      plot.destroy();
      chart.current = undefined;
    };
  }, [data, labels, dark]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new chart shows every series, so it has to be told again
  useEffect(() => {
    const plot = chart.current;
    if (plot === undefined) return;
    plot.batch(() => {
      visible.forEach((show, i) => {
        if ((plot.series[i + 1] as uPlot.Series).show !== show) plot.setSeries(i + 1, {show});
      });
    });
  }, [visible, data, labels, dark]);

  const name = `Line chart of ${labels.length} series`;
  return (
    <div className="chart" role="img" aria-label={name} ref={host}>
      <div className="tip" ref={tip} hidden />
    </div>
  );
}

function options(
  width: number,
  count: number,
  dark: boolean,
  showTip: (u: uPlot) => void,
  onZoom: (from: number, to: number) => void,
): uPlot.Options {
  const {common, timeAxis, valueAxis, zoom} = plotFrame(width, onZoom);
  return {
    ...common,
    focus: {alpha: 0.25},
    cursor: {...common.cursor, focus: {prox: 24}, points: {size: 7}},
    scales: {x: {time: true}},
    axes: [
      timeAxis,
      {
        ...valueAxis,
        values: (_u, ticks) => {
          const gap = ticks.length > 1 ? Math.abs((ticks[1] as number) - (ticks[0] as number)) : 1;
          return ticks.map((v) => formatTick(v, gap));
        },
      },
    ],
    series: [
      {},
      ...Array.from({length: count}, (_, i) => ({
        stroke: lineColour(i, dark),
        width: count > 100 ? 1 : 1.5,
        points: {
          show: true,
          size: 4,
          fill: lineColour(i, dark),
          filter: (u: uPlot, seriesIdx: number) => isolated(u.data[seriesIdx] as (number | null)[]),
        },
      })),
    ],
    hooks: {setSelect: [zoom], setCursor: [showTip]},
  };
}

/** Time and value of the series nearest to the pointer. */
function reading(u: uPlot, labels: readonly string[], dark: boolean): HTMLElement[] | undefined {
  const {idx, left = -1, top = -1} = u.cursor;
  const near = idx == null || left < 0 ? undefined : nearest(u, idx, top);
  if (idx == null || near === undefined) return undefined;
  const value = tipLine("reading", formatValue(u.data[near]?.[idx] as number));
  value.style.borderColor = lineColour(near - 1, dark);
  return [tipLine("muted", formatTime(u.data[0][idx] as number)), value, tipLine("name", labels[near - 1] ?? "")];
}

/** The visible series whose point at `idx` is closest to the height `top`. */
function nearest(u: uPlot, idx: number, top: number): number | undefined {
  let best: number | undefined;
  let distance = Number.POSITIVE_INFINITY;
  for (let s = 1; s < u.data.length; s++) {
    const value = u.data[s]?.[idx];
    if (value == null || u.series[s]?.show === false) continue;
    const away = Math.abs(u.valToPos(value, "y") - top);
    if (away < distance) {
      distance = away;
      best = s;
    }
  }
  return best;
}
