import {StrataError} from "@strata/base";
import {BUILTINS} from "./builtins.ts";
import {executeTemplate} from "./execute.ts";
import {type ParsedTemplate, parseTemplate} from "./parser.ts";
import type {Value} from "./values.ts";

const NAMES: ReadonlySet<string> = new Set(BUILTINS.keys());

/** A text template as Go programs take them, with Go's own functions and none that Prometheus adds. */
export class TextTemplate {
  readonly #parsed: ParsedTemplate;

  /** Throws an Error with Go's text where it cannot be parsed. */
  constructor(name: string, text: string) {
    this.#parsed = parseTemplate(name, text, NAMES);
  }

  /** The text for one value. Throws an Error with Go's text, and the place in the template. */
  render(data: Value): string {
    return executeTemplate(this.#parsed, data, CONTEXT);
  }
}

const CONTEXT = {
  t: 0,
  externalUrl: undefined,
  missingKeys: "nil",
  query: () => {
    throw new StrataError("internal", "BUG: a text template has no queries");
  },
} as const;
