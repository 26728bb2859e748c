import {StrataError} from "@strata/base";
import type {HttpClient} from "@strata/http-client";
import {compareLabels, compareUtf8, Labels, type Matcher, shardOf} from "@strata/model";
import {
  AGGREGATE,
  BATCH_SERIES,
  type LabelAnswer,
  type LabelQuery,
  LabelReorder,
  type Queryable,
  type Select,
  type SeriesBatch,
  SeriesBatchBuilder,
} from "@strata/series";
import {finalLabels, stripExternal} from "./external-labels.ts";
import type {PrometheusApi} from "./prometheus-api.ts";
import {type ChunkedSeries, remoteRead} from "./remote-read.ts";

/** A batch is handed on once it holds so many bytes of chunks. */
const BATCH_BYTES = 1024 * 1024;

/** What the store needs to know of its Prometheus; kept up to date by the sidecar. */
export type PrometheusState = {
  readonly externalLabels: Labels;
  /** Oldest time that is served, ms. */
  readonly mint: number;
  /** Label names that series of the database carry themselves, or undefined while unknown. */
  readonly ownLabelNames: ReadonlySet<string> | undefined;
};

type Row = {
  readonly own: Labels;
  readonly labels: Labels;
  chunks: ChunkedSeries["chunks"][number][];
  bytes: number;
};

/**
 * The StoreAPI of a sidecar: recent data of one Prometheus through its remote read and label APIs (grpc.md §4.2, §4.5).
 * Streams; holds one batch and the few rows whose order external labels may change.
 */
export class SidecarStore implements Queryable {
  readonly #api: PrometheusApi;
  readonly #http: HttpClient;
  readonly #state: () => PrometheusState;
  readonly #observeFrames: (frames: number) => void;

  constructor(api: PrometheusApi, http: HttpClient, state: () => PrometheusState, observeFrames: (n: number) => void) {
    this.#api = api;
    this.#http = http;
    this.#state = state;
    this.#observeFrames = observeFrames;
  }

  async *select(q: Select, signal: AbortSignal): AsyncGenerator<SeriesBatch> {
    const state = this.#state();
    const matchers = stripExternal(q.matchers, state.externalLabels);
    if (matchers === undefined) return;
    if (matchers.length === 0) throw noMatchers();
    const mint = Math.max(q.mint, state.mint);
    if (mint > q.maxt) return;
    if (q.skipChunks) yield* this.#selectLabels(q, matchers, mint, state, signal);
    else yield* this.#selectChunks(q, matchers, mint, state, signal);
  }

  async labelNames(q: LabelQuery, signal: AbortSignal): Promise<LabelAnswer> {
    const {externalLabels} = this.#state();
    const matchers = stripExternal(q.matchers, externalLabels);
    if (matchers === undefined) return {values: [], warnings: []};
    const answer = await this.#api.labelNames(matchers, q.mint, q.maxt, 0, signal);
    const names = new Set(answer.values);
    if (names.size > 0) for (const [name] of externalLabels) names.add(name);
    for (const name of q.withoutReplicaLabels) names.delete(name);
    return {values: cut([...names].sort(compareUtf8), q.limit), warnings: answer.warnings};
  }

  async labelValues(name: string, q: LabelQuery, signal: AbortSignal): Promise<LabelAnswer> {
    if (name === "") throw new StrataError("bad_data", "label name parameter cannot be empty");
    if (q.withoutReplicaLabels.includes(name)) return {values: [], warnings: []};
    const {externalLabels} = this.#state();
    const matchers = stripExternal(q.matchers, externalLabels);
    if (matchers === undefined) return {values: [], warnings: []};
    if (externalLabels.has(name)) {
      const value = [externalLabels.get(name)];
      if (matchers.length === 0) return {values: value, warnings: []};
      const {series} = await this.#api.series(matchers, q.mint, q.maxt, 0, signal);
      return {values: series.length > 0 ? value : [], warnings: []};
    }
    const answer = await this.#api.labelValues(name, matchers, q.mint, q.maxt, q.limit, signal);
    return {values: cut([...answer.values].sort(compareUtf8), q.limit), warnings: answer.warnings};
  }

  /** Labels only: Prometheus' series API, its answer held within the budget. */
  async *#selectLabels(
    q: Select,
    matchers: readonly Matcher[],
    mint: number,
    state: PrometheusState,
    signal: AbortSignal,
  ): AsyncGenerator<SeriesBatch> {
    const {series, warnings} = await this.#api.series(matchers, mint, q.maxt, q.limit, signal);
    const held = series.length * ESTIMATED_LABELS_BYTES;
    q.budget.take(held, "series labels of Prometheus");
    try {
      const labels = series
        .map((own) => finalLabels(own, state.externalLabels, q.withoutReplicaLabels))
        .sort(compareLabels);
      const batches = new BatchWriter(q.limit);
      for (const text of warnings) batches.warn(text);
      for (const set of labels) {
        if (!inShard(set, q)) continue;
        if (!batches.add(set, [])) break;
        if (batches.full) yield batches.finish();
      }
      if (!batches.empty) yield batches.finish();
    } finally {
      q.budget.give(held);
    }
  }

  async *#selectChunks(
    q: Select,
    matchers: readonly Matcher[],
    mint: number,
    state: PrometheusState,
    signal: AbortSignal,
  ): AsyncGenerator<SeriesBatch> {
    const changed = [...state.externalLabels].map(([name]) => name).concat(q.withoutReplicaLabels);
    const own = state.ownLabelNames;
    // Where series carry one of those labels themselves, the order of the stream says nothing about the final one.
    const unordered = own === undefined || changed.some((name) => own.has(name));
    const ready: Row[] = [];
    const added = state.externalLabels.without(q.withoutReplicaLabels);
    const order = new LabelReorder<Row>(added, (row) => ready.push(row));
    const inOrder = (row: Row): Row[] => {
      order.add(row);
      return ready.splice(0);
    };
    const batches = new BatchWriter(q.limit);
    let sorted: Row[] = [];
    let held = 0;
    let received = 0;
    let row: Row | undefined;
    const emit = function* (rows: readonly Row[]): Generator<SeriesBatch, boolean> {
      for (const r of rows) {
        q.budget.give(r.bytes);
        held -= r.bytes;
        if (inShard(r.labels, q) && !batches.add(r.labels, r.chunks)) return false;
        if (batches.full) yield batches.finish();
      }
      return true;
    };
    try {
      for await (const part of remoteRead(this.#http, matchers, mint, q.maxt, signal)) {
        received++;
        const labels = finalLabels(part.labels, state.externalLabels, q.withoutReplicaLabels);
        if (row === undefined || !row.labels.equals(labels) || !row.own.equals(ownLabels(part.labels, state))) {
          if (row !== undefined) {
            if (unordered) sorted.push(row);
            else if (!(yield* emit(inOrder(row)))) return;
          }
          row = {own: ownLabels(part.labels, state), labels, chunks: [], bytes: 0};
        }
        for (const c of part.chunks) {
          // The frame's buffer stays alive as long as a row that points into it.
          row.chunks.push(c);
          row.bytes += c.data.length;
          q.budget.take(c.data.length, "chunks of Prometheus");
          held += c.data.length;
        }
      }
      if (row !== undefined) {
        if (unordered) sorted.push(row);
        else if (!(yield* emit(inOrder(row)))) return;
      }
      order.finish();
      sorted = unordered ? joinEqual(sorted) : ready;
      if (!(yield* emit(sorted))) return;
    } finally {
      q.budget.give(held);
      this.#observeFrames(received);
    }
    if (!batches.empty) yield batches.finish();
  }
}

/** A label set of about ten labels as JavaScript holds it. */
const ESTIMATED_LABELS_BYTES = 1024;

/** Prometheus adds its external labels to remote read where a series lacks them; these are the series' own. */
function ownLabels(labels: Labels, state: PrometheusState): Labels {
  const pairs = labels.pairs;
  const external = state.externalLabels;
  return new Labels(pairs.filter((_, i) => external.get(pairs[i & ~1] as string) !== pairs[i | 1]));
}

/** Sorted by final labels; rows whose labels have become equal are one row, its chunks ascending by mint. */
function joinEqual(rows: Row[]): Row[] {
  rows.sort((a, b) => compareLabels(a.labels, b.labels));
  const out: Row[] = [];
  for (const row of rows) {
    const last = out.at(-1);
    if (last === undefined || !last.labels.equals(row.labels)) {
      out.push(row);
      continue;
    }
    last.chunks = [...last.chunks, ...row.chunks].sort((a, b) => a.mint - b.mint || a.maxt - b.maxt);
    last.bytes += row.bytes;
  }
  return out;
}

function inShard(labels: Labels, q: Select): boolean {
  return q.shard === undefined || q.shard.total < 1 || shardOf(labels, q.shard) === q.shard.index;
}

const cut = (values: string[], limit: number): string[] => (limit > 0 ? values.slice(0, limit) : values);

const noMatchers = () => new StrataError("bad_data", "no matchers specified (excluding external labels)");

/** Fills batches, joining rows of equal labels that follow each other, up to a limit of series. */
class BatchWriter {
  readonly #builder = new SeriesBatchBuilder();
  readonly #limit: number;
  #last: Labels | undefined;
  #sent = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get full(): boolean {
    return this.#builder.series >= BATCH_SERIES || this.#builder.byteLength >= BATCH_BYTES;
  }

  get empty(): boolean {
    return this.#builder.empty;
  }

  warn(text: string): void {
    this.#builder.addWarning(text);
  }

  /** False once the limit is reached: the row was not taken. */
  add(labels: Labels, chunks: ChunkedSeries["chunks"]): boolean {
    if (this.#last === undefined || !this.#last.equals(labels)) {
      if (this.#limit > 0 && this.#sent >= this.#limit) return false;
      this.#sent++;
    }
    if (this.#builder.series === 0 || this.#last === undefined || !this.#last.equals(labels)) {
      this.#builder.startSeries(labels);
    }
    this.#last = labels;
    for (const c of chunks) {
      this.#builder.addChunk(c.mint, c.maxt, c.encoding, 0, AGGREGATE.raw, c.data, 0, c.data.length);
    }
    return true;
  }

  finish(): SeriesBatch {
    return this.#builder.finish();
  }
}
