import {StrataError} from "./errors.ts";

/** States what only a bug can break. Never judges input. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new StrataError("internal", `BUG: ${message}`);
}

/** The value, which only a bug could leave undefined or null. */
export function must<T>(value: T | undefined | null, message: string): T {
  if (value === undefined || value === null) throw new StrataError("internal", `BUG: ${message}`);
  return value;
}

/** Closes a switch over a union: compiles only while every variant is handled. */
export function unreachable(value: never): never {
  throw new StrataError("internal", `BUG: unexpected variant ${JSON.stringify(value)}`);
}
