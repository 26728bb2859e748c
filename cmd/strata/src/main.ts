import {errorText, StrataError} from "@strata/base";
import type {Argument, Command, CommandModule} from "./commands/tree.ts";
import {parseFlags} from "./flags/parse.ts";
import {type ScanCommand, type Scanned, scan} from "./flags/scan.ts";
import {globalFlags} from "./flags/shared.ts";
import type {FlagTable} from "./flags/spec.ts";
import {PROGRAM, usageLine} from "./program.ts";

/** How long a socket or thread that somebody forgot may keep a finished process alive. */
const LINGER_MS = 1000;

/** Runs one command line and sets the exit code: 1 unknown flag or command, failure at run; 2 bad or missing value. */
export async function main(argv: readonly string[]): Promise<void> {
  process.exitCode = await run(argv);
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

/** As `main`, with the exit code as result. */
export async function run(argv: readonly string[]): Promise<number> {
  const {COMMANDS} = await import("./commands/index.ts");
  const loaded = await loadNamed(argv, COMMANDS);
  let scanned: Scanned;
  try {
    scanned = scan(argv, {name: PROGRAM, flags: globalFlags, commands: await scanTree(COMMANDS, loaded)});
  } catch (err) {
    // Compat: --version works beside anything.
    if (argv.includes("--version")) return printVersion();
    return fail(1, errorText(err));
  }
  const path = commandPath(scanned, COMMANDS);
  const asked = (name: string): boolean => scanned.occurrences.some((o) => o.name === name);
  if (asked("version")) return printVersion();
  if (asked("help-long")) return print(await (await import("./help.ts")).helpLong());
  if (asked("help-man")) return print(await (await import("./help.ts")).helpMan());
  const command = path.at(-1);
  const module = command === undefined ? undefined : loaded.get(command);
  if (asked("help") || scanned.helpCommand || (command === undefined && scanned.occurrences.length === 0)) {
    return print(await (await import("./help.ts")).helpPage(path, module));
  }
  return runCommand(argv, path, module, scanned);
}

async function runCommand(
  argv: readonly string[],
  path: readonly Command[],
  module: CommandModule | undefined,
  scanned: Scanned,
): Promise<number> {
  const names = path.map((c) => c.name);
  if (module === undefined) {
    const what = names.length === 0 ? "command not specified" : `must select a subcommand of '${names.join(" ")}'`;
    return failUsage(argv, names, true, `${what}; ${usageHint(names)}`);
  }
  try {
    const {values, shown, notices, given} = parseFlags({...globalFlags, ...module.flags}, scanned.occurrences);
    checkArguments(module, scanned.args);
    const {shown: globals} = parseFlags(globalFlags, []);
    const own = Object.entries(shown).filter(([name]) => !(name in globals));
    const shownFlags = Object.fromEntries(own.sort(([a], [b]) => (a < b ? -1 : 1)));
    return await module.run({command: names.join(" "), flags: values, args: scanned.args, shownFlags, notices, given});
  } catch (err) {
    if (err instanceof Error && "code" in err && err.code === "bad_data")
      return failUsage(argv, names, false, errorText(err));
    throw err;
  }
}

function checkArguments(module: CommandModule, given: readonly string[]): void {
  const missing = (module.args ?? []).find(({required}, i) => required === true && i >= given.length);
  if (missing !== undefined) throw new StrataError("bad_data", `required argument '${missing.name}' not provided`);
}

const usageHint = (names: readonly string[]): string => `see ${[PROGRAM, ...names, "--help"].join(" ")}`;

/** Loads the flags of the commands that stand on the command line; a word that is a flag's value loads one too many. */
async function loadNamed(argv: readonly string[], commands: readonly Command[]): Promise<Map<Command, CommandModule>> {
  const loaded = new Map<Command, CommandModule>();
  // Arguments files may name the command, too; they are read by the scanner, so all commands have to be known.
  const words = argv.some((arg) => arg.startsWith("@")) ? undefined : new Set(argv);
  const visit = async (command: Command): Promise<void> => {
    if (words !== undefined && !words.has(command.name)) return;
    if (command.load !== undefined) loaded.set(command, await command.load());
    for (const sub of command.commands ?? []) await visit(sub);
  };
  for (const command of commands) await visit(command);
  return loaded;
}

async function scanTree(
  commands: readonly Command[],
  loaded: ReadonlyMap<Command, CommandModule>,
): Promise<readonly ScanCommand[]> {
  const tree = async (command: Command): Promise<ScanCommand> => ({
    name: command.name,
    flags: (loaded.get(command)?.flags ?? {}) as FlagTable,
    commands: await scanTree(command.commands ?? [], loaded),
    maxArgs: maxArguments(loaded.get(command)?.args ?? []),
  });
  return Promise.all(commands.map(tree));
}

const maxArguments = (args: readonly Argument[]): number =>
  args.at(-1)?.many === true ? Number.POSITIVE_INFINITY : args.length;

function commandPath(scanned: Scanned, commands: readonly Command[]): readonly Command[] {
  const path: Command[] = [];
  let level = commands;
  for (const {name} of scanned.path.slice(1)) {
    const command = level.find((c) => c.name === name);
    if (command === undefined) break;
    path.push(command);
    level = command.commands ?? [];
  }
  return path;
}

function print(text: string): number {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
  return 0;
}

async function printVersion(): Promise<number> {
  return print((await import("./version.ts")).versionText(PROGRAM));
}

function fail(code: number, text: string): number {
  process.stderr.write(`${PROGRAM}: error: ${text}\n`);
  return code;
}

/** Compat: kingpin's form for values that cannot be used, with the command line in brackets. */
function failUsage(argv: readonly string[], names: readonly string[], hasCommands: boolean, reason: string): number {
  process.stderr.write(`${usageLine(names, hasCommands)}\n\n`);
  process.stderr.write(`error parsing commandline arguments: [${[PROGRAM, ...masked(argv)].join(" ")}]: ${reason}\n`);
  return 2;
}

/** Inline configuration may hold credentials, so it is not repeated in messages. */
function masked(argv: readonly string[]): readonly string[] {
  return argv.map((arg, i) => {
    if (SECRET.test(argv[i - 1] ?? "")) return MASK;
    const at = arg.indexOf("=");
    return at > 0 && SECRET.test(arg.slice(0, at)) ? `${arg.slice(0, at)}=${MASK}` : arg;
  });
}

const MASK = "<REDACTED>";
/** Names of flags whose value is configuration text. */
const SECRET = /^--[\w.-]*(config|http-client)$/;
