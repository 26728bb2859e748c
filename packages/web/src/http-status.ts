import {type ErrorCode, errorCode, errorText} from "@strata/base";

/** How the API names an error. Thanos has the first five; the others are Prometheus's. */
export type ErrorType = "bad_data" | "execution" | "timeout" | "canceled" | "internal" | "not_found" | "unavailable";

export type HttpFailure = {readonly status: number; readonly errorType: ErrorType; readonly text: string};

const FAILURES = {
  bad_data: {status: 400, errorType: "bad_data"},
  not_found: {status: 404, errorType: "not_found"},
  conflict: {status: 409, errorType: "bad_data"},
  limit: {status: 422, errorType: "execution"},
  unavailable: {status: 503, errorType: "unavailable"},
  timeout: {status: 503, errorType: "timeout"},
  canceled: {status: 503, errorType: "canceled"},
  execution: {status: 422, errorType: "execution"},
  corrupt: {status: 500, errorType: "internal"},
  internal: {status: 500, errorType: "internal"},
} as const satisfies Record<ErrorCode, {status: number; errorType: ErrorType}>;

/** The one place where errors become HTTP statuses. */
export function httpFailure(err: unknown): HttpFailure {
  return {...FAILURES[errorCode(err)], text: errorText(err)};
}
