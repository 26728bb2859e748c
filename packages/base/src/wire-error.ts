import {type ErrorCode, type ErrorFields, errorCode, errorText, StrataError} from "./errors.ts";

/** An error as it crosses a thread: structured clone would drop its class and code. */
export type WireError = {readonly code: ErrorCode; readonly message: string; readonly fields: ErrorFields};

export function toWireError(err: unknown): WireError {
  return {code: errorCode(err), message: errorText(err), fields: err instanceof StrataError ? err.fields : {}};
}

export function fromWireError(err: WireError): StrataError {
  return new StrataError(err.code, err.message, {fields: err.fields});
}
