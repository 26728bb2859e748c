import {must} from "@strata/base";
import {resolutionOf} from "@strata/block";
import type {Bucket} from "@strata/objstore";
import type {BlockMeta} from "@strata/tsdb/blocks";
import type {BucketState} from "./bucket-sync.ts";
import {missingObject} from "./verified-upload.ts";

/** Finds the coarser blocks that hold a block's sources; each is looked at once. */
export class CoarserData {
  readonly #bySource = new Map<string, BlockMeta[]>();
  readonly #whole = new Map<string, string | undefined>();

  constructor(state: Pick<BucketState, "metas" | "deletionMarks">) {
    for (const meta of state.metas.values()) {
      if (state.deletionMarks.has(meta.ulid)) continue;
      for (const source of meta.compaction.sources) {
        const key = `${resolutionOf(meta)} ${source}`;
        const list = this.#bySource.get(key);
        if (list === undefined) this.#bySource.set(key, [meta]);
        else list.push(meta);
      }
    }
  }

  /** Which part of the data of `meta` no block has at `resolution`, going by metas alone; undefined when there is none. */
  missingSource(meta: BlockMeta, resolution: number): string | undefined {
    const missing = meta.compaction.sources.find((source) => !this.#bySource.has(`${resolution} ${source}`));
    return missing === undefined ? undefined : `no block of resolution ${resolution} ms holds source ${missing}`;
  }

  /** Why the data of `meta` is not all there at `resolution`, the objects of its blocks included. */
  async missing(bucket: Bucket, meta: BlockMeta, resolution: number, signal: AbortSignal): Promise<string | undefined> {
    const unheld = this.missingSource(meta, resolution);
    if (unheld !== undefined) return unheld;
    for (const source of meta.compaction.sources) {
      const holder = must(this.#bySource.get(`${resolution} ${source}`)?.[0], "source has no holder");
      if (!this.#whole.has(holder.ulid)) {
        this.#whole.set(holder.ulid, await missingObject(bucket, holder, signal));
      }
      const missing = this.#whole.get(holder.ulid);
      if (missing !== undefined) return `block ${holder.ulid} holds its data, but ${missing}`;
    }
    return undefined;
  }
}
