import {errorCode} from "@strata/base";
import {compareLabels, Labels, type Matcher, shardOf} from "@strata/model";
import {LabelReorder, type Select} from "@strata/series";
import {type Selection, selectPostings} from "@strata/tsdb/blocks";
import {type BlockReader, type Row, rowMemory} from "./block-reader.ts";
import {matchersKey} from "./cache-keys.ts";
import {partMatchers} from "./lazy-postings.ts";
import {encodePostings} from "./postings-codec.ts";
import type {ReadContext} from "./read-context.ts";
import {cutRows, type KnownRows, ofShard} from "./row-cache.ts";
import {DEFAULT_TENANT} from "./store-metrics.ts";

/** Rows of a block's first batch; each that follows is twice as large, up to the bound. */
const FIRST_ROWS = 64;

/**
 * The block's series that match, in the order of their final labels, in batches of up to `batchRows`, the first ones small. Chunks outside
 * [q.mint, q.maxt] are left out, and so are series without others.
 */
export async function* blockRows(
  reader: BlockReader,
  matchers: readonly Matcher[],
  q: Select,
  batchRows: number,
  ctx: ReadContext,
): AsyncGenerator<Row[]> {
  // Compat: a selector whose matchers all speak of external labels selects nothing of a block.
  if (matchers.length === 0) return;
  const {ids, pending} = await expandedPostings(reader, matchers, ctx);
  if (ids.length === 0) {
    ctx.metrics.emptyPostings.with({tenant: DEFAULT_TENANT}).inc();
    return;
  }
  if (pending.length === 0) ctx.limits.series(ids.length);

  const external = reader.block.labels.without(q.withoutReplicaLabels);
  const removed = q.withoutReplicaLabels.filter((name) => reader.hasLabel(name));
  const overridden = [...external].some(([name]) => reader.hasLabel(name));
  const keeper = ctx.rowCache?.keeper(reader.block, matchers, q, ids.length);
  const rows = readRows(reader, ids, pending, keeper?.asked ?? q, external, removed, batchRows, ctx);
  const inOrder =
    removed.length > 0 || overridden
      ? sorted(rows, q, batchRows)
      : external.size === 0
        ? rows
        : reordered(rows, external);
  if (keeper === undefined) yield* inOrder;
  else {
    for await (const batch of inOrder) {
      keeper.add(batch);
      yield cutRows(ofShard(batch, q.shard), q.mint, q.maxt);
    }
    keeper.done();
  }
}

/** What `blockRows` would give, from rows that are known. */
export async function* knownRows(
  {rows, series}: KnownRows,
  q: Select,
  batchRows: number,
  ctx: ReadContext,
): AsyncGenerator<Row[]> {
  ctx.limits.series(series);
  for (let from = 0; from < rows.length; from += batchRows) {
    yield cutRows(rows.slice(from, from + batchRows), q.mint, q.maxt);
  }
}

/** Ids of the series that match, from the cache where it has them. */
async function expandedPostings(
  reader: BlockReader,
  matchers: readonly Matcher[],
  ctx: ReadContext,
): Promise<Selection> {
  const {cache, tuning, lazyPostings, metrics} = ctx;
  const select = async () => {
    const {fetched, pending} =
      lazyPostings === undefined
        ? {fetched: matchers, pending: []}
        : await partMatchers(matchers, reader, lazyPostings, reader.entryGuess, ctx);
    if (tuning.prefetchPostings) await reader.prefetchPostings(fetched);
    const selection = await selectPostings(fetched, reader, {lazy: true, lazyRatio: lazyPostings?.maxKeySeriesRatio});
    metrics.lazyGroups.with({reason: "keys_limit"}).inc(selection.pending.length);
    const all = [...pending, ...selection.pending];
    if (all.length > 0) metrics.lazyExpanded.inc();
    return {ids: selection.ids, pending: all};
  };
  if (!cache.enabled("ExpandedPostings")) return select();
  const item = {type: "ExpandedPostings" as const, matchers: matchersKey(matchers)};
  const {ulid} = reader.block;
  const [cached] = await cache.fetch(ulid, [item], ctx.signal);
  const ids = reader.cachedIds(cached, "expanded postings");
  if (ids !== undefined) return {ids, pending: []};
  const selection = await select();
  if (selection.pending.length === 0) cache.store(ulid, item, encodePostings(selection.ids));
  return selection;
}

/** Rows with their final labels, in the block's own order. */
async function* readRows(
  reader: BlockReader,
  ids: Uint32Array,
  pending: readonly Matcher[],
  q: Select,
  external: Labels,
  removed: readonly string[],
  batchRows: number,
  ctx: ReadContext,
): AsyncGenerator<Row[]> {
  const {shard} = q;
  // Where the own labels matter, or some of them go, the external ones are put in afterwards.
  const plain = pending.length === 0 && removed.length === 0;
  // PERF: with whole batches from the start, a select over many blocks decoded most of their series before its first frame.
  let size = Math.min(FIRST_ROWS, batchRows);
  for (let from = 0, to = size; from < ids.length; from = to, to += size) {
    const out: Row[] = [];
    let matched = 0;
    let refused = 0;
    const bytesBefore = ctx.stats.entries.touchedBytes;
    size = Math.min(2 * size, batchRows);
    await reader.readRows(
      ids.subarray(from, to),
      q.mint,
      q.maxt,
      q.skipChunks,
      plain ? external : Labels.EMPTY,
      (pairs, chunks, chunkFrom, chunkTo) => {
        let labels = new Labels(pairs);
        if (!plain) {
          if (!pending.every((m) => m.matches(labels.get(m.name)))) return void refused++;
          labels = labels.without(removed).extend(external);
        }
        matched++;
        if (shard !== undefined && shard.total > 0 && shardOf(labels, shard) !== shard.index) return;
        out.push({labels, chunks, from: chunkFrom, to: chunkTo});
      },
    );
    if (pending.length > 0) ctx.limits.series(matched);
    if (refused > 0) {
      const bytes = ctx.stats.entries.touchedBytes - bytesBefore;
      ctx.metrics.lazyOverfetched.inc((bytes * refused) / (matched + refused));
    }
    yield out;
  }
}

async function* reordered(rows: AsyncGenerator<Row[]>, external: Labels): AsyncGenerator<Row[]> {
  let out: Row[] = [];
  const order = new LabelReorder<Row>(external, (row) => out.push(row));
  for await (const batch of rows) {
    for (const row of batch) order.add(row);
    if (out.length > 0) yield out;
    out = [];
  }
  order.finish();
  if (out.length > 0) yield out;
}

/** All rows at once, counted in the request's budget: labels and places of chunks, not their bytes. */
async function* sorted(rows: AsyncGenerator<Row[]>, q: Select, batchRows: number): AsyncGenerator<Row[]> {
  const all: Row[] = [];
  let held = 0;
  try {
    for await (const batch of rows) {
      for (const row of batch) {
        const bytes = rowMemory(row);
        q.budget.take(bytes, "series to sort by their final labels");
        held += bytes;
        all.push(row);
      }
    }
    all.sort((a, b) => compareLabels(a.labels, b.labels));
    for (let from = 0; from < all.length; from += batchRows) yield all.slice(from, from + batchRows);
  } finally {
    q.budget.give(held);
  }
}

/** Whether an error ends the whole call even where gaps are allowed: the caller's limit or departure, not a block's damage. */
export function endsCall(err: unknown): boolean {
  const code = errorCode(err);
  // Compat: `execution` is an aggregate that a downsampled block lacks, for which Thanos fails the call as well.
  return ["limit", "canceled", "timeout", "bad_data", "execution"].includes(code);
}
