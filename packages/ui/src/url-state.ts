import {formatDuration, parseDuration} from "./format.ts";

/** What the result is looked at as. */
export type Tab = "graph" | "table" | "tree" | "explain";
/** How the graph is drawn. */
export type GraphMode = "lines" | "stacked" | "heatmap";

/** What one panel shows; all of it is in the page's address, in the words of Thanos' own page where it has them. */
export type PanelState = {
  /** At least one; more than one are drawn on one graph. */
  readonly exprs: readonly string[];
  readonly tab: Tab;
  readonly mode: GraphMode;
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
  /** "" leaves it to the server. */
  readonly tenant: string;
  /** Addresses of the only endpoints to ask; none is all of them. */
  readonly stores: readonly string[];
};

export const DEFAULT_PANEL: PanelState = {
  exprs: [""],
  tab: "graph",
  mode: "lines",
  range: 3600,
  end: undefined,
  moment: undefined,
  step: undefined,
  dedup: true,
  partialResponse: true,
  maxResolution: "",
  tenant: "",
  stores: [],
};

const MAX_PANELS = 20;
/** Expressions on one graph at most; more cannot be told apart. */
export const MAX_EXPRS = 8;
/** In the address; Thanos' page knows the first two. */
const TABS: readonly (readonly [Tab, string])[] = [
  ["graph", "0"],
  ["table", "1"],
  ["tree", "tree"],
  ["explain", "explain"],
];

/** The panels that a query string describes (`?g0.expr=…&g1.expr=…`); one empty panel if it describes none. */
export function panelsFromSearch(search: string): PanelState[] {
  const params = new URLSearchParams(search);
  const panels: PanelState[] = [];
  for (let i = 0; i < MAX_PANELS && params.has(`g${i}.expr`); i++) {
    const exprs = params.getAll(`g${i}.expr`).slice(0, MAX_EXPRS);
    panels.push(panelFrom(exprs, (name) => params.get(`g${i}.${name}`)));
  }
  return panels.length === 0 ? [DEFAULT_PANEL] : panels;
}

function panelFrom(exprs: readonly string[], get: (name: string) => string | null): PanelState {
  const flag = (name: string, fallback: boolean): boolean => (get(name) === null ? fallback : get(name) === "1");
  return {
    exprs,
    tab: TABS.find(([tab, text]) => get("tab") === text || get("tab") === tab)?.[0] ?? DEFAULT_PANEL.tab,
    mode: modeFrom(get("display_mode"), get("stacked")),
    range: positive(get("range_input")) ?? DEFAULT_PANEL.range,
    end: parseTime(get("end_input")),
    moment: parseTime(get("moment_input")),
    step: positive(get("step_input")),
    dedup: flag("deduplicate", DEFAULT_PANEL.dedup),
    partialResponse: flag("partial_response", DEFAULT_PANEL.partialResponse),
    maxResolution: /^(auto|0s|5m|1h)$/.exec(get("max_source_resolution") ?? "")?.[0] ?? DEFAULT_PANEL.maxResolution,
    tenant: get("tenant") ?? "",
    stores: storesFrom(get("store_matches")),
  };
}

/** Prometheus' page has a word for each mode, Thanos' and Prometheus' older one only say whether lines are stacked. */
function modeFrom(word: string | null, stacked: string | null): GraphMode {
  if (word === "heatmap" || word === "stacked") return word;
  return word === null && stacked === "1" ? "stacked" : "lines";
}

/** Thanos' page puts whole endpoints there, of which only the name matters. */
function storesFrom(text: string | null): readonly string[] {
  try {
    const list = JSON.parse(text ?? "[]") as unknown;
    if (!Array.isArray(list)) return [];
    return list.map((item) => (item as {name?: unknown} | null)?.name).filter((name) => typeof name === "string");
  } catch {
    return [];
  }
}

function positive(text: string | null): number | undefined {
  const seconds = text === null ? undefined : parseDuration(text);
  return seconds !== undefined && seconds > 0 ? seconds : undefined;
}

/** The query string, with its question mark, that `panelsFromSearch` reads back. */
export function searchFromPanels(panels: readonly PanelState[]): string {
  const params = new URLSearchParams();
  panels.forEach((panel, i) => {
    const set = (name: string, value: string): void => params.append(`g${i}.${name}`, value);
    for (const expr of panel.exprs) set("expr", expr);
    set("tab", TABS.find(([tab]) => tab === panel.tab)?.[1] ?? "0");
    set("stacked", panel.mode === "stacked" ? "1" : "0");
    if (panel.mode !== "lines") set("display_mode", panel.mode);
    set("range_input", formatDuration(panel.range));
    if (panel.end !== undefined) set("end_input", timeText(panel.end));
    if (panel.moment !== undefined) set("moment_input", timeText(panel.moment));
    if (panel.step !== undefined) set("step_input", String(panel.step));
    if (panel.maxResolution !== "") set("max_source_resolution", panel.maxResolution);
    set("deduplicate", panel.dedup ? "1" : "0");
    set("partial_response", panel.partialResponse ? "1" : "0");
    if (panel.tenant !== "") set("tenant", panel.tenant);
    if (panel.stores.length > 0) set("store_matches", JSON.stringify(panel.stores.map((name) => ({name}))));
  });
  return `?${params}`;
}

/** The panel as others are to see it: what ended "now" ends at `now`, Unix seconds. */
export const pinned = (panel: PanelState, now: number): PanelState => ({
  ...panel,
  end: panel.end ?? Math.round(now),
  moment: panel.moment ?? Math.round(now),
});

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

/** The name of the i-th expression of a panel: A, B, … */
export const exprLetter = (i: number): string => String.fromCharCode(65 + i);
