import {errorText, StrataError} from "@strata/base";

/** The error of an operation on an object that is not there. */
export const notFound = (bucket: string, key: string, cause?: unknown): StrataError =>
  new StrataError("not_found", `cannot find object ${key} in ${bucket}`, {cause, fields: {key}});

export const isNotFound = (err: unknown): boolean => err instanceof StrataError && err.code === "not_found";

/** Throws `canceled` (or `timeout`, when that is why it was aborted) once `signal` is aborted. */
export function throwIfAborted(signal: AbortSignal, what: string): void {
  if (!signal.aborted) return;
  const timeout = signal.reason instanceof Error && signal.reason.name === "TimeoutError";
  throw new StrataError(timeout ? "timeout" : "canceled", `cannot ${what}: ${errorText(signal.reason)}`, {
    cause: signal.reason,
  });
}
