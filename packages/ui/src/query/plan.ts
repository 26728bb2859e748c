/** What an endpoint gave to one selection of an analyzed query. */
export type Fanout = {
  readonly endpointAddr: string;
  readonly duration: string;
  readonly bytesProcessed: number;
  readonly series: number;
  readonly chunks: number;
  readonly samples: number;
};

/** An operator of a plan as the API gives it; the costs are there only after an analysis, by Thanos' frontend only the time. */
export type Plan = {
  readonly name: string;
  /** A duration as Go writes it, with all that is below. */
  readonly executionTime?: string;
  readonly totalSamples?: number;
  readonly series?: number;
  readonly peakBytes?: number;
  readonly fanout?: readonly Fanout[];
  readonly children?: readonly Plan[] | null;
};

/** An operator with how deep in the tree it stands. */
export type PlanRow = {
  readonly plan: Plan;
  readonly depth: number;
  readonly operator: string;
  readonly detail: string;
  /** ms; of this operator without those below. */
  readonly ownMs: number;
};

/** The operators from the root down, each before what it reads from. */
export function planRows(plan: Plan, depth = 0): PlanRow[] {
  const [, operator = plan.name, detail = ""] = /^\[(.*?)\] ?([\s\S]*)$/.exec(plan.name) ?? [];
  const children = plan.children ?? [];
  const below = children.reduce((sum, child) => sum + timeMs(child), 0);
  // Parts that run side by side take longer together than the whole.
  const ownMs = Math.max(0, timeMs(plan) - below);
  return [{plan, depth, operator, detail, ownMs}, ...children.flatMap((child) => planRows(child, depth + 1))];
}

/** How long an operator took, with all that is below. */
export const timeMs = ({executionTime = "0s"}: Plan): number => goDurationMs(executionTime);

const UNIT_MS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  µs: 1e-3,
  us: 1e-3,
  ns: 1e-6,
};

/** Milliseconds of a duration such as `1m2.5s`, `850µs`. */
export function goDurationMs(text: string): number {
  let ms = 0;
  for (const [, number, unit = ""] of text.matchAll(/([\d.]+)(ms|µs|us|ns|h|m|s)/g)) {
    ms += Number(number) * (UNIT_MS[unit] ?? 0);
  }
  return ms;
}
