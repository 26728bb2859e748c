import {errorText, StrataError} from "@strata/base";
import {compareUtf8, Labels, type Matcher} from "@strata/model";
import type {Init, info} from "@strata/proto";
import {
  type LabelAnswer,
  type LabelQuery,
  mergeBatches,
  type Queryable,
  type Select,
  type SeriesBatch,
} from "@strata/series";
import type {Counter, Registry} from "@strata/telemetry";
import {asGrpcError, toGrpcStatus} from "./grpc-status.ts";
import {outlineOf, type ProxyOutline} from "./proxy-outline.ts";
import {planSelect, present, storeQuery} from "./select-plan.ts";
import {chooseStores, type LabelSetSelector} from "./store-filter.ts";
import {type StoreHandle, storeText} from "./store-handle.ts";
import {
  localBatches,
  type OpenOptions,
  planStore,
  remoteBatches,
  remoteClient,
  type StorePlan,
} from "./store-stream.ts";

export type ProxyStoreOptions = {
  /** The stores there are at the moment of a request. */
  readonly stores: () => readonly StoreHandle[];
  /** Labels the proxy adds to its description and takes out of requests (`--selector-label`). */
  readonly selectorLabels?: Labels | undefined;
  readonly selector?: LabelSetSelector;
  /** ms to wait for each frame of a store; 0 for ever. */
  readonly responseTimeoutMs: number;
  readonly registry: Registry;
};

/**
 * Many stores as one Queryable: chooses those that may hold what is asked, asks them at once, and merges their streams in
 * label order, one batch of each in memory. A store that fails becomes a warning where the request allows it.
 */
export class ProxyStore implements Queryable {
  readonly #options: ProxyStoreOptions;
  readonly #selectorLabels: Labels;
  readonly #empty: Counter;

  constructor(options: ProxyStoreOptions) {
    this.#options = options;
    this.#selectorLabels = options.selectorLabels ?? Labels.EMPTY;
    this.#empty = options.registry.counter({
      name: "thanos_proxy_store_empty_stream_responses_total",
      help: "Streams of stores that ended without a single frame.",
    });
  }

  async *select(q: Select, signal: AbortSignal): AsyncGenerator<SeriesBatch, void, undefined> {
    const plan = this.#plan(q);
    // What is left of the streams when one fails or the consumer stops has to end, too.
    const abort = new AbortController();
    const all = AbortSignal.any([signal, abort.signal]);
    const streams = plan.map(({store, q: asked}, source) => {
      const open = this.#openOptions(source);
      return store.source.kind === "local"
        ? localBatches(store, asked, all, open)
        : remoteBatches(store, asked, all, open);
    });
    try {
      yield* mergeBatches(streams, {limit: q.limit});
    } finally {
      abort.abort(new StrataError("canceled", "cannot go on: the select is over"));
    }
  }

  /**
   * What a select asks of which store, for a thread that makes the calls itself: `openPlan`, `storeBatches` and
   * `mergeBatches` give it what `select` gives. In-process stores cannot be had this way.
   */
  plan(q: Select): readonly StorePlan[] {
    const {responseTimeoutMs} = this.#options;
    return this.#plan(q).map(({store, q: asked}, source) =>
      planStore(store, remoteClient(store).connection, asked, source, responseTimeoutMs),
    );
  }

  /** What another thread needs to plan selects by itself for now (`planFrom`); undefined where it has to ask. */
  outline(): ProxyOutline | undefined {
    const {stores, selector, responseTimeoutMs} = this.#options;
    return selector === undefined ? outlineOf(stores(), this.#selectorLabels, responseTimeoutMs) : undefined;
  }

  /** Counts a stream of `plan` that ended without a frame. */
  noteEmpty(): void {
    this.#empty.inc();
  }

  labelNames(q: LabelQuery, signal: AbortSignal): Promise<LabelAnswer> {
    // Compat: the limit of label names is not passed on but cut after the merge.
    return this.#labels(q, "label names", (store, asked) => store.labelNames({...asked, limit: 0}, signal), signal);
  }

  async labelValues(name: string, q: LabelQuery, signal: AbortSignal): Promise<LabelAnswer> {
    if (name === "") throw new StrataError("bad_data", "label name parameter cannot be empty");
    if (q.withoutReplicaLabels.includes(name)) return {values: [], warnings: []};
    const asked = {...q, blockMatchers: []};
    return this.#labels(asked, "label values", (store, a) => store.labelValues(name, a, signal), signal);
  }

  /** The external labels of all stores, the selector labels added to each; sorted by their text. */
  labelSets(): readonly Labels[] {
    const sets = new Map<string, Labels>();
    for (const {store, selected} of this.#selected()) {
      if (store.labelSets.length > 0 && selected.length === 0) continue;
      for (const set of selected) {
        const extended = set.extend(this.#selectorLabels);
        sets.set(extended.toString(), extended);
      }
    }
    if (sets.size === 0 && this.#selectorLabels.size > 0) return [this.#selectorLabels];
    return [...sets.keys()].sort(compareUtf8).map((text) => sets.get(text) as Labels);
  }

  /** From the earliest to the latest of all stores; all time when there are none. */
  timeRange(): {mint: number; maxt: number} {
    const stores = this.#selected().map((s) => s.store);
    if (stores.length === 0) return {mint: -(2 ** 63), maxt: 2 ** 63};
    return {
      mint: stores.reduce((t, s) => Math.min(t, s.mint), 2 ** 63),
      maxt: stores.reduce((t, s) => Math.max(t, s.maxt), -(2 ** 63)),
    };
  }

  /** What the stores reported, one after another. */
  tsdbInfos(): readonly Init<info.TSDBInfo>[] {
    return this.#selected().flatMap((s) => s.store.tsdbInfos);
  }

  #selected(): {store: StoreHandle; selected: readonly Labels[]}[] {
    const {selector} = this.#options;
    return present(this.#options.stores())
      .map((store) => ({store, selected: selector === undefined ? store.labelSets : store.labelSets.filter(selector)}))
      .filter(({store, selected}) => store.labelSets.length === 0 || selected.length > 0);
  }

  /** The stores to ask for series, each with what to ask it. */
  #plan(q: Select): readonly {store: StoreHandle; q: Select}[] {
    return planSelect(this.#options.stores(), q, this.#selectorLabels, this.#options.selector);
  }

  #openOptions(source: number): OpenOptions {
    return {source, responseTimeoutMs: this.#options.responseTimeoutMs, onEmpty: () => this.#empty.inc()};
  }

  async #labels(
    q: LabelQuery,
    what: "label names" | "label values",
    ask: (store: Queryable, q: LabelQuery) => Promise<LabelAnswer>,
    signal: AbortSignal,
  ): Promise<LabelAnswer> {
    const matchers = matchLabelQuery(q.matchers, this.#selectorLabels);
    if (matchers === undefined) return {values: [], warnings: []};
    const chosen = chooseStores(this.#options.stores(), storeQuery(q, matchers), this.#options.selector);
    const answers = await Promise.all(
      chosen.map(async ({store, extraMatchers}): Promise<LabelAnswer> => {
        const queryable = store.source.kind === "remote" ? store.source.client : store.source.queryable;
        try {
          if (store.away !== undefined) throw new StrataError("unavailable", store.away);
          return await ask(queryable, {...q, matchers: [...matchers, ...extraMatchers]});
        } catch (err) {
          signal.throwIfAborted();
          const text = `fetch ${what} from store ${storeText(store)}: ${errorText(err)}`;
          if (!q.partialResponse) throw asGrpcError(toGrpcStatus(err).code, text, err);
          return {values: [], warnings: [text]};
        }
      }),
    );
    // Stores that cannot leave labels out name them all the same.
    const left = what === "label names" ? q.withoutReplicaLabels : [];
    const values = mergeSorted(answers.map((a) => a.values)).filter((value) => !left.includes(value));
    return {
      values: q.limit > 0 ? values.slice(0, q.limit) : values,
      warnings: answers.flatMap((a) => a.warnings),
    };
  }
}

/** As matchExternal, but label calls may come without any matcher. */
function matchLabelQuery(matchers: readonly Matcher[], external: Labels): readonly Matcher[] | undefined {
  const left = matchers.filter((m) => !external.has(m.name));
  return matchers.every((m) => !external.has(m.name) || m.matches(external.get(m.name))) ? left : undefined;
}

/** The values of all lists, sorted by UTF-8 bytes, each once. Lists of remote stores need not be sorted. */
function mergeSorted(lists: readonly (readonly string[])[]): readonly string[] {
  const all = new Set<string>();
  for (const list of lists) for (const value of list) all.add(value);
  return [...all].sort(compareUtf8);
}
