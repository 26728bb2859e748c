import {StrataError} from "@strata/base";
import {RE2JS, RE2JSException} from "re2js";

/**
 * The only door to the regular expression engine: RE2 syntax, linear time, dot matches a newline. JavaScript's own
 * RegExp never sees a user's pattern, because it backtracks without bound.
 */
export type Regex = {
  readonly pattern: string;
  /** Whether the whole of `text` matches. About half a microsecond for a short text. */
  test(text: string): boolean;
  /** The groups of a match of the whole text (0 is all of it), or undefined. */
  groups(text: string): RegexGroups | undefined;
};

export type RegexGroups = {
  /** Group by number or name; "" where it took no part or does not exist. */
  get(group: string): string;
};

/** Compiles `pattern`; a faulty one throws `bad_data` with Go's message. */
export function compileRegex(pattern: string): Regex {
  const compiled = compile(pattern);
  return {
    pattern,
    test: (text) => compiled.testExact(text),
    groups(text) {
      const matcher = compiled.matcher(text);
      if (!matcher.matches()) return undefined;
      const named = compiled.namedGroups();
      return {
        get(group) {
          const index = /^[0-9]+$/.test(group) ? Number(group) : (named[group] ?? -1);
          return index < 0 || index > matcher.groupCount() ? "" : (matcher.group(index) ?? "");
        },
      };
    },
  };
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern, RE2JS.DOTALL);
  } catch (cause) {
    throw new StrataError("bad_data", goMessage(cause, pattern), {cause});
  }
}

/** The engine's messages are Go's, but name the pattern with the flag prefix that it puts in front. */
function goMessage(cause: unknown, pattern: string): string {
  if (!(cause instanceof RE2JSException)) return `error parsing regexp: ${String(cause)}: \`${pattern}\``;
  return cause.message.replace(`\`(?s)${pattern}\``, () => `\`${pattern}\``);
}
