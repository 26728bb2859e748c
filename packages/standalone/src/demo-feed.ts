import {setTimeout as delay} from "node:timers/promises";
import {errorText} from "@strata/base";
import {snappyEncode} from "@strata/bytes";
import {prompb} from "@strata/proto";
import type {Logger} from "@strata/telemetry";
import {DEMO_CLUSTER, DEMO_STEP_MS, type DemoSeries} from "./demo-series.ts";

/** Pause after a sample that could not be written: databases may still be opening. */
const RETRY_MS = 1000;

/** Takes a remote-write body. */
export type Send = (body: Uint8Array) => Promise<void>;

/** Lets the demo series go on from where their history ends, by remote write, until `signal` aborts. */
export async function feedDemo(
  series: readonly DemoSeries[],
  send: Send,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const labels = series.map((one) => [...one.labels, [DEMO_CLUSTER.name, DEMO_CLUSTER.value] as const].sort(byName));
  while (!signal.aborted) {
    let pause = DEMO_STEP_MS;
    const now = Date.now();
    try {
      await send(scrapeBody(series, labels, now));
    } catch (err) {
      if (!signal.aborted) logger.warn("cannot write the demo's samples", {err: errorText(err)});
      pause = RETRY_MS;
    }
    await delay(pause, undefined, {signal}).catch(() => undefined);
  }
}

type Pairs = readonly (readonly [name: string, value: string])[];

/** One sample of each series at `now`, ms. */
function scrapeBody(series: readonly DemoSeries[], labels: readonly Pairs[], now: number): Uint8Array {
  const value = new Float64Array(1);
  const timeseries = series.map((one, i) => {
    one.fill(now, DEMO_STEP_MS, value);
    return {
      labels: (labels[i] as Pairs).map(([name, text]) => ({name, value: text})),
      samples: [{value: value[0] as number, timestamp: now}],
    };
  });
  return snappyEncode(prompb.WriteRequest.encode({timeseries}));
}

const byName = (a: readonly [string, string], b: readonly [string, string]): number => (a[0] < b[0] ? -1 : 1);
