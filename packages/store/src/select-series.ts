import {ByteBudget, forEachLimit, withContext} from "@strata/base";
import {compareLabels, type Labels} from "@strata/model";
import {BATCH_SERIES, LoserTree, type Select, type SeriesBatch, SeriesBatchBuilder} from "@strata/series";
import {type BlockPart, joinBatch} from "./batch-join.ts";
import type {Row} from "./block-reader.ts";
import {endsCall} from "./block-rows.ts";
import {fetchChunks} from "./chunk-fetch.ts";
import type {ReadContext} from "./read-context.ts";
import {type BlockSelection, RowCursor} from "./row-cursor.ts";
import {DEFAULT_TENANT} from "./store-metrics.ts";

/** Blocks whose postings and first series are read at once. */
const OPEN_CONCURRENCY = 32;

/** The least of one block's share of the rows held for merging. */
const MIN_BLOCK_ROWS = 32;

/**
 * Series of the first batch, or more where they have few bytes of chunks; each batch that follows is twice as large, so that
 * the consumer gets to work early.
 */
const FIRST_SERIES = 64;
const FIRST_BYTES = 512 << 10;

/** What a chunk is counted with until it is read: 120 floats take some 350 bytes with their frame. */
const CHUNK_GUESS = 400;
/** References further apart than this a chunk are not of neighbours, or of different segments. */
const MAX_CHUNK_GUESS = 64 << 10;

/**
 * Series of several blocks in label order. Labels and places of chunks are merged first; chunk bytes are read for some
 * hundred merged series at a time, each stretch of each block once, so that what is held does not grow with the answer.
 */
export async function* selectSeries(
  selections: readonly BlockSelection[],
  q: Select,
  ctx: ReadContext,
): AsyncGenerator<SeriesBatch> {
  const share = Math.floor(ctx.tuning.heldRows / Math.max(1, selections.length));
  const batchRows = Math.min(Math.max(MIN_BLOCK_ROWS, share), ctx.tuning.blockRows);
  const cursors = selections.map((selection) => new RowCursor(selection, q, batchRows, ctx));
  const warnings: string[] = [];
  const getAll = ctx.metrics.getAllSeconds.with({tenant: DEFAULT_TENANT}).startTimer();
  let merge = () => 0;
  try {
    await forEachLimit(cursors, OPEN_CONCURRENCY, (cursor) => guarded(cursor, q, ctx, warnings, () => cursor.open()));
    getAll();
    merge = ctx.metrics.mergeSeconds.with({tenant: DEFAULT_TENANT}).startTimer();
    const groups = mergedRows(cursors, q, ctx, warnings);
    let held: CountedBatch | undefined;
    let size = FIRST_SERIES;
    const read = () => {
      const batch = nextBatch(groups, size, cursors, q, ctx, warnings);
      batch.catch(() => undefined); // awaited below
      size = Math.min(2 * size, BATCH_SERIES);
      return batch;
    };
    let next = read();
    try {
      for (;;) {
        held = await next;
        if (held === undefined) break;
        // The next batch is read while the consumer works on this one.
        next = read();
        ctx.stats.series += held.batch.labels.length;
        ctx.stats.chunkBytes += held.batch.bytes.length;
        yield held.batch;
        const dropped = held.batch.bytes.length;
        held.budget.give(held.budget.used);
        held = undefined;
        ctx.warden?.given(dropped);
      }
    } finally {
      held?.budget.give(held.budget.used);
      const unused = await next.catch(() => undefined);
      unused?.budget.give(unused.budget.used);
    }
    if (warnings.length > 0) yield warningBatch(warnings.splice(0));
  } finally {
    merge();
    await Promise.all(cursors.map((cursor) => cursor.close()));
  }
}

/** A batch and the budget in which its bytes are counted, until whoever took it gives them back. */
type CountedBatch = {readonly batch: SeriesBatch; readonly budget: ByteBudget};

/** One merged series: its rows in the blocks (cursor numbers) that have it. */
type Group = {readonly labels: Labels; readonly cursors: number[]; readonly rows: Row[]};

async function* mergedRows(
  cursors: readonly RowCursor[],
  q: Select,
  ctx: ReadContext,
  warnings: string[],
): AsyncGenerator<Group> {
  if (cursors.length === 0) return;
  const tree = new LoserTree(cursors.length, (a, b) => compareHeads(cursors[a] as RowCursor, cursors[b] as RowCursor));
  const limit = q.limit > 0 ? q.limit : Number.POSITIVE_INFINITY;
  const load = (number: number) => {
    const cursor = cursors[number] as RowCursor;
    return guarded(cursor, q, ctx, warnings, () => cursor.load());
  };
  let inStep = false;
  for (let count = 0; count < limit; count++) {
    const same = sameLabels(cursors);
    if (same === undefined && inStep) tree.playAll();
    inStep = same !== undefined;
    const labels = same ?? (cursors[tree.winner] as RowCursor).labels;
    if (labels === undefined) return;
    const group: Group = {labels, cursors: [], rows: []};
    // Where labels were taken off, a block may have several rows of a series.
    if (inStep) {
      for (let number = 0; number < cursors.length; number++)
        while (isAt(cursors[number] as RowCursor, labels)) if (!takeRow(cursors, number, group)) await load(number);
    } else {
      for (let number = tree.winner; isAt(cursors[number] as RowCursor, labels); number = tree.winner) {
        if (!takeRow(cursors, number, group)) await load(number);
        tree.replay();
      }
    }
    yield group;
  }
}

const isAt = (cursor: RowCursor, labels: Labels): boolean =>
  cursor.labels !== undefined && compareLabels(cursor.labels, labels) === 0;

/** Puts the row that a cursor is at into the group and goes on; false when the cursor has to load first. */
function takeRow(cursors: readonly RowCursor[], number: number, group: Group): boolean {
  const cursor = cursors[number] as RowCursor;
  group.cursors.push(number);
  group.rows.push(cursor.row as Row);
  return cursor.step();
}

/**
 * The labels of the series that all cursors are at, where that is one object; undefined else. PERF: known rows of blocks one
 * after the other share their labels, and mostly all blocks have the same series: playing the tree for each was a tenth of a
 * select over a week.
 */
function sameLabels(cursors: readonly RowCursor[]): Labels | undefined {
  let labels: Labels | undefined;
  for (const cursor of cursors) {
    const own = cursor.labels;
    if (own === undefined) continue;
    labels ??= own;
    if (own !== labels) return undefined;
  }
  return labels;
}

/** Exhausted cursors sort last. */
function compareHeads(a: RowCursor, b: RowCursor): number {
  const x = a.labels;
  const y = b.labels;
  if (x === undefined || y === undefined) return (x === undefined ? 1 : 0) - (y === undefined ? 1 : 0);
  return compareLabels(x, y);
}

/** Collects up to `size` merged series and reads their chunks; undefined at the end. */
async function nextBatch(
  groups: AsyncGenerator<Group>,
  size: number,
  cursors: readonly RowCursor[],
  q: Select,
  ctx: ReadContext,
  warnings: string[],
): Promise<CountedBatch | undefined> {
  const batch: Group[] = [];
  let bytes = 0;
  const most = (bytes: number) => (bytes < FIRST_BYTES ? BATCH_SERIES : size);
  while (batch.length < most(bytes) && bytes < ctx.tuning.unitBytes) {
    const {value, done} = await groups.next();
    if (done === true) break;
    batch.push(value);
    for (const row of value.rows) bytes += rowBytes(row);
  }
  if (batch.length === 0) return undefined;
  const budget = new ByteBudget("batch of series", 0, ctx.budget);
  if (!q.skipChunks) {
    await ctx.reading.enter(ctx.signal);
    try {
      return await joinChunks(batch, cursors, q, {...ctx, budget}, warnings);
    } finally {
      ctx.reading.leave();
    }
  }
  const out = new SeriesBatchBuilder(0);
  for (const {labels} of batch) out.startSeries(labels);
  for (const text of warnings.splice(0)) out.addWarning(text);
  return {batch: out.finish(), budget};
}

/** About how many bytes the row's chunks take: written side by side, their references tell, but for the last one. */
function rowBytes({chunks: {ref}, from, to}: Row): number {
  const count = to - from;
  if (count < 2) return count * CHUNK_GUESS;
  const span = (ref[to - 1] as number) - (ref[from] as number);
  return span > 0 && span < count * MAX_CHUNK_GUESS ? span + span / (count - 1) : count * CHUNK_GUESS;
}

async function joinChunks(
  groups: readonly Group[],
  cursors: readonly RowCursor[],
  q: Select,
  ctx: ReadContext,
  warnings: string[],
): Promise<CountedBatch> {
  // Rows by block, and for each series the number of its row among those of each of its blocks.
  const rowsOf = new Map<number, Row[]>();
  const numbers: number[][] = [];
  for (const group of groups) {
    const own: number[] = [];
    for (let i = 0; i < group.cursors.length; i++) {
      const cursor = group.cursors[i] as number;
      const row = group.rows[i] as Row;
      const rows = rowsOf.get(cursor);
      own.push(rows?.length ?? 0);
      if (rows === undefined) rowsOf.set(cursor, [row]);
      else rows.push(row);
    }
    numbers.push(own);
  }
  const parts = new Map<number, BlockPart>();
  const {budget} = ctx;
  try {
    await forEachLimit(rowsOf, OPEN_CONCURRENCY, async ([number, rows]) => {
      const {block} = cursors[number] as RowCursor;
      const chunks = await fetchChunks(block, rows, q.aggregates, ctx, (err) => {
        ctx.metrics.readFailures.with({part: "chunk"}).inc();
        if (!q.partialResponse || endsCall(err)) throw err;
        warnings.push(err.message);
      });
      // The column holds 16 bits; beyond that blocks share the last number, which only costs a hint.
      parts.set(number, {chunks, source: Math.min(number, 0xffff)});
    });
    const series = groups.map((group, i) => {
      const blocks = group.cursors.map((cursor) => parts.get(cursor) as BlockPart);
      return {labels: group.labels, parts: blocks, rows: numbers[i] as number[]};
    });
    // Where the bytes of several reads have to be put together, they are there twice for a moment.
    const read = budget.used;
    budget.take(read, "putting chunks of blocks together");
    const batch = joinBatch(series, [...parts.values()], warnings.splice(0));
    budget.give(read * 2 - batch.bytes.length);
    return {batch, budget};
  } catch (err) {
    budget.give(budget.used);
    throw err;
  }
}

/** Runs one step of a block; a block that fails is left out with a warning where gaps are allowed. */
async function guarded(
  cursor: RowCursor,
  q: Select,
  ctx: ReadContext,
  warnings: string[],
  step: () => Promise<void>,
): Promise<void> {
  try {
    await step();
  } catch (err) {
    await cursor.close();
    if (endsCall(err)) throw err;
    ctx.metrics.readFailures.with({part: "index"}).inc();
    const named = withContext(err, `cannot read block ${cursor.block.ulid}`);
    if (!q.partialResponse) throw named;
    warnings.push(named.message);
  }
}

function warningBatch(warnings: readonly string[]): SeriesBatch {
  const out = new SeriesBatchBuilder(0);
  for (const text of warnings) out.addWarning(text);
  return out.finish();
}
