import {fileFlagOf} from "../flags/scan.ts";
import {globalFlags} from "../flags/shared.ts";
import type {Flag, FlagTable} from "../flags/spec.ts";
import {everyCommand} from "../help.ts";

/** A flag as the generated page of flags shows it. */
export type ListedFlag = {
  /** As they are typed: `-r`, `--objstore.config-file`, `--objstore.config`. */
  readonly names: readonly string[];
  readonly value: string;
  readonly default: string;
  readonly help: string;
  readonly repeatable: boolean;
  readonly required: boolean;
  readonly hidden: boolean;
  readonly experimental: boolean;
  readonly deprecated: string;
};

export type ListedCommand = {
  /** `tools bucket ls`; "" for what all commands have. */
  readonly name: string;
  readonly help: string;
  /** Plain arguments as usage shows them. */
  readonly args: readonly string[];
  readonly flags: readonly ListedFlag[];
};

/** Every command that runs, with its flags, from the tables that command lines are parsed with. */
export async function listCommands(): Promise<readonly ListedCommand[]> {
  const out: ListedCommand[] = [{name: "", help: "", args: [], flags: listFlags(globalFlags)}];
  for await (const {path, module} of everyCommand()) {
    if (module === undefined) continue;
    const args = (module.args ?? []).map(({name, required, many}) => {
      const text = `<${name}>${many === true ? "..." : ""}`;
      return required === true ? text : `[${text}]`;
    });
    const name = path.map((c) => c.name).join(" ");
    out.push({name, help: path.at(-1)?.help ?? "", args, flags: listFlags(module.flags)});
  }
  return out;
}

function listFlags(flags: FlagTable): ListedFlag[] {
  return Object.entries(flags).map(([name, flag]) => ({
    names: [
      ...(flag.short === undefined ? [] : [`-${flag.short}`]),
      ...(flag.kind === "content" ? [`--${fileFlagOf(name, flag)}`] : []),
      `--${name}`,
    ],
    value: shownValue(flag),
    default: typeof flag.default === "string" ? flag.default : (flag.default ?? []).join(", "),
    help: flag.help,
    repeatable: flag.kind === "many",
    required: flag.required === true,
    hidden: flag.hidden === true,
    experimental: flag.experimental === true,
    deprecated: flag.deprecated ?? "",
  }));
}

function shownValue(flag: Flag<unknown>): string {
  if (flag.kind === "bool") return "";
  return flag.kind === "content" ? "YAML" : flag.type.placeholder;
}
