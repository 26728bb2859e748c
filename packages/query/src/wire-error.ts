import {errorCode, errorText, StrataError} from "@strata/base";
import type {WireError} from "./messages.ts";

/** An error as it crosses a thread: structured clone would drop its class and code. */
export function toWireError(err: unknown): WireError {
  return {code: errorCode(err), message: errorText(err), fields: err instanceof StrataError ? err.fields : {}};
}

export function fromWireError(err: WireError): StrataError {
  return new StrataError(err.code, err.message, {fields: err.fields});
}
