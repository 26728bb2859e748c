import {StrataError} from "@strata/base";
import {compareLabels, type Labels} from "@strata/model";
import {joinSeries, type SeriesPart} from "./join-series.ts";
import {BATCH_SERIES, type SeriesBatch, SeriesBatchBuilder} from "./series-batch.ts";

/**
 * How many series may wait. The disorder that is to be mended needs no more than the labels of one series nest; more is
 * a stream in no order at all.
 */
const MOST_HELD = 1024;

/**
 * Mends the order of streams whose source sorted series before it added external labels: a label set that another one
 * extends (`{a}` before `{a, b}`) may then belong after it (`{a, z}`, `{a, b, z}`), and after all others that extend it
 * with a name below the added one. So the last series is held until a greater one comes; because sets that extend one
 * stand side by side, nothing that belongs before it can come after that. Some Go stores send such streams.
 *
 * Order that cannot be mended this way is `corrupt`, after all series before it; `what` names the stream.
 */
export async function* settleOrder(
  input: AsyncIterable<SeriesBatch>,
  what: string,
): AsyncGenerator<SeriesBatch, void, undefined> {
  const settler = new Settler(what);
  let failure: {err: unknown} | undefined;
  try {
    for await (const batch of input) yield* settler.push(batch);
  } catch (err) {
    failure = {err};
  }
  yield* settler.finish();
  if (failure !== undefined) throw failure.err;
}

class Settler {
  readonly #what: string;
  readonly #out = new SeriesBatchBuilder();
  /** Ascending, all greater than or equal to #last. Between batches each is a batch of its own. */
  #held: SeriesPart[] = [];
  /** The greatest labels handed out. */
  #last: Labels | undefined;

  constructor(what: string) {
    this.#what = what;
  }

  *push(batch: SeriesBatch): Generator<SeriesBatch> {
    for (const text of batch.warnings) this.#out.addWarning(text);
    const rows = batch.labels.length;
    if (rows > 0 && this.#ascends(batch)) {
      yield* this.finish();
      this.#held = [copyRow(batch, rows - 1)];
      if (rows > 1) {
        this.#last = batch.labels[rows - 2]!;
        yield withoutLastRow(batch);
      }
      return;
    }
    try {
      for (let row = 0; row < rows; row++) {
        this.#settle({batch, row, sources: undefined});
        if (this.#out.series >= BATCH_SERIES) yield this.#out.finish();
      }
    } finally {
      this.#held = this.#held.map((part) => (part.batch === batch ? copyRow(batch, part.row) : part));
    }
    if (!this.#out.empty) yield this.#out.finish();
  }

  /** Hands out what is held. */
  *finish(): Generator<SeriesBatch> {
    for (const part of this.#held) this.#emit(part);
    this.#held = [];
    if (!this.#out.empty) yield this.#out.finish();
  }

  #settle(row: SeriesPart): void {
    const labels = labelsOf(row);
    if (this.#last !== undefined && compareLabels(labels, this.#last) < 0) throw this.#disorder(labels, this.#last);
    let less = 0;
    while (less < this.#held.length && compareLabels(labelsOf(this.#held[less]!), labels) < 0) less++;
    for (const part of this.#held.splice(0, less)) this.#emit(part);
    // After its equals, before the greater ones.
    let at = 0;
    while (at < this.#held.length && compareLabels(labelsOf(this.#held[at]!), labels) === 0) at++;
    this.#held.splice(at, 0, row);
    if (this.#held.length > MOST_HELD) throw this.#disorder(labels, labelsOf(this.#held.at(-1)!));
  }

  #emit(part: SeriesPart): void {
    joinSeries([part], this.#out);
    this.#last = labelsOf(part);
  }

  /** Whether the batch's rows ascend, each greater than the one before it and the first than the held ones. */
  #ascends({labels}: SeriesBatch): boolean {
    const before = this.#held.at(-1);
    const greatest = before === undefined ? this.#last : labelsOf(before);
    if (greatest !== undefined && compareLabels(greatest, labels[0]!) >= 0) return false;
    for (let i = 1; i < labels.length; i++) if (compareLabels(labels[i - 1]!, labels[i]!) >= 0) return false;
    return true;
  }

  #disorder(labels: Labels, after: Labels): StrataError {
    const text = `${labels} comes after ${after}, not in label order`;
    return new StrataError("corrupt", `cannot read series of ${this.#what}: ${text}`);
  }
}

const labelsOf = (part: SeriesPart): Labels => part.batch.labels[part.row]!;

function copyRow(batch: SeriesBatch, row: number): SeriesPart {
  const from = batch.firstChunk[row]!;
  const to = batch.firstChunk[row + 1]!;
  let bytes = 0;
  for (let i = from; i < to; i++) bytes += batch.length[i]!;
  const builder = new SeriesBatchBuilder(bytes);
  joinSeries([{batch, row, sources: undefined}], builder);
  return {batch: builder.finish(), row: 0, sources: undefined};
}

function withoutLastRow(batch: SeriesBatch): SeriesBatch {
  const rows = batch.labels.length - 1;
  const chunks = batch.firstChunk[rows]!;
  return {
    labels: batch.labels.slice(0, rows),
    firstChunk: batch.firstChunk.subarray(0, rows + 1),
    mint: batch.mint.subarray(0, chunks),
    maxt: batch.maxt.subarray(0, chunks),
    encoding: batch.encoding.subarray(0, chunks),
    source: batch.source.subarray(0, chunks),
    aggregate: batch.aggregate.subarray(0, chunks),
    offset: batch.offset.subarray(0, chunks),
    length: batch.length.subarray(0, chunks),
    bytes: batch.bytes,
    warnings: [],
  };
}
