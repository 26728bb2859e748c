import {existsSync, mkdtempSync, renameSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {setTimeout as delay} from "node:timers/promises";
import type {TestScope} from "@strata/base/testing";
import {encodeXorChunks} from "@strata/chunkenc";
import {compareLabels, Labels, newUlid} from "@strata/model";
import {BlockWriter, EMPTY_THANOS_META} from "@strata/tsdb";

/** How a series' value goes on from sample to sample. */
type Shape = "counter" | "slowCounter" | "gauge" | "constant";
type Target = {readonly labels: Labels; readonly shape: Shape};

export type FleetOptions = {
  readonly series: number;
  /** A multiple of 2. */
  readonly hours: number;
  /** Distance of samples, ms. */
  readonly stepMs: number;
  /** How many replicas scrape all of it, each at its own moments; 1 if absent. */
  readonly replicas?: number | undefined;
  /** Length of the blocks; 2 if absent. */
  readonly blockHours?: number | undefined;
};

/** Where all generated data ends, ms. */
export const FLEET_END = 1_767_225_600_000;
/** Label that tells replicas apart in what is generated. */
export const REPLICA_LABEL = "replica";

/**
 * A bucket with a fleet's metrics: the one `--bucket=DIR` names, written there where it does not exist yet, else one
 * that goes with the scope.
 */
export async function fleetBucket(scope: TestScope, options: FleetOptions): Promise<string> {
  const kept = process.argv.find((arg) => arg.startsWith("--bucket="))?.slice("--bucket=".length);
  if (kept !== undefined && existsSync(kept)) return kept;
  const dir = kept === undefined ? mkdtempSync(join(tmpdir(), "strata-bench-")) : `${kept}.part`;
  const begun = performance.now();
  await writeFleet(dir, options);
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(`${options.series} series × ${options.hours} h written in ${seconds} s`);
  // Until the machine has written it, the first to read would pay.
  await delay(500);
  if (kept === undefined) scope.after(() => rmSync(dir, {recursive: true}));
  else renameSync(dir, kept);
  return kept ?? dir;
}

/**
 * Writes 2 h blocks of a fleet's metrics into a filesystem bucket: instances of five jobs with counters by method and
 * code, histogram buckets, CPU seconds, gauges and constants. The same options give the same samples.
 */
export async function writeFleet(bucket: string, options: FleetOptions): Promise<void> {
  for (let r = 0; r < (options.replicas ?? 1); r++) await writeReplica(bucket, options, `r${r}`, new Lcg(1 + 7919 * r));
}

async function writeReplica(
  bucket: string,
  {series, hours, stepMs, blockHours = 2}: FleetOptions,
  replica: string,
  random: Lcg,
): Promise<void> {
  const blockMs = blockHours * 3_600_000;
  const targets = fleetTargets(series);
  const values = targets.map(() => random.below(1_000_000));
  const phases = targets.map(() => random.below(stepMs));
  const samples = blockMs / stepMs;
  const t = new Float64Array(samples);
  const v = new Float64Array(samples);
  for (let minTime = FLEET_END - hours * 3_600_000; minTime < FLEET_END; minTime += blockMs) {
    const writer = await BlockWriter.create(bucket, {ulid: newUlid(minTime)});
    for (const [i, {labels, shape}] of targets.entries()) {
      writer.startSeries(labels);
      let value = values[i] ?? 0;
      for (let s = 0; s < samples; s++) {
        // One scrape in eight is up to 2 ms late, as real ones are.
        const late = random.below(8) === 0 ? random.below(3) : 0;
        t[s] = Math.min(minTime + (phases[i] ?? 0) + s * stepMs + late, minTime + blockMs - 1);
        value = next(value, shape, random);
        v[s] = value;
      }
      values[i] = value;
      for (const chunk of encodeXorChunks({t, v, st: undefined, n: samples})) {
        await writer.addChunk(chunk.mint, chunk.maxt, chunk.encoding, chunk.data);
      }
      await writer.endSeries();
    }
    const labels = {cluster: "eu-1", [REPLICA_LABEL]: replica};
    const thanos = {...EMPTY_THANOS_META, labels, source: "sidecar", segmentFiles: ["000001"]};
    await writer.finish({minTime, maxTime: minTime + blockMs, thanos});
  }
}

function next(value: number, shape: Shape, random: Lcg): number {
  switch (shape) {
    case "counter":
      // Never reset: Thanos lifts what follows a reset before windows are cut, which Prometheus does not, so that answers
      // could not be compared.
      return value + random.below(40);
    case "slowCounter":
      return random.below(10) === 0 ? value + 1 : value;
    case "gauge":
      return value + (random.below(2000) - 1000) / 7;
    case "constant":
      return value;
  }
}

/** `count` targets in label order. */
function fleetTargets(count: number): Target[] {
  const out: Target[] = [];
  for (let instance = 0; out.length < count; instance++) {
    const job = `api-${instance % 5}`;
    const base = {
      job,
      instance: `10.0.${Math.floor(instance / 250)}.${instance % 250}:9100`,
      namespace: `ns-${instance % 17}`,
      pod: `${job}-${(Math.imul(instance, 2654435761) >>> 0).toString(16).padStart(8, "0")}`,
    };
    for (const [name, shape, more] of METRICS) {
      if (out.length < count) out.push({labels: Labels.fromObject({__name__: name, ...base, ...more}), shape});
    }
  }
  return out.sort((a, b) => compareLabels(a.labels, b.labels));
}

/** What each instance exposes. */
const METRICS: readonly (readonly [string, Shape, Readonly<Record<string, string>>])[] = [
  ...["GET", "POST"].flatMap((method) => [
    ...["200", "201", "400", "404", "500"].map((code) => ["http_requests_total", "counter", {method, code}] as const),
    ...["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"].map(
      (le) => ["http_request_duration_seconds_bucket", "counter", {method, le}] as const,
    ),
    ["http_request_duration_seconds_sum", "counter", {method}] as const,
    ["http_request_duration_seconds_count", "counter", {method}] as const,
  ]),
  ...["0", "1", "2", "3"].flatMap((cpu) =>
    ["user", "system", "idle", "iowait"].map((mode) => ["node_cpu_seconds_total", "counter", {cpu, mode}] as const),
  ),
  ...["node_load1", "node_memory_MemAvailable_bytes", "process_resident_memory_bytes", "go_goroutines"].map(
    (name) => [name, "gauge", {}] as const,
  ),
  ...["up", "process_start_time_seconds", "node_boot_time_seconds", "kube_pod_info"].map(
    (name) => [name, "constant", {}] as const,
  ),
  ...["sda", "sdb", "sdc", "sdd"].flatMap((device) => [
    ["node_disk_reads_completed_total", "slowCounter", {device}] as const,
    ["node_filesystem_avail_bytes", "gauge", {device: `${device}1`}] as const,
  ]),
];

/** A small deterministic generator. */
class Lcg {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number in [0, n). */
  below(n: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * n);
  }
}
