import {errorText, StrataError} from "@strata/base";
import {chunkSamples} from "@strata/chunkenc";
import {BlockReader, readBlockMeta} from "./block-reader.ts";
import type {IdList} from "./index/postings-ops.ts";

/** Which step of reading a block failed first. */
export type VerifyStage = "ok" | "open" | "all-postings" | "series" | "chunk";

/** What reading a whole block found. */
export type BlockReport = {
  readonly stage: VerifyStage;
  /** The kind of damage: the class all errors of the first failing stage share; "none" when there is none. */
  readonly class: string;
  /** What is wrong with meta.json as Thanos reads it; undefined when nothing is. */
  readonly metaError: StrataError | undefined;
  readonly errors: readonly {readonly stage: VerifyStage; readonly error: StrataError}[];
  readonly series: number;
  readonly chunks: number;
  readonly samples: number;
  readonly seriesWithDeletions: number;
  /** Posting lists of label pairs that could be read. */
  readonly postings: number;
};

/** Errors kept in a report; a block in shreds would otherwise list one for each of its chunks. */
const MAX_ERRORS = 100;

/**
 * Reads every list, series and chunk of the block in `dir`, checksums included, going on behind what is damaged. Never
 * throws for damage: the report says what was found.
 */
export async function verifyBlock(dir: string): Promise<BlockReport> {
  const run = new Verification();
  const metaError = await asError(() => readBlockMeta(dir));
  await run.read(dir);
  return run.report(metaError);
}

class Verification {
  series = 0;
  chunks = 0;
  samples = 0;
  seriesWithDeletions = 0;
  postings = 0;
  readonly errors: {stage: VerifyStage; error: StrataError}[] = [];

  async read(dir: string): Promise<void> {
    let block: BlockReader | undefined;
    await this.#try("open", async () => {
      block = await BlockReader.open(dir);
    });
    if (block === undefined) return;
    try {
      await this.#readPostings(block);
      let all: IdList = new Uint32Array(0);
      await this.#try("all-postings", async () => {
        all = await (block as BlockReader).index.all();
      });
      for (const id of all) await this.#try("series", () => this.#readSeries(block as BlockReader, id));
    } finally {
      await block.close();
    }
  }

  async #readPostings(block: BlockReader): Promise<void> {
    for (const name of await block.index.labelNames()) {
      for (const value of await block.index.labelValues(name)) {
        await this.#try("series", async () => {
          await block.index.postings(name, [value]);
          this.postings++;
        });
      }
    }
  }

  async #readSeries(block: BlockReader, id: number): Promise<void> {
    const {entry} = await block.index.series(id);
    this.series++;
    if (block.tombstones.get(id).length > 0) this.seriesWithDeletions++;
    for (let i = 0; i < entry.chunks; i++) {
      await this.#try("chunk", () =>
        block.chunks.read([entry.chunkRef[i] as number], (_, encoding, buffer, at, length) => {
          this.chunks++;
          this.samples += chunkSamples(encoding, buffer, at, length);
        }),
      );
    }
  }

  async #try(stage: VerifyStage, work: () => Promise<void>): Promise<void> {
    const error = await asError(work);
    if (error !== undefined && this.errors.length < MAX_ERRORS) this.errors.push({stage, error});
  }

  report(metaError: StrataError | undefined): BlockReport {
    const stage = this.errors[0]?.stage ?? "ok";
    const classes = new Set(
      this.errors.filter((e) => e.stage === stage).map((e) => String(e.error.fields.class ?? "corrupt")),
    );
    const [first = "none"] = classes;
    const metaClass = metaError?.fields.class;
    return {
      stage,
      // Chunks that fail in different ways point to segments mixed up rather than to one damaged place.
      class:
        classes.size > 1 ? "chunk-unreadable" : first === "none" && metaClass !== undefined ? String(metaClass) : first,
      metaError,
      errors: this.errors,
      series: this.series,
      chunks: this.chunks,
      samples: this.samples,
      seriesWithDeletions: this.seriesWithDeletions,
      postings: this.postings,
    };
  }
}

async function asError(work: () => Promise<unknown>): Promise<StrataError | undefined> {
  try {
    await work();
    return undefined;
  } catch (err) {
    return err instanceof StrataError ? err : new StrataError("internal", errorText(err), {cause: err});
  }
}
