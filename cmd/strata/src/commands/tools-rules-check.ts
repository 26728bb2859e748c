import {globSync, readFileSync} from "node:fs";
import {errorText, StrataError} from "@strata/base";
import {HttpClient} from "@strata/http-client";
import {
  type Finding,
  type GroupSpec,
  type LintSource,
  lintRules,
  parseRuleFile,
  type RuleFileError,
  ruleFileErrorText,
} from "@strata/rules";
import {type Logger, newLogger} from "@strata/telemetry";
import type {globalFlags} from "../flags/shared.ts";
import type {FlagValues} from "../flags/spec.ts";
import {rulesCheckFlags} from "../flags/tools.ts";
import {PROGRAM} from "../program.ts";
import {defineCommand} from "./tree.ts";

/** Exit codes: nothing wrong, rules that cannot be used, and rules that can but should be looked at. */
const CLEAN = 0;
const FAILED = 1;
const FOUND = 3;

/** Everything in the files may be used: the checks are about what is written, not about what a querier has switched on. */
const PARSE = {
  experimentalFunctions: true,
  extendedRangeSelectors: true,
  binopFillModifiers: true,
  xFunctions: true,
} as const;

/** Checks rule files; as Thanos does, and with `--lint` more. */
export const rulesCheck = defineCommand(rulesCheckFlags, async ({flags}) => {
  const globals = flags as unknown as FlagValues<typeof globalFlags>;
  const log = newLogger({level: globals["log.level"], format: globals["log.format"], name: globals["debug.name"]});
  const print = flags.output === "text" ? log : undefined;
  const {errors, groups} = readAll(flags.rules, print);
  const findings = flags.lint ? await lint(groups, flags) : [];
  report(flags.output, errors, findings);
  if (errors.length > 0) {
    process.stderr.write(`${PROGRAM}: error: ${errors.length} errors in rule files\n`);
    return FAILED;
  }
  return findings.length > 0 ? FOUND : CLEAN;
});

type Read = {readonly errors: RuleFileError[]; readonly groups: GroupSpec[]};

function readAll(patterns: readonly string[], log: Logger | undefined): Read {
  const read: Read = {errors: [], groups: []};
  for (const pattern of patterns) {
    log?.info("checking", {pattern});
    const files = globSync(pattern).sort();
    if (files.length === 0) {
      read.errors.push(fileError(pattern, "matching file not found"));
      log?.error("check failed", {result: "FAILED", error: "matching file not found"});
    }
    for (const file of files) readOne(file, read, log);
  }
  return read;
}

function readOne(file: string, read: Read, log: Logger | undefined): void {
  log?.info("checking", {filename: file});
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (err) {
    read.errors.push(fileError(file, `cannot read it: ${errorText(err)}`));
    log?.error("check failed", {result: "FAILED", error: errorText(err)});
    return;
  }
  const {groups, errors, warnings, rules} = parseRuleFile(file, text, {parse: PARSE, manifests: true});
  for (const warning of warnings) log?.warn(warning);
  read.groups.push(...groups);
  read.errors.push(...errors);
  if (errors.length === 0) log?.info("check passed", {result: "SUCCESS", rulesfound: rules});
  else {
    log?.error("check failed", {result: "FAILED"});
    for (const error of errors) log?.error("rule is faulty", {error: ruleFileErrorText(error)});
  }
}

const fileError = (file: string, message: string): RuleFileError => ({
  file,
  line: 0,
  column: 0,
  group: undefined,
  rule: undefined,
  ruleName: "",
  message,
});

async function lint(groups: readonly GroupSpec[], flags: FlagValues<typeof rulesCheckFlags>): Promise<Finding[]> {
  const scrapeIntervalMs = flags["scrape-interval"];
  if (flags.query === "") return lintRules(groups, {scrapeIntervalMs});
  const url = /^https?:\/\//.test(flags.query) ? flags.query : `http://${flags.query}`;
  if (!URL.canParse(url)) throw new StrataError("bad_data", `cannot use --query=${flags.query}: it is no address`);
  const client = new HttpClient(new URL(url), {}, PROGRAM);
  try {
    return await lintRules(groups, {scrapeIntervalMs, source: lintSource(client)});
  } finally {
    client.close();
  }
}

/** How long a series may be gone and still count as there, s. */
const RECENT_SECONDS = 3600;
/** Window over which scrapes are counted, s. */
const COUNT_SECONDS = 600;
const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

function lintSource(client: HttpClient): LintSource {
  const ask = async <T>(path: string, params: Record<string, string>): Promise<T> => {
    const request = {method: "GET" as const, path: `/api/v1/${path}`, params: new URLSearchParams(params)};
    const body = await client.body(request, MAX_ANSWER_BYTES, AbortSignal.timeout(TIMEOUT_MS));
    return (JSON.parse(body.toString("utf8")) as {data: T}).data;
  };
  return {
    async exists(selector) {
      const now = Date.now() / 1000;
      const start = String(now - RECENT_SECONDS);
      const series = await ask<unknown[]>("series", {"match[]": selector, start, end: String(now), limit: "1"});
      return series.length > 0;
    },
    async types() {
      const metadata = await ask<Record<string, {type: string}[]>>("metadata", {});
      return new Map(Object.entries(metadata).map(([metric, [first]]) => [metric, first?.type ?? "unknown"]));
    },
    async scrapeInterval(metric) {
      const selector = JSON.stringify(metric);
      const query = `max(count_over_time({__name__=${selector}}[${COUNT_SECONDS}s]))`;
      type Vector = {result: {value: [number, string]}[]};
      const count = Number((await ask<Vector>("query", {query})).result[0]?.value[1] ?? "0");
      // Of a series that has just begun nothing can be said.
      return count < MIN_COUNT ? undefined : (COUNT_SECONDS * 1000) / count;
    },
  };
}

/** Fewer samples than this say nothing about how far they lie apart. */
const MIN_COUNT = 8;

function report(
  output: "text" | "json" | "github",
  errors: readonly RuleFileError[],
  findings: readonly Finding[],
): void {
  const lines: string[] = [];
  if (output === "json") lines.push(JSON.stringify([...errors.map(errorJson), ...findings.map(findingJson)], null, 2));
  else if (output === "github") lines.push(...errors.map(errorCommand), ...findings.map(findingCommand));
  else lines.push(...findings.map(findingText));
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
}

const errorJson = ({file, line, column, group, rule, ruleName, message}: RuleFileError): unknown => ({
  file,
  line,
  column,
  group: group ?? "",
  rule: rule ?? 0,
  name: ruleName,
  check: "valid",
  severity: "error",
  message,
});

const findingJson = ({file, line, group, rule, name, check, message}: Finding): unknown => ({
  file,
  line,
  column: 0,
  group,
  rule,
  name,
  check,
  severity: "warning",
  message,
});

const findingText = ({file, line, group, rule, name, check, message}: Finding): string =>
  `${file}:${line}: group ${JSON.stringify(group)}, rule ${rule}, ${JSON.stringify(name)}: ${message} [${check}]`;

const errorCommand = (error: RuleFileError): string =>
  command("error", error.file, error.line, error.ruleName || error.group || "rules", error.message);

const findingCommand = ({file, line, name, check, message}: Finding): string =>
  command("warning", file, line, `${name} (${check})`, message);

/** A workflow command, which GitHub shows beside the line. */
function command(kind: string, file: string, line: number, title: string, message: string): string {
  const data = (text: string): string => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
  const property = (text: string): string => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
  const place = line > 0 ? `,line=${line}` : "";
  return `::${kind} file=${property(file)}${place},title=${property(title)}::${data(message)}`;
}
