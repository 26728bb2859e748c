import {errorText, StrataError} from "@strata/base";

/** The error of an operation on an object that is not there. */
export const notFound = (bucket: string, key: string, cause?: unknown): StrataError =>
  new StrataError("not_found", `cannot find object ${key} in ${bucket}`, {cause, fields: {key}});

/** The error of a request that `bucket` ("S3 bucket b") did not answer as wanted; without a status the connection broke. */
export function requestFailed(
  bucket: string,
  verb: string,
  key: string,
  status: number | undefined,
  text: string,
  cause: unknown,
): StrataError {
  // 4xx will not be mended by trying again.
  const permanent = status !== undefined && status >= 400 && status < 500 && status !== 429 && status !== 408;
  return new StrataError(
    permanent ? "internal" : "unavailable",
    `cannot ${verb} ${key === "" ? "the root" : key} of ${bucket}: ${text}`,
    {cause, fields: {key, ...(status === undefined ? {} : {status})}},
  );
}

/** Whether an object is there, by a question for its attributes. */
export async function isFound(attributes: Promise<unknown>): Promise<boolean> {
  try {
    await attributes;
    return true;
  } catch (err) {
    if (isNotFound(err)) return false;
    throw err;
  }
}

export const isNotFound = (err: unknown): boolean => err instanceof StrataError && err.code === "not_found";

/** Throws `canceled` (or `timeout`, when that is why it was aborted) once `signal` is aborted. */
export function throwIfAborted(signal: AbortSignal, what: string): void {
  if (!signal.aborted) return;
  const timeout = signal.reason instanceof Error && signal.reason.name === "TimeoutError";
  throw new StrataError(timeout ? "timeout" : "canceled", `cannot ${what}: ${errorText(signal.reason)}`, {
    cause: signal.reason,
  });
}
