import type {ChunkPlace, EncodedChunk} from "@strata/chunkenc";
import {compareLabels, compareUtf8, Labels, type Matcher, shardOf} from "@strata/model";
import {
  AGGREGATE,
  BATCH_BYTES,
  BATCH_SERIES,
  type LabelAnswer,
  type LabelQuery,
  type Queryable,
  type Select,
  type SeriesBatch,
  SeriesBatchBuilder,
} from "@strata/series";
import {maskChunk} from "../chunk-mask.ts";
import {selectLabelNames, selectLabelValues} from "../index/select-labels.ts";
import {selectPostings} from "../index/select-postings.ts";
import {covers, type Interval, touches} from "../tombstones.ts";
import type {Head} from "./head.ts";
import type {OpenChunk} from "./open-chunk.ts";
import {OPEN} from "./series-store.ts";

/** A chunk of a head, read: its data are bytes[from, from + length). */
export type ReadChunk = {
  readonly mint: number;
  readonly maxt: number;
  readonly encoding: number;
  readonly samples: number;
  readonly data: Uint8Array;
  readonly from: number;
  readonly length: number;
  readonly isOpen: boolean;
};

type Row = {readonly labels: Labels; readonly refs: number[]; readonly seen: number[]};

/** What a selected series costs in memory until its batch is made. */
const ROW_BYTES = 160;

/** Reads a head as a Queryable. */
export class HeadReader implements Queryable {
  readonly #head: Head;
  readonly #external: Labels;
  readonly #source: number;
  /** First times of the selects under way, and the last commits before them. */
  readonly #active = new Map<symbol, {readonly mint: number; readonly commit: number}>();
  #waiting: (() => void)[] = [];

  constructor(head: Head, external: Labels | undefined, source: number) {
    this.#head = head;
    this.#external = external ?? Labels.EMPTY;
    this.#source = source;
  }

  /** Resolves when no select that asked for times before `t` is under way. */
  async idleBefore(t: number): Promise<void> {
    const before = new Set([...this.#active].filter(([, {mint}]) => mint < t).map(([key]) => key));
    while ([...before].some((key) => this.#active.has(key))) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async *select(q: Select, signal: AbortSignal): AsyncGenerator<SeriesBatch> {
    const key = Symbol("select");
    this.#active.set(key, {mint: q.mint, commit: this.#head.stats.commits});
    this.#noteOldest();
    let counted = 0;
    try {
      const matchers = this.#ownMatchers(q.matchers);
      if (matchers === undefined) return;
      const {rows, commit} = await this.#rows(matchers, q);
      q.budget.take(rows.length * ROW_BYTES, "series of the head");
      counted = rows.length * ROW_BYTES;
      const builder = new SeriesBatchBuilder();
      let series = 0;
      for (const row of rows) {
        if (q.limit > 0 && series >= q.limit) break;
        if (!this.#add(builder, row, q, commit)) continue;
        series++;
        if (builder.series >= BATCH_SERIES || builder.byteLength >= BATCH_BYTES) {
          signal.throwIfAborted();
          yield builder.finish();
        }
      }
      signal.throwIfAborted();
      if (!builder.empty) yield builder.finish();
    } finally {
      q.budget.give(counted);
      this.#active.delete(key);
      this.#noteOldest();
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resolve of waiting) resolve();
    }
  }

  #noteOldest(): void {
    let oldest = Number.POSITIVE_INFINITY;
    for (const {commit} of this.#active.values()) oldest = Math.min(oldest, commit);
    this.#head.store.hidden.setOldest(oldest);
  }

  /** The series that match, in label order, each with what it had after the commit that is told as well. */
  async #rows(matchers: readonly Matcher[], q: Select): Promise<{rows: Row[]; commit: number}> {
    const head = this.#head;
    const {table, total} = head.store;
    const {ids, pending} = await selectPostings(matchers, head.postings, {lazy: true});
    const change = this.#external.size > 0 || q.withoutReplicaLabels.length > 0;
    const {commits: commit} = head.stats;
    const rows: Row[] = [];
    for (const ref of ids) {
      const slot = table.slotOf(ref);
      if (slot < 0) continue;
      const own = table.labels(slot);
      if (!pending.every((m) => m.matches(own.get(m.name)))) continue;
      const labels = change ? own.extend(this.#external).without(q.withoutReplicaLabels) : own;
      if (q.shard !== undefined && shardOf(labels, q.shard) !== q.shard.index) continue;
      rows.push({labels, refs: [ref], seen: [total[slot] as number]});
    }
    rows.sort((a, b) => compareLabels(a.labels, b.labels));
    if (q.withoutReplicaLabels.length === 0 && this.#external.size === 0) return {rows, commit};
    const joined: Row[] = [];
    for (const row of rows) {
      const last = joined.at(-1);
      if (last?.labels.equals(row.labels)) {
        last.refs.push(...row.refs);
        last.seen.push(...row.seen);
      } else joined.push(row);
    }
    return {rows: joined, commit};
  }

  /** Adds a row's chunks to the batch; false when it has none that are asked for. */
  #add(builder: SeriesBatchBuilder, row: Row, q: Select, commit: number): boolean {
    const chunks: (ReadChunk | EncodedChunk)[] = [];
    let found = false;
    row.refs.forEach((ref, i) => {
      const slot = this.#head.store.table.slotOf(ref);
      if (slot < 0) return;
      const deleted = this.#head.tombstones.get(ref);
      const visit = (chunk: ReadChunk): void => {
        if (deleted.length > 0 && covers(deleted, chunk.mint, chunk.maxt)) return;
        found = true;
        if (q.skipChunks) return;
        const masked = mask(chunk, deleted, {name: `head chunk of series ${ref}`, offset: 0});
        if (masked !== undefined) chunks.push(masked);
      };
      this.inOrder(slot, q.mint, q.maxt, row.seen[i] as number, visit);
      this.outOfOrder(slot, q.mint, q.maxt, visit, commit);
    });
    if (!found || (!q.skipChunks && chunks.length === 0)) return false;
    builder.startSeries(row.labels);
    chunks.sort((a, b) => a.mint - b.mint);
    for (const chunk of chunks) {
      const from = "from" in chunk ? chunk.from : 0;
      const length = "from" in chunk ? chunk.length : chunk.data.length;
      builder.addChunk(chunk.mint, chunk.maxt, chunk.encoding, this.#source, AGGREGATE.raw, chunk.data, from, length);
    }
    return true;
  }

  /**
   * Hands over the slot's chunks in order that reach into [mint, maxt]. Only the first `seen` samples ever appended are
   * there; later ones are cut off by the chunk's count.
   */
  inOrder(slot: number, mint: number, maxt: number, seen: number, visit: (chunk: ReadChunk) => void): void {
    const {store} = this.#head;
    const {chunks} = store;
    // How many samples lie behind what the reader may see; both counters may have wrapped.
    let hidden = ((store.total[slot] as number) - seen) >>> 0;
    const kind = store.open[slot];
    const out: ReadChunk[] = [];
    if (kind !== OPEN.none) {
      const times = store.openTimes(slot);
      const count =
        kind === OPEN.xor ? (store.floats.count[slot] as number) : (store.objects.get(slot) as OpenChunk).count;
      const visible = count - hidden;
      hidden = Math.max(0, -visible);
      if (visible > 0 && times.mint <= maxt && times.maxt >= mint) {
        const length = kind === OPEN.xor ? store.floats.bytes(slot) : 0;
        const data = kind === OPEN.xor ? new Uint8Array(length) : (store.objects.get(slot) as OpenChunk).data().slice();
        const encoding = kind === OPEN.xor ? 1 : (store.objects.get(slot) as OpenChunk).encoding;
        if (kind === OPEN.xor) store.floats.copy(slot, data, 0);
        out.push(
          limited({...times, encoding, samples: count, data, from: 0, length: data.length, isOpen: true}, visible),
        );
      }
    }
    for (let i = store.newest[slot] as number; i !== 0; i = chunks.older[i] as number) {
      const count = chunks.samples[i] as number;
      const visible = count - hidden;
      hidden = Math.max(0, -visible);
      if (visible <= 0 || (chunks.mint[i] as number) > maxt || (chunks.maxt[i] as number) < mint) continue;
      out.push(limited(this.#load(i), visible));
    }
    for (let i = out.length - 1; i >= 0; i--) visit(out[i] as ReadChunk);
  }

  /** Hands over the slot's chunks out of order that reach into [mint, maxt], with samples of commits up to `commit`. */
  outOfOrder(
    slot: number,
    mint: number,
    maxt: number,
    visit: (chunk: ReadChunk) => void,
    commit: number = Number.POSITIVE_INFINITY,
  ): void {
    const {store} = this.#head;
    const {chunks} = store;
    for (const i of chunks.entries(store.newestOoo[slot] as number)) {
      if ((chunks.mint[i] as number) > maxt || (chunks.maxt[i] as number) < mint) continue;
      const chunk = this.#load(i);
      const hidden = store.hidden.of(i, commit);
      if (hidden.length === 0) visit(chunk);
      else {
        const left = maskChunk(chunk.encoding, chunk.data, 0, chunk.length, hidden, {name: "head chunk", offset: 0});
        if (left !== undefined) visit({...left, from: 0, length: left.data.length, isOpen: false});
      }
    }
    const list = store.ooo.get(slot);
    if (list === undefined) return;
    for (const chunk of list.encode(store.startTimes, commit)) {
      if (chunk.mint <= maxt && chunk.maxt >= mint) visit({...chunk, from: 0, length: chunk.data.length, isOpen: true});
    }
  }

  #load(i: number): ReadChunk {
    const {chunks, files} = this.#head.store;
    const length = chunks.length[i] as number;
    const data = new Uint8Array(length);
    files.read(chunks.file[i] as number, chunks.dataAt[i] as number, length, data, 0);
    return {
      mint: chunks.mint[i] as number,
      maxt: chunks.maxt[i] as number,
      encoding: chunks.encoding[i] as number,
      samples: chunks.samples[i] as number,
      data,
      from: 0,
      length,
      isOpen: false,
    };
  }

  async labelNames(q: LabelQuery, _signal: AbortSignal): Promise<LabelAnswer> {
    return this.#labels(q, async (matchers) => {
      const own = await selectLabelNames(matchers, this.#head.postings);
      if (own.length === 0) return own;
      const external = this.#external.pairs.filter((_, i) => i % 2 === 0);
      const names = new Set([...own, ...external].filter((name) => !q.withoutReplicaLabels.includes(name)));
      return [...names].sort(compareUtf8);
    });
  }

  async labelValues(name: string, q: LabelQuery, _signal: AbortSignal): Promise<LabelAnswer> {
    return this.#labels(q, async (matchers) => {
      if (q.withoutReplicaLabels.includes(name)) return [];
      const external = this.#external.get(name);
      if (external === "") return selectLabelValues(name, matchers, this.#head.postings);
      const {ids} = await selectPostings(matchers, this.#head.postings);
      return ids.length > 0 ? [external] : [];
    });
  }

  async #labels(
    q: LabelQuery,
    ask: (matchers: readonly Matcher[]) => Promise<readonly string[]>,
  ): Promise<LabelAnswer> {
    const matchers = this.#ownMatchers(q.matchers);
    const {minTime, maxTime, store} = this.#head;
    const overlaps = (minTime <= q.maxt && maxTime >= q.mint) || (store.oooMint <= q.maxt && store.oooMaxt >= q.mint);
    const values = matchers !== undefined && overlaps ? await ask(matchers) : [];
    return {values: q.limit > 0 ? values.slice(0, q.limit) : values, warnings: []};
  }

  /** The matchers that the external labels do not decide; undefined when those refuse one. */
  #ownMatchers(matchers: readonly Matcher[]): readonly Matcher[] | undefined {
    const own: Matcher[] = [];
    for (const m of matchers) {
      const external = this.#external.get(m.name);
      if (external === "") own.push(m);
      else if (!m.matches(external)) return undefined;
    }
    return own;
  }
}

/** The chunk with only its first `samples`: readers go by the count, whatever bits follow. */
function limited(chunk: ReadChunk, samples: number): ReadChunk {
  if (samples >= chunk.samples) return chunk;
  const {data, from} = chunk;
  const keep = chunk.encoding >= 5 ? (data[from] as number) & 0xc0 : 0;
  data[from] = keep | (samples >>> 8);
  data[from + 1] = samples;
  return {...chunk, samples};
}

function mask(chunk: ReadChunk, deleted: readonly Interval[], place: ChunkPlace): ReadChunk | EncodedChunk | undefined {
  if (deleted.length === 0 || !touches(deleted, chunk.mint, chunk.maxt)) return chunk;
  return maskChunk(chunk.encoding, chunk.data, chunk.from, chunk.length, deleted, place);
}
