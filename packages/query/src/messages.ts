import type {WireError} from "@strata/base";
import type {EngineOptions, QueryParams, QueryStats} from "@strata/engine";
import type {MatchOp} from "@strata/model";
import type {ParseOptions} from "@strata/promql";
import type {Caller, Select} from "@strata/series";
import type {ProxyOutline, RpcEvent, StorePlan} from "@strata/storeapi";
import type {NameEscaping} from "@strata/web";
import type {Analysis} from "./analysis.ts";
import type {RemoteJob} from "./distributed/remote-queryable.ts";
import type {TenantLabel} from "./enforce-tenancy.ts";

/**
 * What the main thread and a query worker say to each other. The main thread admits queries and knows which endpoints
 * there are; a worker runs several queries at a time, asks for each selection whom to ask, and makes those calls itself.
 */

/** One query to run. */
export type Job = {
  readonly query: string;
  readonly params: QueryParams;
  readonly parse: ParseOptions;
  readonly options: Omit<Partial<EngineOptions>, "budget" | "decodeChunk" | "progress">;
  /** The request's shard: every selection is cut to it. */
  readonly shard: Select["shard"];
  /** Where tenancy is enforced: the label every selector is tied to. */
  readonly tenant: TenantLabel | undefined;
  /** Other queriers that parts of it may be left to. */
  readonly remote?: RemoteJob | undefined;
  /** How the answer leaves; as JSON where left out. */
  readonly output?: JobOutput | undefined;
};

export type JobOutput =
  /** Answers to all of these queries, each on a line of its own; the job's own query is only a name for them. */
  | {readonly kind: "batch"; readonly queries: readonly string[]}
  /** Messages of thanos.Query of so many series, one a piece. */
  | {readonly kind: "messages"; readonly series: number}
  /** The latest samples that the selectors find, in the text format; the query itself is only a name for it. */
  | {
      readonly kind: "federate";
      readonly selectors: readonly (readonly WireMatcher[])[];
      readonly escaping: NameEscaping;
    };

export type WireMatcher = {readonly name: string; readonly op: MatchOp; readonly value: string};

/** A selection without what cannot cross threads. */
export type WireSelect = Omit<Select, "matchers" | "budget" | "caller"> & {
  readonly matchers: readonly WireMatcher[];
};

/** What a worker plans selections by. */
export type SelectOutline = {
  readonly proxy: ProxyOutline;
  readonly caller: Omit<Caller, "storeMatch">;
  readonly storeMatch: readonly (readonly WireMatcher[])[];
};

/** Each but the first two is about the query of that number. */
export type ToWorker =
  /** Run made-up queries, so that the first ones of users find compiled code. */
  | {readonly kind: "warm"}
  | {
      readonly kind: "run";
      readonly query: number;
      readonly job: Job;
      readonly slot: number;
      /** Where left out, the worker asks for each selection. */
      readonly outline: SelectOutline | undefined;
    }
  | {readonly kind: "cancel"; readonly query: number}
  | {readonly kind: "planned"; readonly query: number; readonly select: number; readonly plans: readonly StorePlan[]}
  | {readonly kind: "refused"; readonly query: number; readonly select: number; readonly error: WireError}
  /** The main thread wants more of the answer. */
  | {readonly kind: "more"; readonly query: number};

/** What a worker says about one query. */
export type FromQuery =
  | {readonly kind: "select"; readonly query: number; readonly select: number; readonly q: WireSelect}
  /** A store's stream ended without a frame. */
  | {readonly kind: "empty"; readonly query: number}
  | {
      readonly kind: "answer";
      readonly query: number;
      readonly resultType: "vector" | "matrix" | "scalar" | "string";
      /** Of PromQL: warnings, then infos. */
      readonly annotations: readonly string[];
      /** Of endpoints. */
      readonly warnings: readonly string[];
      /** Nothing was evaluated where left out. */
      readonly stats: QueryStats | undefined;
      /** Of an analyzed query. */
      readonly analysis: Analysis | undefined;
      /** Seconds. */
      readonly preparation: number;
      readonly evaluation: number;
    }
  /** A piece of the answer; `undefined` says that it was the last one, and the query is over. */
  | {readonly kind: "piece"; readonly query: number; readonly piece: Uint8Array | undefined}
  | {readonly kind: "failed"; readonly query: number; readonly error: WireError};

/** They come in lists, in the order in which they were said. */
export type FromWorker =
  | FromQuery
  | {readonly kind: "rpc"; readonly event: RpcEvent}
  /** No query runs; `bytes` of memory are held that will never be given back to the system while the thread lives. */
  | {readonly kind: "idle"; readonly bytes: number};

/** What a worker is started with. */
export type WorkerData = {readonly board: SharedArrayBuffer};
