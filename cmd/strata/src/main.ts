import {errorText, StrataError} from "@strata/base";
import {type CommandLine, readCommandLine} from "./command-line.ts";
import type {Command, CommandModule} from "./commands/tree.ts";
import {parseFlags} from "./flags/parse.ts";
import type {Scanned} from "./flags/scan.ts";
import {globalFlags} from "./flags/shared.ts";
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
  let line: CommandLine;
  try {
    line = await readCommandLine(argv);
  } catch (err) {
    // Compat: --version works beside anything.
    if (argv.includes("--version")) return printVersion();
    return fail(1, errorText(err));
  }
  const {scanned, path, module} = line;
  const asked = (name: string): boolean => scanned.occurrences.some((o) => o.name === name);
  if (asked("version")) return printVersion();
  if (asked("help-long")) return print(await (await import("./help.ts")).helpLong());
  if (asked("help-man")) return print(await (await import("./help.ts")).helpMan());
  if (asked("help") || scanned.helpCommand || (path.length === 0 && scanned.occurrences.length === 0)) {
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
