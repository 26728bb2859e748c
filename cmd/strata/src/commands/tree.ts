import type {FlagTable, FlagValues} from "../flags/spec.ts";

/** A plain argument of a command; all but the last are given once at the most. */
export type Argument = {
  /** `input file`, as help shows it. */
  readonly name: string;
  readonly required?: boolean;
  /** The last argument may be given many times. */
  readonly many?: boolean;
};

/** What a command is run with. */
export type CommandContext<T extends FlagTable> = {
  /** `store`, `tools bucket ls`. */
  readonly command: string;
  readonly flags: FlagValues<T>;
  /** Plain arguments, the required ones always there. */
  readonly args: readonly string[];
  /** Every flag as text, for `/api/v1/status/flags`. */
  readonly shownFlags: Readonly<Record<string, string>>;
  readonly notices: readonly string[];
  readonly given: ReadonlySet<string>;
};

/** A command's flags, and the work it does. Loaded only when the command is named. */
export type CommandModule = {
  readonly flags: FlagTable;
  readonly args?: readonly Argument[];
  /** Resolves with the exit code when the work is done or was stopped by a signal. */
  run(context: CommandContext<FlagTable>): Promise<number>;
};

export type Command = {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly help: string;
  /** Typical command lines, without `strata`. */
  readonly examples?: readonly (readonly [line: string, what: string])[];
  readonly commands?: readonly Command[];
  readonly load?: () => Promise<CommandModule>;
};

/** Ties a typed table to the function that uses it. */
export function defineCommand<T extends FlagTable>(
  flags: T,
  run: (context: CommandContext<T>) => Promise<number>,
  args: readonly Argument[] = [],
): CommandModule {
  return {flags, args, run: run as (context: CommandContext<FlagTable>) => Promise<number>};
}
