import {type ErrorCode, errorCode, errorText, StrataError, unreachable} from "@strata/base";

/** gRPC status codes by the names that Go prints, which metrics and error texts carry. */
export const GRPC_CODE = {
  OK: 0,
  Canceled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  AlreadyExists: 6,
  PermissionDenied: 7,
  ResourceExhausted: 8,
  FailedPrecondition: 9,
  Aborted: 10,
  OutOfRange: 11,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
  DataLoss: 15,
  Unauthenticated: 16,
} as const;
export type GrpcCode = (typeof GRPC_CODE)[keyof typeof GRPC_CODE];

const NAMES = Object.keys(GRPC_CODE);

export const grpcCodeName = (code: number): string => NAMES[code] ?? `Code(${code})`;

/** What the caller of a gRPC method is told. */
export type GrpcStatus = {readonly code: GrpcCode; readonly details: string};

/** The one place where our errors become gRPC statuses. */
export function toGrpcStatus(err: unknown): GrpcStatus {
  return {code: codeOf(err), details: clip(errorText(err))};
}

function codeOf(err: unknown): GrpcCode {
  // An error that a store gave keeps the code it came with.
  const given = err instanceof StrataError ? err.fields[GRPC_FIELD] : undefined;
  if (typeof given === "number" && given > 0 && given < NAMES.length) return given as GrpcCode;
  const code = errorCode(err);
  switch (code) {
    case "bad_data":
      return GRPC_CODE.InvalidArgument;
    case "not_found":
      return GRPC_CODE.NotFound;
    case "conflict":
      return GRPC_CODE.AlreadyExists;
    case "limit":
      return GRPC_CODE.ResourceExhausted;
    case "unavailable":
      return GRPC_CODE.Unavailable;
    case "timeout":
      return GRPC_CODE.DeadlineExceeded;
    case "canceled":
      return GRPC_CODE.Canceled;
    case "execution":
      return GRPC_CODE.Aborted;
    case "corrupt":
    case "internal":
      return GRPC_CODE.Internal;
    default:
      return unreachable(code);
  }
}

/** Where an error keeps the gRPC code it came with. */
const GRPC_FIELD = "grpcCode";

const CODES: Readonly<Record<GrpcCode, ErrorCode>> = {
  [GRPC_CODE.OK]: "internal",
  [GRPC_CODE.Canceled]: "canceled",
  [GRPC_CODE.Unknown]: "internal",
  [GRPC_CODE.InvalidArgument]: "bad_data",
  [GRPC_CODE.DeadlineExceeded]: "timeout",
  [GRPC_CODE.NotFound]: "not_found",
  [GRPC_CODE.AlreadyExists]: "conflict",
  [GRPC_CODE.PermissionDenied]: "unavailable",
  [GRPC_CODE.ResourceExhausted]: "limit",
  [GRPC_CODE.FailedPrecondition]: "execution",
  [GRPC_CODE.Aborted]: "execution",
  [GRPC_CODE.OutOfRange]: "bad_data",
  [GRPC_CODE.Unimplemented]: "internal",
  [GRPC_CODE.Internal]: "internal",
  [GRPC_CODE.Unavailable]: "unavailable",
  [GRPC_CODE.DataLoss]: "corrupt",
  [GRPC_CODE.Unauthenticated]: "unavailable",
};

/**
 * Our error for a status that a peer gave. Its text is the one Go's gRPC prints, so that warnings read the same whoever
 * asks: `rpc error: code = Unavailable desc = …`.
 */
export function fromGrpcStatus(code: number, details: string, cause?: unknown): StrataError {
  const text = `rpc error: code = ${grpcCodeName(code)} desc = ${goDetails(details)}`;
  const known = CODES[code as GrpcCode] ?? "internal";
  return new StrataError(known, text, {cause, fields: {[GRPC_FIELD]: code}});
}

/**
 * `err` with one layer of context before its text, told to callers as `code`: what the proxy makes of a store's failure.
 */
export function asGrpcError(code: GrpcCode, text: string, cause?: unknown): StrataError {
  return new StrataError(CODES[code], text, {cause, fields: {[GRPC_FIELD]: code}});
}

/** Whether a call failed because there was no connection to make it on. */
export function isConnectionError(err: unknown): boolean {
  return (
    err instanceof StrataError && err.fields[GRPC_FIELD] === GRPC_CODE.Unavailable && NO_CONNECTION.test(err.message)
  );
}

const NO_CONNECTION =
  /desc = (connection error:|No connection established|Name resolution failed|no addresses of |Channel closed)/;

/** Compat: a connection that failed in the words of Go's gRPC; the library's own carry the time of day. */
function goDetails(details: string): string {
  const refused = /connect ECONNREFUSED (\S+:\d+)/.exec(details);
  if (refused !== null) {
    const dial = `Error while dialing: dial tcp ${refused[1]}: connect: connection refused`;
    return `connection error: desc = "transport: ${dial}"`;
  }
  // The first line of the reason, without the time and whatever the library adds: TLS faults, mostly.
  const failed =
    /^No connection established\. Last error: (?:Error: )?(.*?)(?: \([^()]*Z\))?(?:\. Resolution note:.*)?$/m;
  const reason = failed.exec(details)?.[1];
  return reason === undefined ? details : `connection error: desc = "transport: ${reason}"`;
}

/** Texts travel in a header: well-formed, and short enough for any peer's header limit. */
function clip(text: string): string {
  const fine = text.toWellFormed();
  return fine.length > MAX_DETAILS ? `${fine.slice(0, MAX_DETAILS)}…`.toWellFormed() : fine;
}

const MAX_DETAILS = 4096;
