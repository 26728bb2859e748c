import type {Labels, Matcher} from "@strata/model";
import type {BucketBlock} from "./bucket-block.ts";

/** The served blocks of one external label set, of all resolutions. */
export class BlockSet {
  readonly labels: Labels;
  /** Blocks by resolution, each list sorted by (minTime, maxTime) where it is not in `#unsorted`. */
  readonly #byResolution = new Map<number, BucketBlock[]>();
  /** PERF: sorting at each block added took most of the time of a start with 100,000 blocks. */
  readonly #unsorted = new Set<BucketBlock[]>();

  constructor(labels: Labels) {
    this.labels = labels;
  }

  get empty(): boolean {
    return this.#byResolution.size === 0;
  }

  add(block: BucketBlock): void {
    const blocks = this.#byResolution.get(block.resolution) ?? [];
    blocks.push(block);
    this.#unsorted.add(blocks);
    this.#byResolution.set(block.resolution, blocks);
  }

  remove(ulid: string): void {
    for (const [resolution, blocks] of this.#byResolution) {
      const at = blocks.findIndex((block) => block.ulid === ulid);
      if (at < 0) continue;
      const kept = blocks.toSpliced(at, 1);
      if (this.#unsorted.delete(blocks) && kept.length > 0) this.#unsorted.add(kept);
      if (kept.length === 0) this.#byResolution.delete(resolution);
      else this.#byResolution.set(resolution, kept);
    }
  }

  /**
   * The blocks to read for [mint, maxt] (ms, both inclusive): of the coarsest resolution not above `maxResolution`, with
   * what they do not cover filled from finer ones.
   */
  select(mint: number, maxt: number, maxResolution: number, matchers: readonly Matcher[] = []): BucketBlock[] {
    const resolutions = [...this.#byResolution.keys()].sort((a, b) => b - a).filter((r) => r <= maxResolution);
    // A fine block that reaches over several coarse ones fills more than one gap: it is read once.
    const out = new Set<BucketBlock>();
    this.#select(resolutions, 0, mint, maxt, matchers, out);
    return [...out];
  }

  #select(
    resolutions: readonly number[],
    level: number,
    mint: number,
    maxt: number,
    matchers: readonly Matcher[],
    out: Set<BucketBlock>,
  ): void {
    const resolution = resolutions[level];
    if (resolution === undefined || mint > maxt) return;
    let start = mint;
    for (const block of this.#sorted(resolution)) {
      // Compat: a block that ends exactly at mint is left out, and its end is exclusive.
      if (block.maxTime <= mint) continue;
      if (block.minTime > maxt) break;
      this.#select(resolutions, level + 1, start, block.minTime - 1, matchers, out);
      if (block.fits(matchers)) out.add(block);
      start = block.maxTime;
    }
    this.#select(resolutions, level + 1, start, maxt, matchers, out);
  }

  #sorted(resolution: number): readonly BucketBlock[] {
    const blocks = this.#byResolution.get(resolution) ?? [];
    if (this.#unsorted.delete(blocks)) {
      blocks.sort((a, b) => a.minTime - b.minTime || a.maxTime - b.maxTime || (a.ulid < b.ulid ? -1 : 1));
    }
    return blocks;
  }

  *[Symbol.iterator](): IterableIterator<BucketBlock> {
    for (const blocks of this.#byResolution.values()) yield* blocks;
  }

  /**
   * The matchers that are left for the series once those on external labels are answered, or undefined when one of
   * those does not match.
   */
  remainingMatchers(matchers: readonly Matcher[]): readonly Matcher[] | undefined {
    const rest: Matcher[] = [];
    for (const m of matchers) {
      const value = this.labels.get(m.name);
      if (value === "") rest.push(m);
      else if (!m.matches(value)) return undefined;
    }
    return rest;
  }
}
