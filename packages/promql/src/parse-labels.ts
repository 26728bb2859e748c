import {StrataError} from "@strata/base";
import {type Matcher, type MatchOp, METRIC_NAME, matcher} from "@strata/model";
import {unquote} from "./literals.ts";
import {IDENTIFIER, LABEL_WORDS, METRIC_IDENTIFIER, STRING, type Token} from "./token.ts";
import {fail, type TokenStream} from "./token-stream.ts";

const GROUPING = "grouping opts";
const MATCHING = "label matching";

/** `(a, "b c", d,)` behind `by`, `without`, `on`, `ignoring` and `group_…`. */
export function groupingLabels(tokens: TokenStream): string[] {
  return tokens.within(GROUPING, '"("', () => {
    const labels: string[] = [];
    tokens.expect("(");
    tokens.expecting(GROUPING, "label");
    while (!tokens.at(")")) {
      labels.push(groupingLabel(tokens));
      tokens.expecting(GROUPING, '"," or ")"');
      if (!tokens.at(")")) tokens.expect(",");
      tokens.expecting(GROUPING, "label");
    }
    tokens.take();
    return labels;
  });
}

function groupingLabel(tokens: TokenStream): string {
  const token = tokens.peek();
  if (token.type === STRING) {
    tokens.take();
    const name = unquote(token);
    if (name === "") fail(token, 'invalid label name for grouping: "\\"\\""');
    return name;
  }
  if (token.type !== IDENTIFIER && token.type !== METRIC_IDENTIFIER && !LABEL_WORDS.has(token.type)) {
    return tokens.unexpected();
  }
  return tokens.take().text;
}

/** `{a="b", "quoted name"!~"x", "metric.name",}` from the opening brace on. */
export function labelMatchers(tokens: TokenStream): Matcher[] {
  tokens.expect("{");
  return tokens.within(MATCHING, 'identifier or "}"', () => {
    const matchers: Matcher[] = [];
    while (!tokens.at("}")) {
      matchers.push(labelMatcher(tokens));
      tokens.expecting(MATCHING, '"," or "}"');
      if (!tokens.at("}")) tokens.expect(",");
      tokens.expecting(MATCHING, 'identifier or "}"');
    }
    tokens.take();
    return matchers;
  });
}

function labelMatcher(tokens: TokenStream): Matcher {
  const quoted = tokens.accept(STRING);
  const label = quoted ?? tokens.expect(IDENTIFIER);
  const op = tokens.peek();
  if (!isMatchOp(op.type)) {
    if (quoted !== undefined) return makeMatcher(METRIC_NAME, "=", unquote(quoted), quoted);
    tokens.expecting(MATCHING, "label matching operator");
    return tokens.unexpected();
  }
  tokens.take();
  tokens.expecting(MATCHING, "string");
  const value = tokens.expect(STRING);
  return makeMatcher(quoted === undefined ? label.text : unquote(quoted), op.type, unquote(value), label);
}

const isMatchOp = (type: string): type is MatchOp => type === "=" || type === "!=" || type === "=~" || type === "!~";

function makeMatcher(name: string, op: MatchOp, value: string, at: Token): Matcher {
  try {
    return matcher(name, op, value);
  } catch (err) {
    if (err instanceof StrataError) return fail(at, err.message);
    throw err;
  }
}
