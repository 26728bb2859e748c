import type {Matcher} from "@strata/model";
import type {Expr} from "./ast.ts";
import {check} from "./check.ts";
import {SyntaxFault, toStrataError} from "./parse-error.ts";
import type {ParseOptions} from "./parse-options.ts";
import {Parser} from "./parser.ts";

/**
 * Parses and type-checks an expression. Throws `bad_data` with `LINE:COLUMN: parse error: …` (columns count bytes from
 * 1); the error's fields are `line`, `column`, and the byte offsets `start` and `end`.
 */
export function parseExpr(source: string, options: ParseOptions = {}): Expr {
  return guarded(source, () => {
    const expr = new Parser(source, options).expression();
    check(expr, source);
    return expr;
  });
}

/**
 * The matchers of a series selector such as a `match[]` parameter, in the order written, the name last. `{}` and
 * selectors that match everything are legal here; whoever cannot serve those has to refuse them.
 */
export function parseSelector(source: string): Matcher[] {
  return guarded(source, () => [...new Parser(source, {}).selector().matchers]);
}

function guarded<T>(source: string, parse: () => T): T {
  try {
    return parse();
  } catch (err) {
    if (err instanceof SyntaxFault) throw toStrataError(err, source);
    throw err;
  }
}
