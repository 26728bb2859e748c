import {join} from "node:path";
import {StrataError} from "@strata/base";
import {compareRefs, IndexReader, offsetOf, SeriesEntry, segmentOf} from "@strata/tsdb";
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
    const health = new IndexHealth();
    health.labelNames = (await index.labelNames()).length;
    health.metricNames = (await index.labelValues("__name__")).length;
    await new Walk(index, health, minTime, maxTime).run();
    return health;
  } finally {
    await index.close();
  }
}

class Walk {
  readonly #index: IndexReader;
  readonly #health: IndexHealth;
  readonly #minTime: number;
  readonly #maxTime: number;
  readonly #entry = new SeriesEntry();
  #before: number[] = [];
  #refs: number[] = [];

  constructor(index: IndexReader, health: IndexHealth, minTime: number, maxTime: number) {
    this.#index = index;
    this.#health = health;
    this.#minTime = minTime;
    this.#maxTime = maxTime;
  }

  async run(): Promise<void> {
    const scanner = this.#index.scanner();
    const scale = this.#index.version === 1 ? 1 : 16;
    let previous = 0;
    for (const id of await this.#index.all()) {
      const wait = scanner.decode(id, this.#entry);
      if (wait !== undefined) await wait;
      if (previous !== 0) this.#health.seriesSize.add((id - previous) * scale);
      previous = id;
      this.#health.series++;
      await this.#checkLabels(id);
      const trouble = this.#checkChunks();
      if (trouble && this.#health.example === undefined) this.#health.example = await this.#labels(this.#refs);
    }
  }

  async #checkLabels(id: number): Promise<void> {
    const {labels, labelRefs} = this.#entry;
    if (labels === 0) throw this.#corrupt(`empty label set detected for series ${id}`);
    const before = this.#before;
    const refs = this.#refs;
    this.#before = refs;
    this.#refs = before;
    before.length = labels * 2;
    let ordered = true;
    for (let i = 0; i < labels * 2; i++) {
      const ref = labelRefs[i] as number;
      before[i] = ref;
      // Symbols ascend, so their references tell the order of texts.
      if (i % 2 === 0 && i > 0 && ref < (before[i - 2] as number)) ordered = false;
    }
    if (!ordered) this.#health.outOfOrderLabels++;
    if (this.#health.series > 1 && compareRefs(this.#before, this.#refs) >= 0) {
      const [last, own] = [await this.#labels(this.#before), await this.#labels(this.#refs)];
      throw this.#corrupt(`series ${own} out of order; previous ${last}`);
    }
    if (this.#entry.chunks === 0) throw this.#corrupt(`empty chunks for series ${id}`);
  }

  /** Whether something is wrong with a chunk. */
  #checkChunks(): boolean {
    const health = this.#health;
    const {mint, maxt, chunkRef, chunks} = this.#entry;
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
    if (segmentOf(ref) === segmentOf(next)) this.#health.chunkSize.add(offsetOf(next) - offsetOf(ref));
  }

  async #labels(refs: readonly number[]): Promise<string> {
    const texts = await this.#index.symbols.resolve(refs);
    const pairs: string[] = [];
    for (let i = 0; i < refs.length; i += 2) {
      pairs.push(`${texts.get(refs[i] as number)}=${JSON.stringify(texts.get(refs[i + 1] as number))}`);
    }
    return `{${pairs.join(", ")}}`;
  }

  #corrupt(reason: string): StrataError {
    return new StrataError("corrupt", reason, {fields: {class: "index-unhealthy"}});
  }
}
