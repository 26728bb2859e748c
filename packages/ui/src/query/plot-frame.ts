import type uPlot from "uplot";
import {timeLabels, timeStep, timeTicks} from "../ticks.ts";

/** Height of charts, pixels. */
export const HEIGHT = 340;
/** Pixels that one time label needs. */
const LABEL_WIDTH = 70;
/** A drag shorter than this many pixels is a click. */
const MIN_DRAG = 6;

/** What all charts over time have in common: the axes' look, the time axis, and dragging over a stretch to zoom. */
export function plotFrame(width: number, onZoom: (from: number, to: number) => void) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--muted"),
    grid: {stroke: colour("--line"), width: 1},
    ticks: {show: false},
    font: "12px system-ui, sans-serif",
  };
  const timeAxis = {
    ...axis,
    size: 44,
    splits: (u: uPlot) => splits(u).ticks,
    values: (u: uPlot) => {
      const {ticks, step, offset} = splits(u);
      return timeLabels(ticks, step, offset);
    },
  } satisfies uPlot.Axis;
  const valueAxis = {...axis, size: 62} satisfies uPlot.Axis;
  const common = {
    width,
    height: HEIGHT,
    padding: [12, 20, 0, 0] as uPlot.Padding,
    legend: {show: false},
    cursor: {drag: {x: true, y: false, setScale: false}, y: false},
  } satisfies Partial<uPlot.Options>;
  const zoom = (u: uPlot): void => {
    const {left, width: dragged} = u.select;
    if (dragged < MIN_DRAG) return;
    u.setSelect({left: 0, top: 0, width: 0, height: 0}, false);
    onZoom(u.posToVal(left, "x"), u.posToVal(left + dragged, "x"));
  };
  return {common, timeAxis, valueAxis, zoom, colour};
}

function splits(u: uPlot): {ticks: number[]; step: number; offset: number} {
  const {min = 0, max = 0} = u.scales.x as uPlot.Scale;
  const step = timeStep(max - min, Math.max(2, u.bbox.width / devicePixelRatio / LABEL_WIDTH));
  const offset = -60 * new Date(((min + max) / 2) * 1000).getTimezoneOffset();
  return {ticks: timeTicks(min, max, step, offset), step, offset};
}

/** Puts a tip beside the pointer with these lines; nothing hides it. */
export function placeTip(u: uPlot, tip: HTMLDivElement, content: readonly HTMLElement[] | undefined): void {
  tip.hidden = content === undefined;
  if (content === undefined) return;
  tip.replaceChildren(...content);
  const {left = 0, top = 0} = u.cursor;
  const toLeft = left > u.over.clientWidth / 2;
  const x = u.over.offsetLeft + left;
  tip.style.left = toLeft ? "" : `${x + 14}px`;
  tip.style.right = toLeft ? `${u.root.clientWidth - x + 14}px` : "";
  tip.style.top = `${Math.max(0, u.over.offsetTop + Math.min(top, u.over.clientHeight - tip.offsetHeight))}px`;
}

/** One line of a tip. */
export function tipLine(className: string, text: string): HTMLElement {
  const line = document.createElement("div");
  line.className = className;
  line.textContent = text;
  return line;
}

/** Keeps a plot as wide as its element; gives what ends that. */
export function followWidth(plot: uPlot, element: HTMLElement): () => void {
  const resize = new ResizeObserver(() => plot.setSize({width: element.clientWidth, height: HEIGHT}));
  resize.observe(element);
  return () => resize.disconnect();
}
