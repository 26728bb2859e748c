import type {MessagePort} from "node:worker_threads";
import type {ErrorCode, ErrorFields} from "@strata/base";
import type {EngineOptions, QueryParams, QueryStats} from "@strata/engine";
import type {MatchOp} from "@strata/model";
import type {ParseOptions} from "@strata/promql";
import type {Select} from "@strata/series";
import type {StoreStreamOptions} from "@strata/storeapi";
import type {TenantLabel} from "./enforce-tenancy.ts";

/**
 * What the main thread and a query worker say to each other. The main thread owns the sockets: a worker asks it for
 * series and gets a port for each endpoint, through which raw StoreAPI messages come as fast as it takes them.
 */

/** One query to run. */
export type Job = {
  readonly query: string;
  readonly params: QueryParams;
  readonly parse: ParseOptions;
  readonly options: Omit<Partial<EngineOptions>, "budget" | "decodeChunk">;
  /** The request's shard: every selection is cut to it. */
  readonly shard: Select["shard"];
  /** Where tenancy is enforced: the label every selector is tied to. */
  readonly tenant: TenantLabel | undefined;
  /** Where given, the answer leaves as messages of thanos.Query of so many series, one a piece, instead of as JSON. */
  readonly messageSeries?: number | undefined;
};

/** A selection without what cannot cross threads. */
export type WireSelect = Omit<Select, "matchers" | "budget" | "caller"> & {
  readonly matchers: readonly {readonly name: string; readonly op: MatchOp; readonly value: string}[];
};

export type WireError = {readonly code: ErrorCode; readonly message: string; readonly fields: ErrorFields};

/** One endpoint of a selection: how its frames are read, and where they come from (see storeapi, receiveFrames). */
export type OpenedStream = {readonly options: StoreStreamOptions; readonly port: MessagePort};

export type ToWorker =
  | {readonly kind: "run"; readonly job: Job}
  | {readonly kind: "cancel"; readonly error: WireError}
  | {readonly kind: "opened"; readonly select: number; readonly streams: readonly OpenedStream[]}
  | {readonly kind: "refused"; readonly select: number; readonly error: WireError}
  /** The main thread wants more of the answer. */
  | {readonly kind: "more"};

export type FromWorker =
  | {readonly kind: "select"; readonly select: number; readonly q: WireSelect}
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
