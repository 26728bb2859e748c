import type {ListedCommand, ListedFlag} from "@strata/strata/docs";
import {code, table} from "./markdown.ts";

/** docs/flags.md: every command with its flags. */
export function flagsPage(commands: readonly ListedCommand[]): string {
  const parts = [
    "# Flags",
    "",
    "Every command and flag, written by `npm run docs` from the tables that the program parses with. `strata COMMAND --help`",
    "says the same. Durations are `30s`, `5m`, `2h`, `1d`, sizes `512MB` (powers of 1,024). A flag with the value *YAML* takes",
    "the text itself; its twin, named first, takes a file. A switch that is on by default goes off with `--no-NAME`.",
    "",
  ];
  for (const {name, help, args, flags} of commands) {
    parts.push(`## ${name === "" ? "All commands" : name}`, "");
    if (name !== "") parts.push(`${help}: ${code(["strata", name, ...args].join(" "))}.`, "");
    parts.push(...(flags.length === 0 ? ["No flags of its own."] : flagTable(flags)), "");
  }
  return `${parts.join("\n").trimEnd()}\n`;
}

const flagTable = (flags: readonly ListedFlag[]): string[] =>
  table(
    ["flag", "value", "default", "what it does"],
    flags.map((flag) => [
      flag.names.map(code).join(", "),
      shownValue(flag),
      flag.default === "" ? "" : code(flag.value === "" && flag.default === "true" ? "on" : flag.default),
      helpOf(flag),
    ]),
  );

function shownValue({value, repeatable}: ListedFlag): string {
  if (value === "") return "switch";
  const text = value.includes("|") ? code(value) : value === "YAML" ? value : value.toLowerCase();
  return repeatable ? `${text}, repeatable` : text;
}

const helpOf = ({help, required, hidden, deprecated, experimental}: ListedFlag): string =>
  [
    experimental ? "*Experimental.*" : "",
    deprecated === "" ? "" : `*Deprecated: ${deprecated}.*`,
    help,
    required ? "**Required.**" : "",
    hidden ? "*Not shown by `--help`.*" : "",
  ]
    .filter((text) => text !== "")
    .join(" ");
