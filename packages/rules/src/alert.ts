import type {Labels} from "@strata/model";

export type AlertState = "inactive" | "pending" | "firing";

/** One alert of a rule, with its life so far. Times are ms; undefined is "never". */
export type Alert = {
  readonly labels: Labels;
  annotations: Labels;
  state: AlertState;
  value: number;
  activeAt: number;
  firedAt: number | undefined;
  resolvedAt: number | undefined;
  lastSentAt: number | undefined;
  validUntil: number | undefined;
  keepFiringSince: number | undefined;
};

/** How long a resolved alert is kept, so that its end reaches a receiver that missed it at first. */
export const RESOLVED_RETENTION_MS = 15 * 60_000;
