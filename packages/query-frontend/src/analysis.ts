import {formatGoDuration, parseGoDuration} from "@strata/model";

/** How the querier came to its answer: `analyze=true`. */
export type Analysis = Partial<Costs> & {
  readonly name: string;
  readonly executionTime: string;
  readonly children: readonly Analysis[] | null;
};

/** What Strata's queriers tell besides. Compat: of others only name and time are passed on. */
type Costs = {
  readonly peakSamples: number;
  readonly totalSamples: number;
  readonly series: number;
  readonly peakBytes: number;
  readonly fanout: readonly Endpoint[] | undefined;
};

/** What an endpoint gave for a selection: its address, how long it took, and counts. */
type Endpoint = Readonly<Record<string, string | number>>;

/** How parts make up a whole: by time they have the same series, as shards each has its own. */
export type PartKind = "times" | "shards";

export const NO_ANALYSIS: Analysis = {name: "", executionTime: "0s", children: null};

/** A tree of the querier's; undefined for null. */
export function readAnalysis(value: unknown): Analysis | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const {name = "", executionTime = "0s", children, ...rest} = value as Partial<Analysis>;
  return {
    name,
    executionTime,
    ...costsOf(rest),
    children: children?.map((child) => readAnalysis(child) ?? NO_ANALYSIS) ?? null,
  };
}

function costsOf({peakSamples, totalSamples, series, peakBytes, fanout}: Partial<Costs>): Partial<Costs> {
  if (peakBytes === undefined) return {};
  return {
    peakSamples: count(peakSamples),
    totalSamples: count(totalSamples),
    series: count(series),
    peakBytes: count(peakBytes),
    ...(Array.isArray(fanout) ? {fanout: fanout.filter((one) => typeof one === "object" && one !== null)} : {}),
  };
}

const count = (value: unknown): number => (typeof value === "number" ? value : 0);

/** Compat: the first tree, with the times of the others added where they have the same form. */
export function mergeAnalyses(all: readonly (Analysis | undefined)[], kind: PartKind): Analysis | undefined {
  const [first, ...rest] = all.filter((tree) => tree !== undefined);
  return rest.reduce<Analysis | undefined>((sum, tree) => (sum === undefined ? tree : added(sum, tree, kind)), first);
}

function added(a: Analysis, b: Analysis, kind: PartKind): Analysis {
  const children = a.children?.map((child, i) => {
    const other = b.children?.[i];
    return other === undefined ? child : added(child, other, kind);
  });
  return {
    name: a.name,
    executionTime: formatGoDuration(durationMs(a.executionTime) + durationMs(b.executionTime)),
    ...addedCosts(a, b, kind),
    children: children ?? a.children,
  };
}

function addedCosts(a: Analysis, b: Analysis, kind: PartKind): Partial<Costs> {
  const fanout = [...(a.fanout ?? []), ...(b.fanout ?? [])];
  return costsOf({
    peakSamples: Math.max(count(a.peakSamples), count(b.peakSamples)),
    totalSamples: count(a.totalSamples) + count(b.totalSamples),
    series: kind === "shards" ? count(a.series) + count(b.series) : Math.max(count(a.series), count(b.series)),
    ...(a.peakBytes === undefined ? {} : {peakBytes: Math.max(a.peakBytes, count(b.peakBytes))}),
    ...(fanout.length === 0 ? {} : {fanout: byAddress(fanout, kind)}),
  });
}

/** One line an endpoint, whatever the number of parts that asked it. */
function byAddress(fanout: readonly Endpoint[], kind: PartKind): Endpoint[] {
  const lines = new Map<unknown, Endpoint>();
  for (const endpoint of fanout) {
    const known = lines.get(endpoint.endpointAddr);
    lines.set(endpoint.endpointAddr, known === undefined ? endpoint : addedEndpoint(known, endpoint, kind));
  }
  return [...lines.values()];
}

function addedEndpoint(a: Endpoint, b: Endpoint, kind: PartKind): Endpoint {
  const add = (name: string, value: string | number): string | number => {
    const other = b[name];
    if (name === "duration") return formatGoDuration(durationMs(value) + durationMs(other));
    if (typeof value !== "number" || typeof other !== "number") return value;
    return name === "series" && kind === "times" ? Math.max(value, other) : value + other;
  };
  return Object.fromEntries(Object.entries(a).map(([name, value]) => [name, add(name, value)]));
}

/** 0 for what is no duration: a peer may say anything. */
function durationMs(text: unknown): number {
  try {
    return parseGoDuration(String(text));
  } catch {
    return 0;
  }
}
