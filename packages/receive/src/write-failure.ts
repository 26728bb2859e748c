import {errorCode, errorText, StrataError} from "@strata/base";
import {type HttpResponse, textError} from "@strata/web";

/** Statuses of writes, where they differ from those of queries. Compat: what is no conflict and no absence is a 500. */
const STATUS: Readonly<Partial<Record<StrataError["code"], number>>> = {
  bad_data: 400,
  conflict: 409,
  limit: 429,
  unavailable: 503,
};

/** The answer to a write that failed. */
export function writeFailure(err: unknown): HttpResponse {
  const status = (err instanceof StrataError ? statusOf(err) : undefined) ?? STATUS[errorCode(err)] ?? 500;
  return textError(status, errorText(err));
}

/** An error with a status of its own. */
export const refused = (status: number, text: string): StrataError =>
  new StrataError(status === 413 || status === 429 ? "limit" : status === 500 ? "internal" : "bad_data", text, {
    fields: {status},
  });

function statusOf(err: StrataError): number | undefined {
  const {status} = err.fields;
  return typeof status === "number" ? status : undefined;
}
