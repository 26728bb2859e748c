import {errorText, StrataError} from "@strata/base";
import {newContent} from "./content.ts";
import {fileFlagOf, type Occurrence} from "./scan.ts";
import type {Flag, FlagTable, FlagValues} from "./spec.ts";

export type ParsedFlags<T extends FlagTable> = {
  readonly values: FlagValues<T>;
  /** Every flag as `/api/v1/status/flags` shows it: hidden ones too, object storage configuration masked. */
  readonly shown: Readonly<Record<string, string>>;
  /** Notices about deprecated flags that were given. */
  readonly notices: readonly string[];
  /** Names of the flags that were given. */
  readonly given: ReadonlySet<string>;
};

const MASKED = "<REDACTED>";

/** Turns occurrences into values. Throws `bad_data` for what kingpin ends with exit code 2 for. */
export function parseFlags<T extends FlagTable>(table: T, occurrences: readonly Occurrence[]): ParsedFlags<T> {
  const owners = flagOwners(table);
  const texts = new Map<string, string[]>();
  const notices: string[] = [];
  for (const {name, text} of occurrences) {
    const owner = owners.get(name);
    if (owner === undefined) continue;
    const before = texts.get(name);
    if (before !== undefined && owner.flag.kind !== "many") throw bad(`flag '${name}' cannot be repeated`);
    texts.set(name, [...(before ?? []), ...(owner.flag.commas === true ? splitCommas(text) : [text])]);
    if (owner.flag.deprecated !== undefined && before === undefined) {
      notices.push(`flag --${name} is deprecated; ${owner.flag.deprecated}`);
    }
  }
  shareTexts(table, occurrences, texts);
  checkRequired(table, texts);
  const values: Record<string, unknown> = {};
  const shown: Record<string, string> = {};
  for (const [name, flag] of Object.entries(table)) {
    if (flag.kind === "content") readContent(name, flag, texts, values, shown);
    else readValue(name, flag, texts.get(name), values, shown);
  }
  return {values: values as FlagValues<T>, shown, notices, given: new Set(occurrences.map((o) => o.name))};
}

type Owner = {readonly name: string; readonly flag: Flag<unknown>};

/** Which declaration each name on the command line belongs to: content declares two names. */
function flagOwners(table: FlagTable): Map<string, Owner> {
  const owners = new Map<string, Owner>();
  for (const [name, flag] of Object.entries(table)) {
    owners.set(name, {name, flag});
    if (flag.kind === "content") owners.set(fileFlagOf(name, flag), {name, flag});
  }
  return owners;
}

const splitCommas = (text: string): string[] => text.split(",").map((part) => part.trim());

/** Flags that write the same variable: whichever came last counts for both. */
function shareTexts(table: FlagTable, occurrences: readonly Occurrence[], texts: Map<string, string[]>): void {
  for (const [name, flag] of Object.entries(table)) {
    const other = flag.sharesWith;
    if (other === undefined) continue;
    const last = occurrences.findLast((o) => o.name === name || o.name === other);
    if (last === undefined) continue;
    texts.set(name, [last.text]);
    texts.set(other, [last.text]);
  }
}

function checkRequired(table: FlagTable, texts: ReadonlyMap<string, readonly string[]>): void {
  const missing = Object.entries(table).filter(
    ([name, flag]) => flag.required === true && flag.kind !== "content" && !texts.has(name),
  );
  if (missing.length > 0) {
    throw bad(`required flag(s) ${missing.map(([name]) => `'--${name}'`).join(", ")} not provided`);
  }
}

function readContent(
  name: string,
  flag: Flag<unknown>,
  texts: ReadonlyMap<string, readonly string[]>,
  values: Record<string, unknown>,
  shown: Record<string, string>,
): void {
  const fileFlag = fileFlagOf(name, flag);
  const path = texts.get(fileFlag)?.[0] ?? "";
  const text = texts.get(name)?.[0] ?? "";
  values[name] = newContent({
    flag: name,
    fileFlag,
    path,
    text,
    required: flag.required === true,
    expandEnv: flag.expandEnv !== false,
  });
  // Compat: the bucket's pair is always masked. Text given inline may hold passwords, whatever it configures.
  const bucket = name === "objstore.config";
  shown[name] = bucket || text !== "" ? MASKED : "";
  shown[fileFlag] = bucket ? MASKED : path;
}

function readValue(
  name: string,
  flag: Flag<unknown>,
  given: readonly string[] | undefined,
  values: Record<string, unknown>,
  shown: Record<string, string>,
): void {
  const texts = given ?? defaultTexts(flag);
  const parsed = texts.map((text) => parseOne(name, flag, text));
  if (flag.kind === "many") values[name] = parsed;
  else values[name] = parsed[0];
  shown[name] = parsed.map((value) => flag.type.format(value)).join(",");
}

/** What stands for a flag that was not given. A type that cannot be empty has a zero of its own. */
function defaultTexts(flag: Flag<unknown>): readonly string[] {
  if (flag.default !== undefined) return typeof flag.default === "string" ? [flag.default] : flag.default;
  if (flag.kind === "many") return [];
  return [flag.kind === "bool" ? "false" : zeroText(flag)];
}

function zeroText(flag: Flag<unknown>): string {
  for (const text of ["", "0"]) {
    try {
      flag.type.parse(text);
      return text;
    } catch {
      // This zero is not in the type's language; the next one is.
    }
  }
  throw new StrataError("internal", `BUG: a flag of type ${flag.type.placeholder} has no default`);
}

function parseOne(name: string, flag: Flag<unknown>, text: string): unknown {
  try {
    return flag.type.parse(text);
  } catch (err) {
    throw new StrataError("bad_data", `flag --${name}: ${errorText(err)}`, {cause: err});
  }
}

const bad = (message: string): StrataError => new StrataError("bad_data", message);
