import type {Argument} from "./commands/tree.ts";

export const PROGRAM = "strata";
export const PURPOSE = "Long-term storage for Prometheus";

/** First line of every usage text. */
export function usageLine(path: readonly string[], hasCommands: boolean, args: readonly Argument[] = []): string {
  const rest = hasCommands ? ["<command> [<args> ...]"] : args.map(argumentText);
  return `usage: ${[PROGRAM, ...path, "[<flags>]", ...rest].join(" ")}`;
}

function argumentText({name, required, many}: Argument): string {
  const text = `<${name}>${many === true ? "..." : ""}`;
  return required === true ? text : `[${text}]`;
}
