import type {Options} from "yargs";
import type {Command, CommandModule} from "./commands/tree.ts";
import {fileFlagOf} from "./flags/scan.ts";
import {globalFlags} from "./flags/shared.ts";
import type {Flag, FlagTable} from "./flags/spec.ts";
import {PROGRAM, PURPOSE, usageLine} from "./program.ts";

/** Wide enough for a terminal, and the same everywhere when the output is not one. */
const DEFAULT_WIDTH = 100;
const width = (): number => Math.min(process.stdout.columns ?? DEFAULT_WIDTH, 120);

/** The help page of a command (or of the program, for an empty path), laid out by yargs. */
export async function helpPage(path: readonly Command[], module: CommandModule | undefined): Promise<string> {
  const table = module?.flags ?? {};
  const {default: yargs} = await import("yargs");
  const command = path.at(-1);
  const names = path.map((c) => c.name);
  const subcommands = path.length === 0 ? (await import("./commands/index.ts")).COMMANDS : (command?.commands ?? []);
  const y = yargs([])
    .scriptName(PROGRAM)
    .usage(`${usageLine(names, subcommands.length > 0, module?.args)}\n\n${command?.help ?? PURPOSE}.`)
    .help(false)
    .version(false)
    .wrap(width())
    .parserConfiguration({"dot-notation": false, "boolean-negation": false});
  for (const sub of subcommands) y.command([...names, sub.name].join(" "), sub.help);
  addOptions(y, table, "Flags:");
  addOptions(y, globalFlags, "Global flags:");
  y.option("help", {alias: "h", group: "Global flags:", describe: "Show this page.", type: "boolean"});
  y.option("help-long", {group: "Global flags:", describe: "Show the pages of all commands.", type: "boolean"});
  y.option("help-man", {group: "Global flags:", describe: "Show a manual page.", type: "boolean"});
  y.option("version", {group: "Global flags:", describe: "Show the version.", type: "boolean"});
  for (const [line, what] of command?.examples ?? []) y.example(`$0 ${line}`, what);
  return y.getHelp();
}

/** The pages of all commands, one after another. */
export async function helpLong(): Promise<string> {
  const pages = [await helpPage([], undefined)];
  for await (const {path, module} of everyCommand()) pages.push(await helpPage(path, module));
  return pages.join("\n\n");
}

/** A manual page in roff. */
export async function helpMan(): Promise<string> {
  const out = [`.TH ${PROGRAM} 1`, ".SH NAME", `${PROGRAM} \\- ${roff(PURPOSE)}`, ".SH SYNOPSIS", ".TP"];
  out.push(`\\fB${PROGRAM}\\fR [<flags>] <command> [<args> ...]`, ".SH OPTIONS", ...manFlags(globalFlags));
  out.push(".SH COMMANDS");
  for await (const {path, module} of everyCommand()) {
    const names = path.map((c) => c.name).join(" ");
    out.push(
      ".SS",
      `\\fB${roff(names)}\\fR`,
      ".PP",
      `${roff(path.at(-1)?.help ?? "")}.`,
      ...manFlags(module?.flags ?? {}),
    );
  }
  return `${out.join("\n")}\n`;
}

/** Every command of the tree, parents first, with its flags where it is one that runs. */
export async function* everyCommand(): AsyncGenerator<{path: readonly Command[]; module: CommandModule | undefined}> {
  const {COMMANDS} = await import("./commands/index.ts");
  yield* walk([], COMMANDS);
}

async function* walk(
  parents: readonly Command[],
  commands: readonly Command[],
): AsyncGenerator<{path: readonly Command[]; module: CommandModule | undefined}> {
  for (const command of commands) {
    const path = [...parents, command];
    yield {path, module: await command.load?.()};
    yield* walk(path, command.commands ?? []);
  }
}

function addOptions(y: {option(name: string, options: Options): unknown}, table: FlagTable, group: string): void {
  for (const [name, flag] of Object.entries(table)) {
    if (flag.hidden === true) continue;
    if (flag.kind === "content") {
      y.option(fileFlagOf(name, flag), {group, describe: `${flag.help} This flag names the file.`, type: "string"});
      y.option(name, {group, describe: `The same as text; only one of the two may be given.`, type: "string"});
      continue;
    }
    y.option(name, {
      group,
      describe: describe(flag),
      type: flag.kind === "bool" ? "boolean" : flag.kind === "many" ? "array" : "string",
      ...(flag.short === undefined ? {} : {alias: flag.short}),
      ...(defaultText(flag) === "" ? {} : {defaultDescription: defaultText(flag)}),
    });
  }
}

function describe(flag: Flag<unknown>): string {
  const marks = [
    flag.experimental === true ? "(experimental) " : "",
    flag.deprecated === undefined ? "" : `(deprecated, ${flag.deprecated}) `,
  ].join("");
  const notes = [
    flag.required === true ? " Required." : "",
    flag.kind === "many" ? " May be given many times." : "",
    flag.kind === "bool" && flag.default === "true" ? " Switch off with --no-…" : "",
  ].join("");
  const form = flag.kind === "bool" || flag.type.placeholder === "TEXT" ? "" : ` <${flag.type.placeholder}>`;
  return `${marks}${flag.help}${notes}${form}`;
}

const defaultText = (flag: Flag<unknown>): string =>
  flag.default === undefined ? "" : typeof flag.default === "string" ? flag.default : flag.default.join(", ");

function manFlags(table: FlagTable): string[] {
  const out: string[] = [];
  for (const [name, flag] of Object.entries(table)) {
    if (flag.hidden === true) continue;
    const names = flag.kind === "content" ? [fileFlagOf(name, flag), name] : [name];
    const value = flag.kind === "bool" ? "" : `=${flag.type.placeholder}`;
    out.push(".TP", names.map((n) => `\\fB--${roff(n)}${roff(value)}\\fR`).join(", "), roff(describe(flag)));
  }
  return out;
}

const roff = (text: string): string =>
  text
    .replace(/\\/g, "\\\\")
    .replace(/-/g, "\\-")
    .replace(/^([.'])/gm, "\\&$1");
