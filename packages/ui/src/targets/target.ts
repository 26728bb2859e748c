import type {Metric} from "../format.ts";

/** A target that is scraped, as `/api/v1/targets` has it. */
export type ActiveTarget = {
  readonly discoveredLabels: Metric;
  readonly labels: Metric;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly globalUrl: string;
  readonly lastError: string;
  readonly lastScrape: string;
  /** Seconds. */
  readonly lastScrapeDuration: number;
  readonly health: "up" | "down" | "unknown";
};

export type DroppedTarget = {readonly discoveredLabels: Metric};

export type Targets = {
  readonly activeTargets: readonly ActiveTarget[];
  readonly droppedTargets: readonly DroppedTarget[];
};
