import {createRequire} from "node:module";
import {StrataError} from "@strata/base";
import type {RE2JS} from "re2js";

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

/** A pattern that is looked for anywhere in a text, as Go's `regexp` package does; the dot matches no newline. */
export type SearchRegex = {
  /** Whether some part of `text` matches. */
  test(text: string): boolean;
  /** Every match replaced; `template` may hold `$1`, `${name}` and `$$`. */
  replaceAll(text: string, template: string): string;
};

/** Compiles `pattern` for searching; a faulty one throws `bad_data` with Go's message. */
export function compileSearch(pattern: string): SearchRegex {
  const compiled = compile(pattern, 0);
  const named = compiled.namedGroups();
  return {
    test: (text) => compiled.matcher(text).find(),
    replaceAll(text, template) {
      const matcher = compiled.matcher(text);
      let out = "";
      let from = 0;
      while (matcher.find()) {
        out += text.slice(from, matcher.start());
        out += expandGroups(template, (group) => {
          const index = /^[0-9]+$/.test(group) ? Number(group) : (named[group] ?? -1);
          return index < 0 || index > matcher.groupCount() ? "" : (matcher.group(index) ?? "");
        });
        from = matcher.end();
      }
      return out + text.slice(from);
    },
  };
}

/**
 * Go's template expansion: `$name`, `${name}`, `$1`, `$$`. A bare name is as long as it can be (`$1x` asks for the group
 * "1x"); a group that does not exist gives nothing; a `$` that starts none of these stays.
 */
export function expandGroups(template: string, group: (name: string) => string): string {
  if (!template.includes("$")) return template;
  return template.replace(
    /\$(?:(\$)|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu,
    (_, dollar: string | undefined, braced: string | undefined, bare: string | undefined) =>
      dollar ?? group((braced ?? bare) as string),
  );
}

const load = createRequire(import.meta.url);
/** PERF: loaded with the first pattern; many programs see none, and it takes 10 ms. */
const engine = () => load("re2js") as typeof import("re2js");

function compile(pattern: string, flags?: number): RE2JS {
  const {RE2JS} = engine();
  try {
    return RE2JS.compile(pattern, flags ?? RE2JS.DOTALL);
  } catch (cause) {
    throw new StrataError("bad_data", goMessage(cause, pattern), {cause});
  }
}

/** The engine's messages are Go's, but name the pattern with the flag prefix that it puts in front. */
function goMessage(cause: unknown, pattern: string): string {
  if (!(cause instanceof engine().RE2JSException)) return `error parsing regexp: ${String(cause)}: \`${pattern}\``;
  return cause.message.replace(`\`(?s)${pattern}\``, () => `\`${pattern}\``);
}
