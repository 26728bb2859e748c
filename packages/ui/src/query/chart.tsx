import {type ReactNode, useEffect, useRef} from "react";
import uPlot from "uplot";
import {formatTick, formatTime, formatValue} from "../format.ts";
import {timeLabels, timeStep, timeTicks} from "../ticks.ts";
import {type GraphData, isolated} from "./graph-data.ts";
import {lineColour} from "./palette.ts";

type Props = {
  readonly data: GraphData;
  readonly labels: readonly string[];
  readonly visible: readonly boolean[];
  readonly dark: boolean;
  readonly onZoom: (from: number, to: number) => void;
};

const HEIGHT = 340;
/** Pixels that one time label needs. */
const LABEL_WIDTH = 70;
/** A drag shorter than this many pixels is a click. */
const MIN_DRAG = 6;

/** The chart itself. It is drawn on a canvas, so the legend and the table carry what must be read without seeing it. */
export function Chart({data, labels, visible, dark, onZoom}: Props): ReactNode {
  const host = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const zoom = useRef(onZoom);
  zoom.current = onZoom;

  useEffect(() => {
    const element = host.current as HTMLDivElement;
    const plot = new uPlot(
      options(element.clientWidth, labels.length, dark, tip.current as HTMLDivElement, labels, (from, to) =>
        zoom.current(from, to),
      ),
      [data.times, ...data.columns],
      element,
    );
    chart.current = plot;
    const resize = new ResizeObserver(() => plot.setSize({width: element.clientWidth, height: HEIGHT}));
    resize.observe(element);
    return () => {
      resize.disconnect();
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
  tip: HTMLDivElement,
  labels: readonly string[],
  onZoom: (from: number, to: number) => void,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--muted").trim();
  const line = style.getPropertyValue("--line").trim();
  const axis = {stroke: ink, grid: {stroke: line, width: 1}, ticks: {show: false}, font: "12px system-ui, sans-serif"};
  return {
    width,
    height: HEIGHT,
    padding: [12, 12, 0, 0],
    legend: {show: false},
    focus: {alpha: 0.25},
    cursor: {
      drag: {x: true, y: false, setScale: false},
      focus: {prox: 24},
      points: {size: 7},
      y: false,
    },
    scales: {x: {time: true}},
    axes: [
      {
        ...axis,
        size: 44,
        splits: (u) => splits(u).ticks,
        values: (u) => {
          const {ticks, step, offset} = splits(u);
          return timeLabels(ticks, step, offset);
        },
      },
      {
        ...axis,
        size: 62,
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
    hooks: {
      setSelect: [
        (u) => {
          const {left, width: dragged} = u.select;
          if (dragged < MIN_DRAG) return;
          u.setSelect({left: 0, top: 0, width: 0, height: 0}, false);
          onZoom(u.posToVal(left, "x"), u.posToVal(left + dragged, "x"));
        },
      ],
      setCursor: [(u) => showTip(u, tip, labels, dark)],
    },
  };
}

function splits(u: uPlot): {ticks: number[]; step: number; offset: number} {
  const {min = 0, max = 0} = u.scales.x as uPlot.Scale;
  const step = timeStep(max - min, Math.max(2, u.bbox.width / devicePixelRatio / LABEL_WIDTH));
  const offset = -60 * new Date(((min + max) / 2) * 1000).getTimezoneOffset();
  return {ticks: timeTicks(min, max, step, offset), step, offset};
}

/** Time and value of the series nearest to the pointer. */
function showTip(u: uPlot, tip: HTMLDivElement, labels: readonly string[], dark: boolean): void {
  const {idx, left = -1, top = -1} = u.cursor;
  const near = idx == null || left < 0 ? undefined : nearest(u, idx, top);
  if (idx == null || near === undefined) {
    tip.hidden = true;
    return;
  }
  const value = u.data[near]?.[idx] as number;
  const time = document.createElement("div");
  time.className = "muted";
  time.textContent = formatTime(u.data[0][idx] as number);
  const reading = document.createElement("div");
  reading.className = "reading";
  reading.style.borderColor = lineColour(near - 1, dark);
  reading.textContent = formatValue(value);
  const name = document.createElement("div");
  name.className = "name";
  name.textContent = labels[near - 1] ?? "";
  tip.replaceChildren(time, reading, name);
  tip.hidden = false;
  const x = u.over.offsetLeft + left;
  const toLeft = left > u.over.clientWidth / 2;
  tip.style.left = toLeft ? "" : `${x + 14}px`;
  tip.style.right = toLeft ? `${u.root.clientWidth - x + 14}px` : "";
  tip.style.top = `${Math.max(0, u.over.offsetTop + Math.min(top, u.over.clientHeight - tip.offsetHeight))}px`;
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
