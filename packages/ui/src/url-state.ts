import {formatDuration, parseDuration} from "./format.ts";

export type Tab = "graph" | "table";

/** What one panel shows; all of it is in the page's address, in the words of Thanos' own page. */
export type PanelState = {
  readonly expr: string;
  readonly tab: Tab;
  /** Length of the graph in seconds. */
  readonly range: number;
  /** Right edge of the graph in Unix seconds; undefined is now. */
  readonly end: number | undefined;
  /** Time of the table in Unix seconds; undefined is now. */
  readonly moment: number | undefined;
  /** Seconds between points; undefined lets the page choose. */
  readonly step: number | undefined;
  readonly dedup: boolean;
  readonly partialResponse: boolean;
  /** "auto", "0s", "5m" or "1h": the coarsest downsampling that may be used; "" leaves it to the server. */
  readonly maxResolution: string;
};

export const DEFAULT_PANEL: PanelState = {
  expr: "",
  tab: "graph",
  range: 3600,
  end: undefined,
  moment: undefined,
  step: undefined,
  dedup: true,
  partialResponse: true,
  maxResolution: "",
};

const MAX_PANELS = 20;

/** The panels that a query string describes (`?g0.expr=…&g1.expr=…`); one empty panel if it describes none. */
export function panelsFromSearch(search: string): PanelState[] {
  const params = new URLSearchParams(search);
  const panels: PanelState[] = [];
  for (let i = 0; i < MAX_PANELS && params.has(`g${i}.expr`); i++) {
    panels.push(panelFrom((name) => params.get(`g${i}.${name}`)));
  }
  return panels.length === 0 ? [DEFAULT_PANEL] : panels;
}

function panelFrom(get: (name: string) => string | null): PanelState {
  const flag = (name: string, fallback: boolean): boolean => (get(name) === null ? fallback : get(name) === "1");
  const tab = get("tab");
  return {
    expr: get("expr") ?? "",
    tab: tab === "1" || tab === "table" ? "table" : "graph",
    range: positive(get("range_input")) ?? DEFAULT_PANEL.range,
    end: parseTime(get("end_input")),
    moment: parseTime(get("moment_input")),
    step: positive(get("step_input")),
    dedup: flag("deduplicate", DEFAULT_PANEL.dedup),
    partialResponse: flag("partial_response", DEFAULT_PANEL.partialResponse),
    maxResolution: /^(auto|0s|5m|1h)$/.exec(get("max_source_resolution") ?? "")?.[0] ?? DEFAULT_PANEL.maxResolution,
  };
}

function positive(text: string | null): number | undefined {
  const seconds = text === null ? undefined : parseDuration(text);
  return seconds !== undefined && seconds > 0 ? seconds : undefined;
}

/** The query string, with its question mark, that `panelsFromSearch` reads back. */
export function searchFromPanels(panels: readonly PanelState[]): string {
  const params = new URLSearchParams();
  panels.forEach((panel, i) => {
    const set = (name: string, value: string): void => params.set(`g${i}.${name}`, value);
    set("expr", panel.expr);
    set("tab", panel.tab === "graph" ? "0" : "1");
    set("stacked", "0");
    set("range_input", formatDuration(panel.range));
    if (panel.end !== undefined) set("end_input", timeText(panel.end));
    if (panel.moment !== undefined) set("moment_input", timeText(panel.moment));
    if (panel.step !== undefined) set("step_input", String(panel.step));
    if (panel.maxResolution !== "") set("max_source_resolution", panel.maxResolution);
    set("deduplicate", panel.dedup ? "1" : "0");
    set("partial_response", panel.partialResponse ? "1" : "0");
  });
  return `?${params}`;
}

/** `2024-03-01 14:05:09` in UTC, the form of the address. */
const timeText = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ");

function parseTime(text: string | null): number | undefined {
  if (text === null || text === "") return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  const ms = Date.parse(/[Zz]|[+-]\d\d:\d\d$/.test(text) ? text : `${text.trim().replace(" ", "T")}Z`);
  return Number.isNaN(ms) ? undefined : ms / 1000;
}

/** Seconds between points of a graph `range` seconds long: what was asked for, else about 250 points. */
export const stepFor = (range: number, asked: number | undefined): number =>
  asked ?? Math.max(Math.floor(range / 250), 1);
