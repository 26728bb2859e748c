/**
 * What went wrong, as the caller has to treat it. The mapping to gRPC codes and HTTP statuses lives in one file each
 * (storeapi, web).
 */
export type ErrorCode =
  | "bad_data"
  | "not_found"
  | "conflict"
  | "limit"
  | "unavailable"
  | "timeout"
  | "canceled"
  | "execution"
  | "corrupt"
  | "internal";

/** Small public facts of an error: numbers, names, offsets. Never sample values or credentials. */
export type ErrorFields = Readonly<Record<string, string | number | boolean>>;

/**
 * The one error class of the project. Messages read "cannot" + verb + object + the numbers in hand; each layer adds
 * its context once, as a new StrataError with the old one as `cause`.
 */
export class StrataError extends Error {
  readonly code: ErrorCode;
  readonly fields: ErrorFields;

  constructor(code: ErrorCode, message: string, options: {cause?: unknown; fields?: ErrorFields} = {}) {
    super(message, options.cause === undefined ? undefined : {cause: options.cause});
    this.name = "StrataError";
    this.code = code;
    this.fields = options.fields ?? {};
  }
}

/** The code of any thrown value: a StrataError's own, `canceled` or `timeout` for an aborted signal, else `internal`. */
export function errorCode(err: unknown): ErrorCode {
  if (err instanceof StrataError) return err.code;
  if (err instanceof Error && err.name === "AbortError") return "canceled";
  if (err instanceof Error && err.name === "TimeoutError") return "timeout";
  return "internal";
}

/** One line of text for any thrown value, without a stack. */
export function errorText(err: unknown): string {
  return err instanceof Error ? err.message : String(err);
}

/** `err` with one layer of context put before its text; keeps the code. */
export function withContext(err: unknown, context: string): StrataError {
  const fields = err instanceof StrataError ? err.fields : {};
  return new StrataError(errorCode(err), `${context}: ${errorText(err)}`, {cause: err, fields});
}
