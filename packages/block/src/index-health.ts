import {join} from "node:path";
import {StrataError} from "@strata/base";
import {compareRefs, IndexReader, offsetOf, SeriesEntry, segmentOf} from "@strata/tsdb/blocks";
import {INDEX_FILE} from "./block-files.ts";

/** Least, greatest and mean of a series of whole numbers; without any they print as the original's do. */
export class Spread {
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  #sum = 0;
  #count = 0;

  add(value: number): void {
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    this.#sum += value;
    this.#count++;
  }

  get mean(): number {
    return this.#count === 0 ? 0 : Math.trunc(this.#sum / this.#count);
  }
}

/**
 * What a walk over an index found. Sizes are approximate: the distance to the next series, and to the next chunk where
 * one follows that is not the series' last.
 */
export class IndexHealth {
  series = 0;
  chunks = 0;
  /** Series, and chunks of them, that begin before the chunk in front of them has ended. */
  outOfOrderSeries = 0;
  outOfOrderChunks = 0;
  /** Chunks with the very times of the chunk in front of them. */
  duplicateChunks = 0;
  /** Chunks that reach beyond the block's times; those that lie beyond altogether; those that begin with its end. */
  outsideChunks = 0;
  completelyOutsideChunks = 0;
  issue347Chunks = 0;
  /** Series whose own labels are not sorted. */
  outOfOrderLabels = 0;
  /** Labels of the first series with each kind of trouble, for messages. */
  example: string | undefined;
  singleSampleSeries = 0;
  singleSampleChunks = 0;
  labelNames = 0;
  metricNames = 0;
  /** ms. */
  readonly seriesLife = new Spread();
  readonly seriesLifeWithoutSingles = new Spread();
  readonly chunkDuration = new Spread();
  readonly seriesChunks = new Spread();
  /** Bytes. */
  readonly chunkSize = new Spread();
  readonly seriesSize = new Spread();

  /** Trouble that only an operator can judge; undefined when there is none. Texts are the original's. */
  get criticalError(): string | undefined {
    const partly = this.outsideChunks - this.completelyOutsideChunks - this.issue347Chunks;
    return joined([
      partly > 0 && `found ${partly} chunks non-completely outside the block time range`,
      this.completelyOutsideChunks > 0 &&
        `found ${this.completelyOutsideChunks} chunks completely outside the block time range`,
    ]);
  }

  /** Chunks that an old Prometheus put into two blocks: they go without loss. */
  get issue347Error(): string | undefined {
    if (this.issue347Chunks === 0) return undefined;
    const issue = "https://github.com/prometheus/tsdb/issues/347";
    return `found ${this.issue347Chunks} chunks outside the block time range introduced by ${issue}`;
  }

  get outOfOrderLabelsError(): string | undefined {
    if (this.outOfOrderLabels === 0) return undefined;
    return `index contains ${this.outOfOrderLabels} postings with out of order labels`;
  }

  get outOfOrderChunksError(): string | undefined {
    if (this.outOfOrderChunks === 0) return undefined;
    const average = (this.outOfOrderChunks / this.outOfOrderSeries).toFixed(3);
    const exact = (this.duplicateChunks / this.outOfOrderChunks).toFixed(3);
    return (
      `${this.outOfOrderSeries}/${this.series} series have an average of ${average} out-of-order chunks: ` +
      `${exact} of these are exact duplicates (in terms of data and time range)`
    );
  }

  get anyError(): string | undefined {
    return joined([this.criticalError, this.issue347Error, this.outOfOrderLabelsError, this.outOfOrderChunksError]);
  }
}

const joined = (parts: readonly (string | false | undefined)[]): string | undefined => {
  const found = parts.filter((part) => typeof part === "string");
  return found.length === 0 ? undefined : found.join(", ");
};

/**
 * Walks the index of the block directory `dir` and holds it against the block's times (ms, both inclusive, as the
 * original compares them). Throws `corrupt` for what no reader could work with: unreadable parts, series without labels
 * or chunks, series out of order.
 */
export async function indexHealth(dir: string, minTime: number, maxTime: number): Promise<IndexHealth> {
  const index = await IndexReader.openFile(join(dir, INDEX_FILE));
  try {
    const walk = new IndexWalk(minTime, maxTime);
    const {health} = walk;
    health.labelNames = (await index.labelNames()).length;
    health.metricNames = (await index.labelValues("__name__")).length;
    await walkSeries(index, walk);
    return health;
  } finally {
    await index.close();
  }
}

/** The whole index at once. */
async function walkSeries(index: IndexReader, walk: IndexWalk): Promise<void> {
  const {health} = walk;
  const entry = new SeriesEntry();
  const scanner = index.scanner();
  const scale = index.version === 1 ? 1 : 16;
  let previous = 0;
  for (const id of await index.all()) {
    const wait = scanner.decode(id, entry);
    if (wait !== undefined) await wait;
    if (previous !== 0) health.seriesSize.add((id - previous) * scale);
    previous = id;
    const state = walk.see(entry);
    if (state === "sound") continue;
    if (state === "no-labels") throw unhealthy(`empty label set detected for series ${id}`);
    if (state === "no-chunks") throw unhealthy(`empty chunks for series ${id}`);
    const own = await labelsText(index, walk.refs);
    if (state === "out-of-order") {
      throw unhealthy(`series ${own} out of order; previous ${await labelsText(index, walk.before)}`);
    }
    if (state === "chunks") health.example ??= own;
  }
}

async function labelsText(index: IndexReader, refs: readonly number[]): Promise<string> {
  const texts = await index.symbols.resolve(refs);
  const pairs: string[] = [];
  for (let i = 0; i < refs.length; i += 2) {
    pairs.push(`${texts.get(refs[i] as number)}=${JSON.stringify(texts.get(refs[i + 1] as number))}`);
  }
  return `{${pairs.join(", ")}}`;
}

const unhealthy = (reason: string): StrataError =>
  new StrataError("corrupt", reason, {fields: {class: "index-unhealthy"}});

/**
 * What a series in an index is like: no reader could work with those without labels or chunks or out of order; of the
 * others some of their own labels or chunks may be in a wrong order or place.
 */
export type SeriesState = "sound" | "no-labels" | "out-of-order" | "no-chunks" | "labels" | "chunks";

/** Holds the series of an index, one after the other, against the block's times. */
export class IndexWalk {
  readonly health = new IndexHealth();
  /** Symbol references of the labels of the series seen last, and of the one before. */
  refs: number[] = [];
  before: number[] = [];
  readonly #minTime: number;
  readonly #maxTime: number;

  constructor(minTime: number, maxTime: number) {
    this.#minTime = minTime;
    this.#maxTime = maxTime;
  }

  /** The next series. */
  see(entry: SeriesEntry): SeriesState {
    this.health.series++;
    if (entry.labels === 0) return "no-labels";
    const ordered = this.#takeLabels(entry);
    if (this.health.series > 1 && compareRefs(this.refs, this.before) <= 0) return "out-of-order";
    if (entry.chunks === 0) return "no-chunks";
    if (this.#checkChunks(entry)) return "chunks";
    return ordered ? "sound" : "labels";
  }

  /** Whether the labels are sorted. */
  #takeLabels({labels, labelRefs}: SeriesEntry): boolean {
    const refs = this.before;
    this.before = this.refs;
    this.refs = refs;
    refs.length = labels * 2;
    let ordered = true;
    for (let i = 0; i < labels * 2; i++) {
      const ref = labelRefs[i] as number;
      refs[i] = ref;
      // Symbols ascend, so their references tell the order of texts.
      if (i % 2 === 0 && i > 0 && ref < (refs[i - 2] as number)) ordered = false;
    }
    if (!ordered) this.health.outOfOrderLabels++;
    return ordered;
  }

  /** Whether something is wrong with a chunk. */
  #checkChunks({mint, maxt, chunkRef, chunks}: SeriesEntry): boolean {
    const health = this.health;
    let life = 0;
    let outOfOrder = 0;
    let outside = 0;
    for (let i = 0; i < chunks; i++) {
      const from = mint[i] as number;
      const to = maxt[i] as number;
      const duration = to - from;
      life += duration;
      health.chunkDuration.add(duration);
      if (duration === 0) health.singleSampleChunks++;
      if (i < chunks - 2) this.#addSize(chunkRef[i] as number, chunkRef[i + 1] as number);
      if (from < this.#minTime || to > this.#maxTime) {
        outside++;
        if (from > this.#maxTime || to < this.#minTime) health.completelyOutsideChunks++;
        else if (from === this.#maxTime) health.issue347Chunks++;
      }
      if (i === 0 || from > (maxt[i - 1] as number)) continue;
      if (from === mint[i - 1] && to === maxt[i - 1]) health.duplicateChunks++;
      else outOfOrder++;
    }
    if (outOfOrder > 0) health.outOfOrderSeries++;
    health.outOfOrderChunks += outOfOrder;
    health.outsideChunks += outside;
    health.chunks += chunks;
    health.seriesChunks.add(chunks);
    health.seriesLife.add(life);
    if (life === 0) health.singleSampleSeries++;
    else health.seriesLifeWithoutSingles.add(life);
    return outOfOrder > 0 || outside > 0;
  }

  #addSize(ref: number, next: number): void {
    if (segmentOf(ref) === segmentOf(next)) this.health.chunkSize.add(offsetOf(next) - offsetOf(ref));
  }
}
