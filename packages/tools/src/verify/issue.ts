import type {Bucket} from "@strata/objstore";
import type {Logger} from "@strata/telemetry";
import type {BlockMeta} from "@strata/tsdb";

/** What looking for an issue works with. */
export type VerifyContext = {
  readonly bucket: Bucket;
  /** Where blocks are copied before a repair removes them; there when `repair` is. */
  readonly backup: Bucket | undefined;
  readonly repair: boolean;
  /** Time between mark and deletion of a block that a repair replaces, ms; 0 deletes at once. */
  readonly deleteDelayMs: number;
  /** Blocks with a usable meta.json, by id. */
  readonly blocks: () => Promise<readonly BlockMeta[]>;
  /** Only these; all when empty. */
  readonly ulids: readonly string[];
  /** For blocks under work; emptied by whoever uses it. */
  readonly tmpDir: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
};

/** A kind of trouble that can be looked for, and perhaps be mended. */
export type Issue = {
  readonly id: string;
  readonly repairable: boolean;
  verify(ctx: VerifyContext): Promise<void>;
};
