import type {ErrorCode, ErrorFields} from "@strata/base";
import type {EngineOptions, QueryParams, QueryStats} from "@strata/engine";
import type {MatchOp} from "@strata/model";
import type {ParseOptions} from "@strata/promql";
import type {Select} from "@strata/series";
import type {StoreStreamOptions} from "@strata/storeapi";

/**
 * What the main thread and a query worker say to each other. The main thread owns the sockets: a worker asks it for
 * series and gets the raw StoreAPI messages of each endpoint, by transfer, as fast as it grants credit for them.
 */

/** One query to run. */
export type Job = {
  readonly query: string;
  readonly params: QueryParams;
  readonly parse: ParseOptions;
  readonly options: Omit<Partial<EngineOptions>, "budget" | "decodeChunk">;
  /** The request's shard: every selection is cut to it. */
  readonly shard: Select["shard"];
};

/** A selection without what cannot cross threads. */
export type WireSelect = Omit<Select, "matchers" | "budget" | "caller"> & {
  readonly matchers: readonly {readonly name: string; readonly op: MatchOp; readonly value: string}[];
};

export type WireError = {readonly code: ErrorCode; readonly message: string; readonly fields: ErrorFields};

export type ToWorker =
  | {readonly kind: "run"; readonly job: Job}
  | {readonly kind: "cancel"; readonly error: WireError}
  /** The endpoints of selection `select`; each then sends frames and one end. */
  | {
      readonly kind: "opened";
      readonly select: number;
      readonly streams: readonly StoreStreamOptions[];
    }
  | {readonly kind: "refused"; readonly select: number; readonly error: WireError}
  | {
      readonly kind: "frames";
      readonly select: number;
      readonly stream: number;
      readonly messages: readonly Uint8Array[];
    }
  | {readonly kind: "end"; readonly select: number; readonly stream: number; readonly error: WireError | undefined}
  /** The main thread wants more of the answer. */
  | {readonly kind: "more"};

export type FromWorker =
  | {readonly kind: "select"; readonly select: number; readonly q: WireSelect}
  /** So many bytes of the stream's frames were consumed. */
  | {readonly kind: "credit"; readonly select: number; readonly stream: number; readonly bytes: number}
  | {readonly kind: "close"; readonly select: number}
  | {
      readonly kind: "answer";
      readonly resultType: "vector" | "matrix" | "scalar" | "string";
      /** Of PromQL: warnings, then infos. */
      readonly annotations: readonly string[];
      /** Of endpoints. */
      readonly warnings: readonly string[];
      readonly stats: QueryStats;
      /** Seconds. */
      readonly preparation: number;
      readonly evaluation: number;
    }
  /** A piece of the answer's JSON; `undefined` says that it was the last one, and the worker is free again. */
  | {readonly kind: "piece"; readonly piece: Uint8Array | undefined}
  | {readonly kind: "failed"; readonly error: WireError};

/** Bytes of frames that one stream may have on the way to a worker. */
export const STREAM_CREDIT_BYTES = 2 * 1024 * 1024;
