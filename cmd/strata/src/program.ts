export const PROGRAM = "strata";
export const PURPOSE = "Long-term storage for Prometheus";

/** First line of every usage text. */
export const usageLine = (path: readonly string[], hasCommands: boolean): string =>
  `usage: ${[PROGRAM, ...path].join(" ")} [<flags>]${hasCommands ? " <command> [<args> ...]" : ""}`;
