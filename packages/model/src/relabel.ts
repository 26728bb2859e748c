import {createHash} from "node:crypto";
import {StrataError} from "@strata/base";
import {goQuote, isLegacyLabelName} from "./go-quote.ts";
import {Labels} from "./labels.ts";
import {compileRegex, expandGroups, type Regex} from "./re2.ts";

const ACTIONS = [
  "replace",
  "keep",
  "drop",
  "keepequal",
  "dropequal",
  "hashmod",
  "labelmap",
  "labeldrop",
  "labelkeep",
  "lowercase",
  "uppercase",
] as const;

export type RelabelAction = (typeof ACTIONS)[number];

/** One relabelling rule, checked and compiled; `relabelConfig` makes it. */
export type RelabelConfig = {
  readonly action: RelabelAction;
  readonly sourceLabels: readonly string[];
  readonly separator: string;
  readonly regex: Regex;
  readonly modulus: bigint;
  readonly targetLabel: string;
  readonly replacement: string;
};

/** A rule as a configuration file spells it (snake case, everything optional). */
export type RelabelConfigInput = {
  readonly action?: string | undefined;
  readonly source_labels?: readonly string[] | undefined;
  readonly separator?: string | undefined;
  readonly regex?: string | undefined;
  readonly modulus?: number | undefined;
  readonly target_label?: string | undefined;
  readonly replacement?: string | undefined;
};

const DEFAULT_REGEX = "(.*)";
const DEFAULT_REPLACEMENT = "$1";
const DEFAULT_SEPARATOR = ";";
const FIELDS = ["action", "source_labels", "separator", "regex", "modulus", "target_label", "replacement"] as const;

/** Reads a parsed YAML list of rules; throws `bad_data` naming the rule's position and what is wrong with it. */
export function relabelConfigs(document: unknown): RelabelConfig[] {
  if (document === undefined || document === null) return [];
  if (!Array.isArray(document)) throw bad("relabel configuration must be a list");
  return document.map((entry: unknown, i) => {
    if (typeof entry !== "object" || entry === null || Array.isArray(entry))
      throw bad(`relabel rule ${i} must be a mapping`);
    return relabelConfig(checkedInput(entry as Record<string, unknown>, i));
  });
}

function checkedInput(entry: Record<string, unknown>, position: number): RelabelConfigInput {
  for (const [key, value] of Object.entries(entry)) {
    if (!(FIELDS as readonly string[]).includes(key)) throw bad(`relabel rule ${position}: field ${key} not found`);
    const fits =
      value === null ||
      (key === "source_labels"
        ? Array.isArray(value) && value.every((name) => typeof name === "string")
        : key === "modulus"
          ? typeof value === "number" && Number.isSafeInteger(value) && value >= 0
          : typeof value === "string" || typeof value === "number" || typeof value === "boolean");
    if (!fits) throw bad(`relabel rule ${position}: cannot use ${JSON.stringify(value)} as ${key}`);
  }
  const text = (key: string): string | undefined =>
    entry[key] === undefined || entry[key] === null ? undefined : String(entry[key]);
  return {
    action: text("action"),
    source_labels: (entry.source_labels ?? undefined) as readonly string[] | undefined,
    separator: text("separator"),
    regex: text("regex"),
    modulus: (entry.modulus ?? undefined) as number | undefined,
    target_label: text("target_label"),
    replacement: text("replacement"),
  };
}

/** Fills in defaults, compiles and checks one rule. Throws `bad_data`. */
export function relabelConfig(input: RelabelConfigInput): RelabelConfig {
  const action = (input.action ?? "replace").toLowerCase() as RelabelAction;
  if (input.action === "") throw bad("relabel action cannot be empty");
  if (!ACTIONS.includes(action)) throw bad(`unknown relabel action ${goQuote(input.action ?? "")}`);
  const config: RelabelConfig = {
    action,
    sourceLabels: input.source_labels ?? [],
    separator: input.separator ?? DEFAULT_SEPARATOR,
    regex: compileRegex(input.regex ?? DEFAULT_REGEX),
    modulus: BigInt(input.modulus ?? 0),
    targetLabel: input.target_label ?? "",
    replacement: input.replacement ?? DEFAULT_REPLACEMENT,
  };
  check(config);
  return config;
}

function check(config: RelabelConfig): void {
  const {action, targetLabel} = config;
  if (action === "hashmod" && config.modulus === 0n) {
    throw bad("relabel configuration for hashmod requires non-zero modulus");
  }
  const needsTarget = ["replace", "hashmod", "lowercase", "uppercase", "keepequal", "dropequal"].includes(action);
  if (needsTarget && targetLabel === "") {
    throw bad(`relabel configuration for ${action} action requires 'target_label' value`);
  }
  const plainReplacement = config.replacement === DEFAULT_REPLACEMENT;
  if ((action === "lowercase" || action === "uppercase") && !plainReplacement) {
    throw bad(`'replacement' can not be set for ${action} action`);
  }
  const defaults = config.regex.pattern === DEFAULT_REGEX && config.separator === DEFAULT_SEPARATOR && plainReplacement;
  if ((action === "keepequal" || action === "dropequal") && !(defaults && config.modulus === 0n)) {
    throw bad(`${action} action requires only 'source_labels' and 'target_label', and no other fields`);
  }
  const onlyRegex =
    config.sourceLabels.length === 0 &&
    targetLabel === "" &&
    config.modulus === 0n &&
    config.separator === DEFAULT_SEPARATOR &&
    plainReplacement;
  if ((action === "labeldrop" || action === "labelkeep") && !onlyRegex) {
    throw bad(`${action} action requires only 'regex', and no other fields`);
  }
}

/** The labels after all rules in order, or undefined where a rule drops the target. */
export function relabel(labels: Labels, configs: readonly RelabelConfig[]): Labels | undefined {
  if (configs.length === 0) return labels;
  const map = new Map(labels);
  for (const config of configs) if (!apply(map, config)) return undefined;
  return Labels.fromPairs(map);
}

/** Applies one rule in place; false drops the target. Setting an empty value removes a label. */
function apply(map: Map<string, string>, config: RelabelConfig): boolean {
  const {regex, targetLabel} = config;
  const value = config.sourceLabels.map((name) => map.get(name) ?? "").join(config.separator);
  switch (config.action) {
    case "keep":
      return regex.test(value);
    case "drop":
      return !regex.test(value);
    case "keepequal":
      return (map.get(targetLabel) ?? "") === value;
    case "dropequal":
      return (map.get(targetLabel) ?? "") !== value;
    case "replace":
      replace(map, config, value);
      return true;
    case "lowercase":
      set(
        map,
        targetLabel,
        mapCase(value, (char) => char.toLowerCase()),
      );
      return true;
    case "uppercase":
      set(
        map,
        targetLabel,
        mapCase(value, (char) => char.toUpperCase()),
      );
      return true;
    case "hashmod":
      set(map, targetLabel, String(hashMod(value, config.modulus)));
      return true;
    case "labelmap":
      for (const [name, own] of [...map]) {
        const groups = regex.groups(name);
        if (groups !== undefined) set(map, expandGroups(config.replacement, groups.get), own);
      }
      return true;
    case "labeldrop":
      for (const name of [...map.keys()]) if (regex.test(name)) map.delete(name);
      return true;
    case "labelkeep":
      for (const name of [...map.keys()]) if (!regex.test(name)) map.delete(name);
      return true;
  }
}

function replace(map: Map<string, string>, config: RelabelConfig, value: string): void {
  const groups = config.regex.groups(value);
  if (groups === undefined) return;
  const target = expandGroups(config.targetLabel, groups.get);
  // Compat: a target that a template made empty is left alone, as is one that was never a legal name.
  if (target === "") return;
  set(map, target, expandGroups(config.replacement, groups.get));
}

function set(map: Map<string, string>, name: string, value: string): void {
  if (value === "") map.delete(name);
  else map.set(name, value);
}

/** Go's rule: per character, and only where the mapping is one to one (German sharp s stays as it is). */
function mapCase(value: string, mapping: (char: string) => string): string {
  let out = "";
  for (const char of value) {
    const mapped = char === "\u0130" && mapping("A") === "a" ? "i" : mapping(char);
    out += [...mapped].length === 1 ? mapped : char;
  }
  return out;
}

/** The low 64 bits of the MD5, modulo `modulus`. */
export function hashMod(value: string, modulus: bigint): bigint {
  return createHash("md5").update(value).digest().readBigUInt64BE(8) % modulus;
}

/** Whether a name may stand for a label: any text but the empty one; before UTF-8 names, only plain identifiers. */
export const isLabelName = (name: string, legacyOnly = false): boolean =>
  legacyOnly ? isLegacyLabelName(name) : name !== "";

const bad = (message: string): StrataError => new StrataError("bad_data", message);
