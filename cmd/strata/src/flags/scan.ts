import {readFileSync} from "node:fs";
import {errorText, StrataError} from "@strata/base";
import {goQuote} from "@strata/model";
import {nearest} from "./nearest.ts";
import type {Flag, FlagTable} from "./spec.ts";

/** A flag as it stood on the command line; `text` is "true" or "false" for a boolean. */
export type Occurrence = {readonly name: string; readonly text: string};

/** A node of the tree of commands, as far as the scanner has to know it. */
export type ScanCommand = {
  readonly name: string;
  readonly flags: FlagTable;
  readonly commands: readonly ScanCommand[];
  /** How many plain arguments it takes; none by default. */
  readonly maxArgs?: number;
};

export type Scanned = {
  /** From the root to the command that was named; the root alone when none was. */
  readonly path: readonly ScanCommand[];
  /** In the order of the command line. */
  readonly occurrences: readonly Occurrence[];
  /** Plain arguments of the command. */
  readonly args: readonly string[];
  /** `help` was given as a command. */
  readonly helpCommand: boolean;
};

/** Options of every command that act at once and have no value. */
export const HELP_FLAGS = ["help", "help-long", "help-man", "version"] as const;

type ArgToken = {readonly kind: "long" | "short" | "arg"; readonly text: string};

/**
 * Reads a command line by the rules of kingpin: global flags before or after the command, `--flag=value` and
 * `--flag value`, `--no-flag` for booleans, `-f` and `-fvalue`, `@file` with one argument a line, `--` before plain
 * arguments. Values are not looked at. Throws `bad_data` for what kingpin ends with exit code 1 for.
 */
export function scan(argv: readonly string[], root: ScanCommand): Scanned {
  const tokens = new Tokens(argv);
  const path = [root];
  const known = new Map<string, Flag<unknown> | undefined>();
  const shorts = new Map<string, string>([["h", "help"]]);
  for (const name of HELP_FLAGS) known.set(name, undefined);
  const enter = (command: ScanCommand): void => {
    for (const [name, flag] of Object.entries(command.flags)) {
      known.set(name, flag);
      if (flag.kind === "content") known.set(fileFlagOf(name, flag), {...flag, kind: "one"});
      if (flag.short !== undefined) shorts.set(flag.short, name);
    }
  };
  enter(root);
  const occurrences: Occurrence[] = [];
  const args: string[] = [];
  let helpCommand = false;

  for (let token = tokens.next(shorts, known); token !== undefined; token = tokens.next(shorts, known)) {
    const current = path.at(-1) as ScanCommand;
    if (token.kind === "arg") {
      if (current.commands.length === 0) {
        if (args.length >= (current.maxArgs ?? 0)) throw bad(`unexpected ${token.text}`);
        args.push(token.text);
        continue;
      }
      if (token.text === "help" && path.length === 1) {
        helpCommand = true;
        continue;
      }
      const command = current.commands.find((c) => c.name === token.text);
      if (command === undefined)
        throw bad(`expected command but got ${goQuote(token.text)}${didYouMean(token.text, current)}`);
      path.push(command);
      enter(command);
      continue;
    }
    occurrences.push(readFlag(token, tokens, known, shorts));
  }
  return {path, occurrences, args, helpCommand};
}

/** Name of the flag that takes the file of a content pair. */
export const fileFlagOf = (name: string, flag: Flag<unknown>): string => flag.fileFlag ?? `${name}-file`;

const isBool = (name: string, known: ReadonlyMap<string, Flag<unknown> | undefined>): boolean =>
  (HELP_FLAGS as readonly string[]).includes(name) || known.get(name)?.kind === "bool";

function readFlag(
  token: ArgToken,
  tokens: Tokens,
  known: ReadonlyMap<string, Flag<unknown> | undefined>,
  shorts: ReadonlyMap<string, string>,
): Occurrence {
  if (token.kind === "short") {
    const name = shorts.get(token.text);
    if (name === undefined) throw bad(`unknown short flag '-${token.text}'`);
    return isBool(name, known) ? {name, text: "true"} : {name, text: argumentOf(token, tokens, shorts, known)};
  }
  const name = token.text;
  const negated = !known.has(name) && name.startsWith("no-") ? name.slice("no-".length) : undefined;
  if (negated !== undefined && known.has(negated) && isBool(negated, known)) return {name: negated, text: "false"};
  if (!known.has(name)) throw bad(`unknown long flag '--${name}'${suggestFlag(name, known)}`);
  return isBool(name, known) ? {name, text: "true"} : {name, text: argumentOf(token, tokens, shorts, known)};
}

function argumentOf(
  flag: ArgToken,
  tokens: Tokens,
  shorts: ReadonlyMap<string, string>,
  known: ReadonlyMap<string, Flag<unknown> | undefined>,
): string {
  const dashes = flag.kind === "long" ? "--" : "-";
  const value = tokens.next(shorts, known);
  if (value !== undefined && value.kind === "arg") return value.text;
  const hint = value === undefined ? "" : `; write ${dashes}${flag.text}=… for a value that starts with a dash`;
  throw bad(`expected argument for flag '${dashes}${flag.text}'${hint}`);
}

/** Splits arguments into tokens; what one argument leaves over is pushed back. */
class Tokens {
  readonly #args: string[];
  #pushed: ArgToken | undefined;
  #plainOnly = false;

  constructor(argv: readonly string[]) {
    this.#args = [...argv];
  }

  next(
    shorts: ReadonlyMap<string, string>,
    known: ReadonlyMap<string, Flag<unknown> | undefined>,
  ): ArgToken | undefined {
    const pushed = this.#pushed;
    if (pushed !== undefined) {
      this.#pushed = undefined;
      return pushed;
    }
    const arg = this.#args.shift();
    if (arg === undefined) return undefined;
    if (this.#plainOnly) return {kind: "arg", text: arg};
    if (arg === "--") {
      this.#plainOnly = true;
      return this.next(shorts, known);
    }
    if (arg.startsWith("--")) {
      const at = arg.indexOf("=");
      if (at < 0) return {kind: "long", text: arg.slice(2)};
      this.#pushed = {kind: "arg", text: arg.slice(at + 1)};
      return {kind: "long", text: arg.slice(2, at)};
    }
    if (arg.startsWith("-") && arg.length > 1) {
      const [letter = ""] = arg.slice(1);
      const rest = arg.slice(1 + letter.length);
      const name = shorts.get(letter);
      if (rest !== "" && name !== undefined && !isBool(name, known)) this.#pushed = {kind: "arg", text: rest};
      else if (rest !== "") this.#args.unshift(`-${rest}`);
      return {kind: "short", text: letter};
    }
    if (arg.startsWith("@")) {
      this.#args.unshift(...expandArgsFile(arg.slice(1)));
      return this.next(shorts, known);
    }
    return {kind: "arg", text: arg};
  }
}

/** One argument a line; lines that start with `#` and empty lines are skipped. */
function expandArgsFile(path: string): readonly string[] {
  if (path === "") throw bad("expected @ file to expand arguments from");
  try {
    const lines = readFileSync(path, "utf8").split(/\r?\n/);
    return lines.filter((line) => line !== "" && !line.startsWith("#"));
  } catch (err) {
    throw bad(`failed to open arguments file ${goQuote(path)}: ${errorText(err)}`);
  }
}

function suggestFlag(name: string, known: ReadonlyMap<string, Flag<unknown> | undefined>): string {
  const names = [...known].filter(([, flag]) => flag?.hidden !== true).map(([n]) => n);
  const best = nearest(name, names);
  return best === undefined ? "" : `, did you mean '--${best}'?`;
}

function didYouMean(name: string, command: ScanCommand): string {
  const best = nearest(
    name,
    command.commands.map((c) => c.name),
  );
  return best === undefined ? "" : `, did you mean ${goQuote(best)}?`;
}

const bad = (message: string): StrataError => new StrataError("bad_data", message);
