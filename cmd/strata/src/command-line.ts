import type {Argument, Command, CommandModule} from "./commands/tree.ts";
import {type ScanCommand, type Scanned, scan} from "./flags/scan.ts";
import {globalFlags} from "./flags/shared.ts";
import type {FlagTable} from "./flags/spec.ts";
import {PROGRAM} from "./program.ts";

/** A command line by the flags that are declared. */
export type CommandLine = {
  readonly scanned: Scanned;
  /** The command with those that it is below; empty where none is named. */
  readonly path: readonly Command[];
  /** Undefined where the path does not end at a command that can be run. */
  readonly module: CommandModule | undefined;
};

/** Finds commands and flags in a command line. Throws for what is not known; values are not looked at. */
export async function readCommandLine(argv: readonly string[]): Promise<CommandLine> {
  const {COMMANDS} = await import("./commands/index.ts");
  const loaded = await loadNamed(argv, COMMANDS);
  const scanned = scan(argv, {name: PROGRAM, flags: globalFlags, commands: await scanTree(COMMANDS, loaded)});
  const path = commandPath(scanned, COMMANDS);
  const command = path.at(-1);
  return {scanned, path, module: command === undefined ? undefined : loaded.get(command)};
}

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
