import {type ReactNode, useEffect, useMemo, useRef} from "react";
import uPlot from "uplot";
import {formatTick, formatTime, formatValue} from "../format.ts";
import {type GraphData, isolated, stackedColumns} from "./graph-data.ts";
import {areaColour, lineColour} from "./palette.ts";
import {followWidth, placeTip, plotFrame, tipLine} from "./plot-frame.ts";

type Props = {
  readonly data: GraphData;
  readonly labels: readonly string[];
  readonly visible: readonly boolean[];
  /** Areas on top of one another instead of lines. */
  readonly stacked: boolean;
  readonly dark: boolean;
  readonly onZoom: (from: number, to: number) => void;
};

type Reading = (u: uPlot) => HTMLElement[] | undefined;

/** The chart itself. It is drawn on a canvas, so the legend and the table carry what must be read without seeing it. */
export function Chart({data, labels, visible, stacked, dark, onZoom}: Props): ReactNode {
  const host = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const zoom = useRef(onZoom);
  zoom.current = onZoom;
  const order = useMemo(() => paintOrder(labels.length, stacked), [labels, stacked]);
  const drawn = useRef<uPlot.AlignedData>([[]]);
  drawn.current = useMemo(() => {
    const columns = stacked ? stackedColumns(data.columns, visible) : data.columns;
    return [data.times, ...order.map((i) => columns[i] as (number | null)[])];
  }, [data, stacked, visible, order]);

  useEffect(() => {
    const element = host.current as HTMLDivElement;
    const read: Reading = (u) => reading(u, {data, labels, order, stacked, dark});
    const plot = new uPlot(
      options(element.clientWidth, {order, stacked, dark}, read, tip, (from, to) => zoom.current(from, to)),
      drawn.current,
      element,
    );
    chart.current = plot;
    const stop = followWidth(plot, element);
    return () => {
      stop();
      plot.destroy();
      chart.current = undefined;
    };
  }, [data, labels, order, stacked, dark]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new chart shows every series, so it has to be told again
  useEffect(() => {
    const plot = chart.current;
    if (plot === undefined) return;
    plot.batch(() => {
      order.forEach((i, at) => {
        const show = visible[i] !== false;
        if ((plot.series[at + 1] as uPlot.Series).show !== show) plot.setSeries(at + 1, {show});
      });
      if (stacked) plot.setData(drawn.current);
    });
  }, [visible, data, labels, order, stacked, dark]);

  const name = `${stacked ? "Stacked" : "Line"} chart of ${labels.length} series`;
  return (
    <div className="chart" role="img" aria-label={name} ref={host}>
      <div className="tip" ref={tip} hidden />
    </div>
  );
}

/** What is painted later covers what is there already: of areas the highest comes first. */
function paintOrder(count: number, stacked: boolean): readonly number[] {
  const order = Array.from({length: count}, (_, i) => i);
  return stacked ? order.reverse() : order;
}

type Look = {readonly order: readonly number[]; readonly stacked: boolean; readonly dark: boolean};

function options(
  width: number,
  {order, stacked, dark}: Look,
  read: Reading,
  tip: {readonly current: HTMLDivElement | null},
  onZoom: (from: number, to: number) => void,
): uPlot.Options {
  const {common, timeAxis, valueAxis, zoom} = plotFrame(width, onZoom);
  return {
    ...common,
    // An area that fades would show those below it.
    ...(stacked ? {} : {focus: {alpha: 0.25}}),
    cursor: {...common.cursor, points: {size: 7}, ...(stacked ? {} : {focus: {prox: 24}})},
    scales: {x: {time: true}, ...(stacked ? {y: {range: rangeWithZero}} : {})},
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
      ...order.map((i) => ({
        stroke: lineColour(i, dark),
        width: order.length > 100 ? 1 : 1.5,
        ...(stacked ? {fill: areaColour(i, dark), fillTo: 0} : {}),
        points: {
          show: true,
          size: 4,
          fill: lineColour(i, dark),
          filter: (u: uPlot, seriesIdx: number) => isolated(u.data[seriesIdx] as (number | null)[]),
        },
      })),
    ],
    hooks: {setSelect: [zoom], setCursor: [(u) => placeTip(u, tip.current as HTMLDivElement, read(u))]},
  };
}

/** Areas stand on zero, so it has to be there. */
const rangeWithZero: uPlot.Range.Function = (_u, min, max) =>
  uPlot.rangeNum(Math.min(0, min ?? 0), Math.max(0, max ?? 1), 0.1, true);

type Shown = Look & {readonly data: GraphData; readonly labels: readonly string[]};

/** Time and value of the series nearest to the pointer, or of the area that it is over; of areas with their sum. */
function reading(u: uPlot, {data, labels, order, stacked, dark}: Shown): HTMLElement[] | undefined {
  const {idx, left = -1, top = -1} = u.cursor;
  if (idx == null || left < 0) return undefined;
  const near = stacked ? areaAt(u, idx, top) : nearest(u, idx, top);
  if (near === undefined) return undefined;
  const i = order[near - 1] as number;
  const value = tipLine("reading", formatValue(data.columns[i]?.[idx] as number));
  value.style.borderColor = lineColour(i, dark);
  const lines = [tipLine("muted", formatTime(u.data[0][idx] as number)), value, tipLine("name", labels[i] ?? "")];
  if (stacked) lines.push(tipLine("muted", `Sum: ${formatValue(sumAt(u, idx))}`));
  return lines;
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

/** The lowest visible area that reaches the height `top`; above all of them the highest. */
function areaAt(u: uPlot, idx: number, top: number): number | undefined {
  const height = u.posToVal(top, "y");
  let highest: number | undefined;
  for (let s = u.data.length - 1; s > 0; s--) {
    const edge = u.data[s]?.[idx];
    if (edge == null || u.series[s]?.show === false) continue;
    if (edge >= height) return s;
    highest = s;
  }
  return highest;
}

/** Where the highest visible area ends. */
function sumAt(u: uPlot, idx: number): number {
  for (let s = 1; s < u.data.length; s++) {
    const edge = u.data[s]?.[idx];
    if (edge != null && u.series[s]?.show !== false) return edge;
  }
  return 0;
}
