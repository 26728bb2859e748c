/** How a matcher compares, in the order of the StoreAPI's enum (EQ 0, NEQ 1, RE 2, NRE 3). */
export type MatchOp = "=" | "!=" | "=~" | "!~";

/** One label matcher. Regular expressions are anchored RE2 whose dot matches a newline, as in Prometheus. */
export type Matcher = {
  readonly name: string;
  readonly op: MatchOp;
  readonly value: string;
  /** Whether a label value ("" for a missing label) satisfies it. Linear in the value's length. */
  matches(value: string): boolean;
  /** For `=~` and `!~` whose expression is a plain alternation: the values it stands for. For `=` and `!=` the one value. */
  readonly set: readonly string[] | undefined;
  /** A literal that every matching value must start with ("" when none is known). */
  readonly prefix: string;
};
