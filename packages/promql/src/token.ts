import {goQuote} from "@strata/model";

/**
 * What a token is. Operators and punctuation are their own text, keywords and aggregators their lower-case word; the
 * other classes have names that no keyword has.
 */
export type TokenType = string;

/** One token. Positions are byte offsets; `text` is the source, with quotes and in the case written. */
export type Token = {
  readonly type: TokenType;
  readonly text: string;
  readonly start: number;
  readonly end: number;
};

export const EOF = "eof";
export const IDENTIFIER = "identifier";
/** An identifier with a colon in it. */
export const METRIC_IDENTIFIER = "metric identifier";
export const STRING = "string literal";
export const NUMBER = "number literal";
export const DURATION = "duration literal";

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));

export const AGGREGATORS = words(
  "sum avg count min max group stddev stdvar topk bottomk count_values quantile limitk limit_ratio",
);
const KEYWORDS = words(
  "offset smoothed anchored by without on ignoring group_left group_right bool fill fill_left fill_right",
);
export const PREPROCESSORS = words("start end step range max_of min_of");
const WORD_OPERATORS = words("and or unless atan2");
const OPERATORS = words("+ - * / % ^ == != < <= > >= </ >/ =~ !~ @ and or unless atan2");

/** Words that may also stand as a metric name without quotes. */
export const NAME_WORDS: ReadonlySet<string> = new Set([
  ...AGGREGATORS,
  ...PREPROCESSORS,
  ...words("by without offset anchored smoothed fill fill_left fill_right and or unless"),
]);

/** Words that may stand in a list of grouping labels. */
export const LABEL_WORDS: ReadonlySet<string> = new Set([
  ...AGGREGATORS,
  ...PREPROCESSORS,
  ...WORD_OPERATORS,
  ...[...KEYWORDS].filter((word) => word !== "without"),
]);

/** The type of a word outside braces, whose keywords may be written in any case. */
export function wordType(word: string): TokenType {
  const lower = word.toLowerCase();
  if (AGGREGATORS.has(lower) || KEYWORDS.has(lower) || PREPROCESSORS.has(lower) || WORD_OPERATORS.has(lower)) {
    return lower;
  }
  if (lower === "inf" || lower === "nan") return NUMBER;
  return word.includes(":") ? METRIC_IDENTIFIER : IDENTIFIER;
}

/** How an error message names a token: `identifier "x"`, `<by>`, `<op:and>`, `"="`, `end of input`. */
export function describeToken(token: Token): string {
  switch (token.type) {
    case EOF:
      return "end of input";
    case IDENTIFIER:
    case METRIC_IDENTIFIER:
      return `${token.type} ${goQuote(token.text)}`;
    case STRING:
      return `string ${quoteShort(token.text)}`;
    case NUMBER:
      return `number ${quoteShort(token.text)}`;
    case DURATION:
      return `duration ${quoteShort(token.text)}`;
  }
  if (KEYWORDS.has(token.type)) return `<${token.text}>`;
  if (OPERATORS.has(token.type)) return `<op:${token.text}>`;
  if (AGGREGATORS.has(token.type)) return `<aggr:${token.text}>`;
  return quoteShort(token.text);
}

/** Quoted, cut to ten characters with dots behind. */
function quoteShort(text: string): string {
  const chars = [...text];
  return chars.length > 10 ? `${goQuote(chars.slice(0, 10).join(""))}...` : goQuote(text);
}
