import {appendFileSync} from "node:fs";

/** Values by system: `{strata: 12.1, thanos: 31}`. */
export type Values = Readonly<Record<string, number>>;
/** Points of a line by system, x first. */
export type Lines = Readonly<Record<string, readonly (readonly [x: number, y: number])[]>>;

export type FigureOptions = {
  /** What was measured: "time", "CPU", "peak memory"; figures of one measure stand in one plot. "time" if absent. */
  readonly measure?: string;
  /** Strata's value as a share of the other's; worked out from `values` if absent. */
  readonly ratio?: number;
  /** Which way is good; "less" if absent. */
  readonly better?: "less" | "more";
};

/**
 * One result of the scenario for the report of `npm run bench`: a name, a unit, the value of each system. Does nothing when
 * the scenario runs by itself.
 */
export function record(name: string, unit: string, values: Values, options: FigureOptions = {}): void {
  const {measure = "time", better = "less"} = options;
  const {strata, ...others} = values;
  const other = Object.values(others)[0];
  const ratio = options.ratio ?? (strata === undefined || other === undefined ? undefined : strata / other);
  write({kind: "figure", name, measure, unit, better, values, ratio});
}

/** A curve for the report: how `name` grows with `x` ("series", "clients"), a line a system. */
export function recordCurve(name: string, unit: string, x: string, lines: Lines): void {
  write({kind: "curve", name, unit, x, lines});
}

/** `{strata: of(strata's), thanos: of(thanos')}` of results that stand in the order of the systems. */
export function bySystem<T>(
  systems: readonly {readonly name: string}[],
  results: readonly T[],
  of: (result: T) => number,
): Record<string, number> {
  const out: Record<string, number> = {};
  for (const [i, {name}] of systems.entries()) {
    const value = results[i] === undefined ? Number.NaN : of(results[i]);
    if (Number.isFinite(value)) out[name] = value;
  }
  return out;
}

/** A row a line, so that what a scenario measured before it failed is kept. */
function write(row: object): void {
  const file = process.env.STRATA_BENCH_ROWS;
  if (file !== undefined && file !== "") appendFileSync(file, `${JSON.stringify(row)}\n`);
}
