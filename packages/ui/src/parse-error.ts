/** Where in an expression a parse error lies, and what it says. */
export type ParseError = {
  readonly message: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in bytes as the server counts. */
  readonly column: number;
  /** Index into the expression's string, at most its length. */
  readonly index: number;
};

/** Reads `LINE:COLUMN: parse error: …` out of an API error; undefined for errors of another kind. */
export function parseErrorIn(error: string, expr: string): ParseError | undefined {
  const match = /(?:^|: )(\d+):(\d+): parse error: ([\s\S]*)$/.exec(error);
  if (match === null) return undefined;
  const line = Number(match[1]);
  const column = Number(match[2]);
  return {message: match[3] as string, line, column, index: indexOf(expr, line, column)};
}

/** The string index of a line and a byte column. */
function indexOf(expr: string, line: number, column: number): number {
  const lines = expr.split("\n");
  let index = 0;
  for (let i = 0; i < line - 1 && i < lines.length; i++) index += (lines[i] as string).length + 1;
  const encoder = new TextEncoder();
  let bytes = 0;
  for (const char of lines[line - 1] ?? "") {
    if (bytes >= column - 1) break;
    bytes += encoder.encode(char).length;
    index += char.length;
  }
  return Math.min(index, expr.length);
}
