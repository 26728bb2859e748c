import type {HashFunc} from "@strata/block";
import type {Bucket} from "@strata/objstore";
import type {Logger} from "@strata/telemetry";
import type {CompactMetrics} from "./metrics.ts";
import type {WorkPool} from "./work/work-pool.ts";

/** What all steps of the compactor share. */
export type CompactContext = {
  readonly bucket: Bucket;
  /** Where blocks are worked on. */
  readonly dataDir: string;
  readonly logger: Logger;
  readonly metrics: CompactMetrics;
  readonly pool: WorkPool;
  /** ms. */
  readonly now: () => number;
  readonly hashFunc: HashFunc;
  /** Files of one block transferred at once. */
  readonly filesConcurrency: number;
  readonly acceptMalformed: boolean;
  /** Stops at what cannot be handled, instead of setting it aside. */
  readonly haltOnError: boolean;
};
