import {readFile} from "node:fs/promises";
import {errorText, StrataError} from "@strata/base";
import {Labels, labelsHash, parsePrometheusDuration} from "@strata/model";
import {parseExpr} from "@strata/promql";
import {parse} from "yaml";

export type RecordingGroup = {
  readonly file: string;
  readonly name: string;
  readonly intervalMs: number;
  readonly rules: readonly {
    readonly record: string;
    readonly expr: string;
    readonly labels: Readonly<Record<string, string>>;
  }[];
};

type RawRule = {record?: unknown; alert?: unknown; expr?: unknown; labels?: unknown};
type RawGroup = {name?: unknown; interval?: unknown; labels?: unknown; rules?: unknown};

/** The recording rules of a rule file; alerting rules are left out. Throws `bad_data` naming file and rule. */
export async function readRecordingGroups(file: string, defaultIntervalMs: number): Promise<RecordingGroup[]> {
  const fail = (what: string): StrataError => new StrataError("bad_data", `cannot use rule file ${file}: ${what}`);
  let groups: unknown;
  try {
    groups = (parse(await readFile(file, "utf8")) as {groups?: unknown} | null)?.groups ?? [];
  } catch (err) {
    throw fail(errorText(err).split("\n")[0] as string);
  }
  if (!Array.isArray(groups)) throw fail("groups is not a list");
  return (groups as RawGroup[]).map((group, i) => {
    const {name, interval, rules} = group ?? {};
    if (typeof name !== "string" || name === "") throw fail(`group ${i + 1} has no name`);
    if (rules !== undefined && rules !== null && !Array.isArray(rules))
      throw fail(`group ${name}: rules is not a list`);
    const where = (rule: RawRule, at: number): string => `group ${name}, rule ${at + 1} (${String(rule.record)})`;
    try {
      const own = stringMap(group.labels);
      const recording = ((rules ?? []) as RawRule[]).flatMap((rule, at) => {
        if (rule?.alert !== undefined) return [];
        try {
          return [readRule(rule, own)];
        } catch (err) {
          throw new Error(`${where(rule, at)}: ${errorText(err)}`);
        }
      });
      const intervalMs = interval === undefined ? defaultIntervalMs : parsePrometheusDuration(String(interval));
      if (intervalMs <= 0) throw new Error(`group ${name}: the interval is not above 0`);
      return {file, name, intervalMs, rules: recording};
    } catch (err) {
      throw fail(errorText(err));
    }
  });
}

function readRule(rule: RawRule, groupLabels: Readonly<Record<string, string>>): RecordingGroup["rules"][number] {
  const {record, expr, labels} = rule;
  if (typeof record !== "string" || record === "") throw new Error("it has neither record nor alert");
  if (typeof expr !== "string" && typeof expr !== "number") throw new Error("it has no expr");
  parseExpr(String(expr));
  return {record, expr: String(expr), labels: {...groupLabels, ...stringMap(labels)}};
}

function stringMap(value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw new Error("labels is not a map");
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]));
}

/**
 * The group's first evaluation at or after `from` (ms, a whole second; fractions of the result's second do not count), in
 * whole ms. Groups are spread over their interval by a hash of file and name, so that backfilled samples lie where a
 * server's do.
 */
export function firstEvaluation({file, name, intervalMs}: RecordingGroup, from: number): number {
  const interval = BigInt(intervalMs) * 1_000_000n;
  const offset = labelsHash(new Labels(["file", file, "name", name])) % interval;
  const start = BigInt(from) * 1_000_000n;
  const before = start - offset;
  let slot = before - (before % interval) + offset;
  while (slot / 1_000_000_000n < start / 1_000_000_000n) slot += interval;
  return Number((slot + 500_000n) / 1_000_000n);
}
