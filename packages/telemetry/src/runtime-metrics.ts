import {readdirSync, readFileSync} from "node:fs";
import {constants, monitorEventLoopDelay, PerformanceObserver} from "node:perf_hooks";
import v8 from "node:v8";
import type {Registry} from "./metric-types.ts";

/** What this build is; "" for what the build does not know. */
export type BuildInfo = {
  readonly version: string;
  readonly revision: string;
  readonly branch: string;
  readonly buildUser: string;
  readonly buildDate: string;
};

/**
 * Registers the metrics of the process: `process_*`, Node's own `nodejs_*`, the `go_*` names that Thanos's dashboards
 * draw (with the nearest thing Node has), and the build. Call once a process: garbage collections and the event loop
 * are watched until the result is called.
 */
export function registerRuntimeMetrics(registry: Registry, build: BuildInfo): () => void {
  registry
    .gauge({
      name: "thanos_build_info",
      help: "Constant 1, labelled with what was built and for which platform.",
      labels: ["branch", "goarch", "goos", "goversion", "revision", "tags", "version"],
    })
    .with({
      branch: build.branch,
      goarch: process.arch === "x64" ? "amd64" : process.arch,
      goos: process.platform,
      goversion: `node${process.version}`,
      revision: build.revision,
      tags: "",
      version: build.version,
    })
    .set(1);
  goNames(registry);
  const stopGc = watchGc(registry);
  const stopLoop = processNames(registry);
  return () => {
    stopGc();
    stopLoop();
  };
}

/** Compat: dashboards of the Go originals read these names. */
function goNames(registry: Registry): void {
  const gauge = (name: string, help: string) => registry.gauge({name, help});
  const goroutines = gauge("go_goroutines", "Resources that keep the event loop alive (Node has no goroutines).");
  const alloc = gauge("go_memstats_alloc_bytes", "Heap and external memory in use.");
  const heapAlloc = gauge("go_memstats_heap_alloc_bytes", "Heap memory in use.");
  const heapInuse = gauge("go_memstats_heap_inuse_bytes", "Heap memory backed by pages.");
  const stackInuse = gauge("go_memstats_stack_inuse_bytes", "Memory that the engine took outside the heap.");
  const allocTotal = registry.counter({name: "go_memstats_alloc_bytes_total", help: "Heap memory ever allocated."});
  let allocatedBefore = 0;
  registry.onScrape(() => {
    const heap = v8.getHeapStatistics();
    const memory = process.memoryUsage();
    goroutines.set(process.getActiveResourcesInfo().length);
    alloc.set(memory.heapUsed + memory.external);
    heapAlloc.set(memory.heapUsed);
    heapInuse.set(heap.total_physical_size);
    stackInuse.set(heap.malloced_memory);
    // Node 26's V8 counts this; the declared type does not know it yet.
    const allocated = (heap as {total_allocated_bytes?: number}).total_allocated_bytes ?? 0;
    allocTotal.inc(Math.max(0, allocated - allocatedBefore));
    allocatedBefore = allocated;
  });
}

const GC_KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: "major",
  [constants.NODE_PERFORMANCE_GC_MINOR]: "minor",
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: "incremental",
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: "weakcb",
};

function watchGc(registry: Registry): () => void {
  const pauses = registry.summary({
    name: "go_gc_duration_seconds",
    help: "Pauses of garbage collection.",
    quantiles: [0, 0.25, 0.5, 0.75, 1],
  });
  const byKind = registry.histogram({
    name: "nodejs_gc_duration_seconds",
    help: "Pauses of garbage collection by kind.",
    labels: ["kind"],
    preset: Object.values(GC_KINDS).map((kind) => ({kind})),
    buckets: [0.001, 0.01, 0.1, 1, 2, 5],
  });
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const seconds = entry.duration / 1000;
      const kind = (entry as unknown as {detail?: {kind: number}}).detail?.kind ?? 0;
      pauses.observe(seconds);
      byKind.with({kind: GC_KINDS[kind] ?? "other"}).observe(seconds);
    }
  });
  observer.observe({entryTypes: ["gc"]});
  return () => observer.disconnect();
}

/** The `process_*` set of client libraries, and Node's event loop and heap. Reads /proc where there is one. */
function processNames(registry: Registry): () => void {
  const gauge = (name: string, help: string) => registry.gauge({name, help});
  const cpu = registry.counter({name: "process_cpu_seconds_total", help: "User and system CPU time."});
  const resident = gauge("process_resident_memory_bytes", "Resident memory.");
  const virtual = gauge("process_virtual_memory_bytes", "Virtual memory.");
  const openFds = gauge("process_open_fds", "Open file descriptors.");
  const maxFds = gauge("process_max_fds", "Highest number of open file descriptors allowed.");
  gauge("process_start_time_seconds", "Start of the process, Unix time.").set(performance.timeOrigin / 1000);
  const heapTotal = gauge("nodejs_heap_size_total_bytes", "Heap size.");
  const heapUsed = gauge("nodejs_heap_size_used_bytes", "Heap in use.");
  const external = gauge("nodejs_external_memory_bytes", "Memory of buffers outside the heap.");
  const lag = registry.gauge({
    name: "nodejs_eventloop_lag_seconds",
    help: "Delay of the event loop since the last scrape, by rank.",
    labels: ["quantile"],
    preset: LAG_RANKS.map((rank) => ({quantile: rank})),
  });
  const utilization = gauge("nodejs_eventloop_utilization", "Busy share of the event loop since the last scrape.");
  const loop = monitorEventLoopDelay({resolution: LAG_RESOLUTION_MS});
  loop.enable();
  let lastUtilization = performance.eventLoopUtilization();
  let cpuBefore = 0;
  registry.onScrape(() => {
    const {user, system} = process.cpuUsage();
    const cpuNow = (user + system) / 1e6;
    cpu.inc(Math.max(0, cpuNow - cpuBefore));
    cpuBefore = cpuNow;
    const memory = process.memoryUsage();
    resident.set(memory.rss);
    heapTotal.set(memory.heapTotal);
    heapUsed.set(memory.heapUsed);
    external.set(memory.external);
    for (const rank of LAG_RANKS) {
      // The monitor counts its own period in, and starts with the largest number as minimum.
      const seconds = loop.percentile(Number(rank) * 100) / 1e9 - LAG_RESOLUTION_MS / 1000;
      lag.with({quantile: rank}).set(loop.count === 0 ? 0 : Math.max(0, seconds));
    }
    loop.reset();
    utilization.set(performance.eventLoopUtilization(lastUtilization).utilization);
    lastUtilization = performance.eventLoopUtilization();
    const proc = readProc();
    virtual.set(proc.virtualBytes);
    openFds.set(proc.openFds);
    maxFds.set(proc.maxFds);
  });
  return () => loop.disable();
}

const LAG_RANKS = ["0.5", "0.9", "0.99", "1"] as const;

/** How often the monitor wakes: 50 wake-ups a second cost about 0.1 % of a core. */
const LAG_RESOLUTION_MS = 20;

/** Facts that Node does not offer; zeros where there is no /proc. */
function readProc(): {virtualBytes: number; openFds: number; maxFds: number} {
  try {
    const status = readFileSync("/proc/self/status", "utf8");
    const limits = readFileSync("/proc/self/limits", "utf8");
    const virtualBytes = Number(/^VmSize:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
    const maxFds = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 0);
    return {virtualBytes, openFds: readdirSync("/proc/self/fd").length, maxFds};
  } catch {
    return {virtualBytes: 0, openFds: 0, maxFds: 0};
  }
}
