import {StrataError} from "@strata/base";
import {CHUNKS_DIR, externalLabels, type LazyIndexHeader, resolutionOf} from "@strata/block";
import type {Labels, Matcher} from "@strata/model";
import type {Bucket} from "@strata/objstore";
import type {BlockMeta} from "@strata/tsdb";

/** The label under which block matchers see a block's id. */
const BLOCK_ID_LABEL = "__block_id";

/** A block that is being served. Idle, it is little more than its meta. */
export class BucketBlock {
  readonly ulid: string;
  readonly meta: BlockMeta;
  readonly labels: Labels;
  readonly resolution: number;
  readonly header: LazyIndexHeader;
  readonly #bucket: Bucket;
  #segments: Promise<readonly string[]> | undefined;
  #calls = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(meta: BlockMeta, header: LazyIndexHeader, bucket: Bucket) {
    this.ulid = meta.ulid;
    this.meta = meta;
    this.labels = externalLabels(meta);
    this.resolution = resolutionOf(meta);
    this.header = header;
    this.#bucket = bucket;
  }

  /** ms, inclusive. */
  get minTime(): number {
    return this.meta.minTime;
  }

  /** ms, exclusive. */
  get maxTime(): number {
    return this.meta.maxTime;
  }

  get indexKey(): string {
    return `${this.ulid}/index`;
  }

  /** Whether the block matchers of a request's hints fit its external labels and id. */
  fits(matchers: readonly Matcher[]): boolean {
    return matchers.every((m) => m.matches(m.name === BLOCK_ID_LABEL ? this.ulid : this.labels.get(m.name)));
  }

  /** Key of the chunk object that a reference's segment number means: its position among the names. */
  async segmentKey(segment: number): Promise<string> {
    // Shared by all calls, so no one caller's departure may end it.
    this.#segments ??= this.#listSegments(new AbortController().signal);
    const listing = this.#segments;
    let names: readonly string[];
    try {
      names = await listing;
    } catch (err) {
      if (this.#segments === listing) this.#segments = undefined;
      throw err;
    }
    const name = names[segment];
    if (name !== undefined) return `${this.ulid}/${CHUNKS_DIR}/${name}`;
    throw new StrataError(
      "corrupt",
      `cannot read chunks of block ${this.ulid}: there is no segment file ${segment}, only ${names.length}`,
      {fields: {file: `${this.ulid}/${CHUNKS_DIR}`}},
    );
  }

  async #listSegments(signal: AbortSignal): Promise<readonly string[]> {
    const listed = this.meta.thanos?.segmentFiles ?? [];
    if (listed.length > 0) return listed;
    const dir = `${this.ulid}/${CHUNKS_DIR}`;
    const names: string[] = [];
    for await (const {name} of this.#bucket.list(dir, {}, signal)) names.push(name.slice(dir.length + 1));
    return names;
  }

  /** A call has chosen the block and may read it until `release`. */
  retain(): void {
    this.#calls++;
  }

  release(): void {
    this.#calls--;
    if (this.#calls === 0) for (const tell of this.#waiting.splice(0)) tell();
  }

  /** Resolves when no call that has chosen the block is under way. */
  async unused(): Promise<void> {
    if (this.#calls > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    await this.header.close();
  }
}
