import {type ByteBudget, withContext} from "@strata/base";
import {shardOf} from "@strata/model";
import {type SeriesBatch, SeriesFrameParser, type Shard, settleOrder, sortWithout} from "@strata/series";

/** Some frames (SeriesResponse messages) of one store, as they came. They belong to whoever is given them. */
export type FrameGroup = readonly Uint8Array[];

/** How the frames of one store become batches. Plain data, so that it can be sent to a worker. */
export type FrameStreamOptions = {
  /** Names the store in error texts. */
  readonly what: string;
  readonly source: number;
  /** Labels that the store could not strip itself: its series are stripped and sorted again here. */
  readonly stripLabels: readonly string[];
  /** The shard, where the store cannot shard itself. */
  readonly shard: Shard | undefined;
};

/**
 * Parses a store's frames into batches in label order. What was parsed before a frame is faulty, or before the stream
 * fails, is yielded first. `budget` counts a batch while the consumer works on it.
 */
export function framesToBatches(
  groups: AsyncIterable<FrameGroup>,
  options: FrameStreamOptions,
  budget: ByteBudget,
): AsyncIterable<SeriesBatch> {
  const strip = options.stripLabels.length > 0;
  const parsed = parse(groups, options, budget);
  const batches = strip ? sortWithout(parsed, options.stripLabels, budget) : settleOrder(parsed, options.what);
  // The shard is told by the labels that are left.
  return options.shard === undefined ? batches : onlyShard(batches, options.shard);
}

async function* parse(
  groups: AsyncIterable<FrameGroup>,
  {what, source}: FrameStreamOptions,
  budget: ByteBudget,
): AsyncGenerator<SeriesBatch, void, undefined> {
  const parser = new SeriesFrameParser(what, {source, ordered: false});
  let failure: {err: unknown} | undefined;
  try {
    for await (const group of groups) {
      for (const frame of group) for (const batch of parser.push(frame)) yield* counted(batch, what, budget);
    }
  } catch (err) {
    failure = {err};
  }
  const rest = parser.finish();
  if (rest !== undefined) yield* counted(rest, what, budget);
  if (failure !== undefined) throw failure.err;
}

function* counted(batch: SeriesBatch, what: string, budget: ByteBudget): Generator<SeriesBatch> {
  const bytes = batch.bytes.byteLength;
  try {
    budget.take(bytes, `series of ${what}`);
  } catch (err) {
    throw withContext(err, `cannot read series of ${what}`);
  }
  try {
    yield batch;
  } finally {
    budget.give(bytes);
  }
}

async function* onlyShard(input: AsyncIterable<SeriesBatch>, shard: Shard): AsyncGenerator<SeriesBatch> {
  for await (const batch of input) {
    const keep: number[] = [];
    for (const [row, labels] of batch.labels.entries()) {
      if (shardOf(labels, shard) === shard.index) keep.push(row);
    }
    if (keep.length > 0 || batch.warnings.length > 0) yield pick(batch, keep);
  }
}

/** The batch with only the rows `keep`. Its bytes stay as they are. */
function pick(batch: SeriesBatch, keep: readonly number[]): SeriesBatch {
  const firstChunk = new Uint32Array(keep.length + 1);
  let n = 0;
  for (const [i, row] of keep.entries()) {
    n += batch.firstChunk[row + 1]! - batch.firstChunk[row]!;
    firstChunk[i + 1] = n;
  }
  const column = <T extends {[i: number]: number}>(from: T, to: T): T => {
    let at = 0;
    for (const row of keep)
      for (let i = batch.firstChunk[row]!; i < batch.firstChunk[row + 1]!; i++) to[at++] = from[i]!;
    return to;
  };
  return {
    labels: keep.map((row) => batch.labels[row]!),
    firstChunk,
    mint: column(batch.mint, new Float64Array(n)),
    maxt: column(batch.maxt, new Float64Array(n)),
    encoding: column(batch.encoding, new Uint8Array(n)),
    source: column(batch.source, new Uint16Array(n)),
    aggregate: column(batch.aggregate, new Uint8Array(n)),
    offset: column(batch.offset, new Uint32Array(n)),
    length: column(batch.length, new Uint32Array(n)),
    bytes: batch.bytes,
    warnings: batch.warnings,
  };
}
