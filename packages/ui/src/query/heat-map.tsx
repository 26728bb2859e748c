import {type ReactNode, useEffect, useRef} from "react";
import uPlot from "uplot";
import {counted, formatTime, formatValue} from "../format.ts";
import type {HeatData} from "./heat-data.ts";
import {followWidth, placeTip, plotFrame, tipLine} from "./plot-frame.ts";

type Props = {
  readonly data: HeatData;
  readonly dark: boolean;
  readonly onZoom: (from: number, to: number) => void;
};

/** Pixels that one bucket label needs. */
const LABEL_HEIGHT = 22;
/** How strong the faintest cell that holds anything is drawn. */
const FAINTEST = 0.1;

/** A histogram over time: the darker a cell, the more fell into its bucket. */
export function HeatMap({data, dark, onZoom}: Props): ReactNode {
  const host = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const zoom = useRef(onZoom);
  zoom.current = onZoom;

  // biome-ignore lint/correctness/useExhaustiveDependencies: colours are read from the style sheet, which `dark` changes
  useEffect(() => {
    const element = host.current as HTMLDivElement;
    const showTip = (u: uPlot): void => placeTip(u, tip.current as HTMLDivElement, reading(u, data));
    const plot = new uPlot(
      options(element.clientWidth, data, showTip, (from, to) => zoom.current(from, to)),
      // The cells are painted by a hook; a column without points makes the axes.
      [data.times.slice(), data.times.map(() => null)],
      element,
    );
    const stop = followWidth(plot, element);
    return () => {
      stop();
      plot.destroy();
    };
  }, [data, dark]);

  const rows = Math.max(0, data.edges.length - 1);
  return (
    <>
      <div
        className="chart heat"
        role="img"
        aria-label={`Heat map of ${counted(rows, "bucket", "buckets")}`}
        ref={host}
      >
        <div className="tip" ref={tip} hidden />
      </div>
      <p className="heat-scale muted">
        0 <span className="ramp" aria-hidden="true" /> {formatValue(data.max)}
      </p>
    </>
  );
}

function options(
  width: number,
  data: HeatData,
  showTip: (u: uPlot) => void,
  onZoom: (from: number, to: number) => void,
): uPlot.Options {
  const rows = Math.max(1, data.edges.length - 1);
  const {common, timeAxis, valueAxis, zoom, colour} = plotFrame(width, onZoom);
  const fill = colour("--accent");
  const half = data.times.length > 1 ? ((data.times[1] as number) - (data.times[0] as number)) / 2 : 1;
  return {
    ...common,
    cursor: {...common.cursor, points: {show: false}},
    scales: {
      x: {time: true, range: (_u, min, max) => [min - half, max + half]},
      y: {range: () => [0, rows]},
    },
    axes: [
      timeAxis,
      {
        ...valueAxis,
        grid: {show: false},
        splits: (u) => edgeTicks(rows, Math.max(2, u.bbox.height / devicePixelRatio / LABEL_HEIGHT)),
        values: (_u, ticks) => ticks.map((row) => edgeText(data.edges[row])),
      },
    ],
    series: [{}, {show: true, points: {show: false}}],
    hooks: {drawAxes: [(u) => paint(u, data, half, fill)], setSelect: [zoom], setCursor: [showTip]},
  };
}

/** Every so many rows a tick, never more than `most`. */
function edgeTicks(rows: number, most: number): number[] {
  const every = Math.ceil((rows + 1) / most);
  return Array.from({length: Math.floor(rows / every) + 1}, (_, i) => i * every);
}

const edgeText = (edge: number | undefined): string =>
  edge === undefined ? "" : formatValue(Number(edge.toPrecision(3)));

/** Strength goes with the square root: a few outliers would pale all else. */
function paint(u: uPlot, {times, edges, cells, max}: HeatData, half: number, fill: string): void {
  if (max === 0) return;
  const {ctx} = u;
  ctx.save();
  ctx.fillStyle = fill;
  for (let row = 0; row + 1 < edges.length; row++) {
    const top = Math.round(u.valToPos(row + 1, "y", true));
    const bottom = Math.round(u.valToPos(row, "y", true));
    for (let at = 0; at < times.length; at++) {
      const count = cells[row * times.length + at] as number;
      if (!(count > 0)) continue;
      const t = times[at] as number;
      const left = Math.round(u.valToPos(t - half, "x", true));
      const right = Math.round(u.valToPos(t + half, "x", true));
      ctx.globalAlpha = FAINTEST + (1 - FAINTEST) * Math.sqrt(count / max);
      ctx.fillRect(left, top, Math.max(1, right - left), Math.max(1, bottom - top));
    }
  }
  ctx.restore();
}

/** Time, bucket and count of the cell under the pointer. */
function reading(u: uPlot, {times, edges, cells}: HeatData): HTMLElement[] | undefined {
  const {idx, left = -1, top = -1} = u.cursor;
  if (idx == null || left < 0 || top < 0) return undefined;
  const row = Math.floor(u.posToVal(top, "y"));
  const count = cells[row * times.length + idx];
  if (count === undefined || Number.isNaN(count)) return undefined;
  return [
    tipLine("muted", formatTime(times[idx] as number)),
    tipLine("reading", formatValue(count)),
    tipLine("name", `${formatValue(edges[row] as number)} to ${formatValue(edges[row + 1] as number)}`),
  ];
}
