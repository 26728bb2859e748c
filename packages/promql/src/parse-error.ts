import {StrataError} from "@strata/base";
import type {Position} from "./ast.ts";

/** Thrown inside lexer and parser, which do not carry the text around; `toStrataError` turns it into what callers see. */
export class SyntaxFault extends Error {
  readonly pos: Position;

  constructor(pos: Position, message: string) {
    super(message);
    this.pos = pos;
  }
}

/** `L:C: parse error: MSG` with line and byte column counted from 1. Compat: an empty text has no position to name. */
export function toStrataError(fault: SyntaxFault, source: string): StrataError {
  const {start, end} = fault.pos;
  const {line, column} = lineColumn(source, start);
  const where = source === "" ? "unknown position" : `${line}:${column}`;
  return new StrataError("bad_data", `${where}: parse error: ${fault.message}`, {
    cause: fault,
    fields: {line, column, start, end},
  });
}

/** Line and column (in bytes), both from 1, of a byte offset. */
export function lineColumn(source: string, offset: number): {line: number; column: number} {
  const before = Buffer.from(source, "utf8").subarray(0, offset);
  let line = 1;
  let lastBreak = -1;
  for (let i = before.indexOf(10); i >= 0; i = before.indexOf(10, i + 1)) {
    line++;
    lastBreak = i;
  }
  return {line, column: offset - lastBreak};
}
