import {compareLabels, Labels} from "@strata/model";

/** Scrape interval of the demo history, ms. */
export const DEMO_STEP_MS = 30_000;
/** How far it reaches back at that interval, ms. */
export const DEMO_SPAN_MS = 48 * 3_600_000;
/** How far it reaches back at all, ms. */
export const DEMO_YEAR_MS = 365 * 24 * 3_600_000;
/** Who sends the demo's samples, once the history is written. */
export const DEMO_TENANT = "demo";
/** A label that all demo series have once their blocks' external labels are added, and those that are sent by themselves. */
export const DEMO_CLUSTER = {name: "cluster", value: "demo"} as const;
/** External labels of its blocks: those that the receiver adds to what the demo sends, so that one goes on as the other. */
export const DEMO_EXTERNAL_LABELS = Labels.fromObject({
  [DEMO_CLUSTER.name]: DEMO_CLUSTER.value,
  replica: "0",
  receive: "standalone",
  tenant_id: DEMO_TENANT,
});

/**
 * One made-up series. `fill` writes the values at times t0, t0 + step, … (ms) into `values`; calls come in order of time
 * and each goes on where the one before ended.
 */
export type DemoSeries = {
  readonly labels: Labels;
  /** How long ago it appeared, as a share of the year: the shop grew. */
  readonly age: number;
  readonly fill: (t0: number, step: number, values: Float64Array) => void;
};

const DAY_MS = 24 * 3_600_000;
const MINUTE_MS = 60_000;

/**
 * About a thousand series of a small shop, in the order of their labels: requests, latencies, machines, a queue. Equal on
 * every machine.
 */
export function demoSeries(): DemoSeries[] {
  return madeUp().sort((a, b) => compareLabels(a.labels, b.labels));
}

function madeUp(): DemoSeries[] {
  const out: DemoSeries[] = [];
  for (const [s, service] of ["checkout", "catalog", "search", "accounts", "payments"].entries())
    for (let pod = 0; pod < 4; pod++) {
      const base = {job: service, instance: `${service}-${pod}:8080`, namespace: "shop"};
      const traffic = 20 + 15 * s;
      for (const method of ["GET", "POST"])
        for (const [code, share] of [
          ["200", 0.96],
          ["404", 0.03],
          ["500", 0.01],
        ] as const) {
          const labels = {...base, __name__: "http_requests_total", method, code};
          out.push(counter(labels, traffic * share * (method === "GET" ? 1 : 0.3), code === "500" ? 1 : 0));
        }
      for (const [i, le] of BOUNDS.entries())
        out.push(
          counter({...base, __name__: "http_request_duration_seconds_bucket", le}, traffic * (SHARES[i] as number), 0),
        );
      out.push(counter({...base, __name__: "http_request_duration_seconds_count"}, traffic, 0));
      out.push(counter({...base, __name__: "http_request_duration_seconds_sum"}, traffic * 0.11, 0));
      out.push(gauge({...base, __name__: "process_resident_memory_bytes"}, 2.2e8, 0.25, s * 4 + pod));
      out.push(gauge({...base, __name__: "process_open_fds"}, 40, 0.3, s * 7 + pod));
      out.push(constant({...base, __name__: "up"}, 1));
    }
  for (let node = 0; node < 16; node++) {
    const base = {job: "node", instance: `node-${node}:9100`, zone: `zone-${node % 3}`};
    for (let cpu = 0; cpu < 4; cpu++)
      for (const [mode, share] of [
        ["user", 0.3],
        ["system", 0.1],
        ["iowait", 0.02],
        ["idle", 0.58],
      ] as const)
        out.push(counter({...base, __name__: "node_cpu_seconds_total", cpu: String(cpu), mode}, share, 0));
    out.push(gauge({...base, __name__: "node_load1"}, 1.4 + node / 8, 0.6, node));
    out.push(gauge({...base, __name__: "node_memory_MemAvailable_bytes"}, 6e9, 0.3, node + 31));
    out.push(constant({...base, __name__: "node_memory_MemTotal_bytes"}, 16 * 2 ** 30));
    for (const device of ["sda", "sdb"]) {
      out.push(counter({...base, __name__: "node_disk_read_bytes_total", device}, 2.5e5, 0));
      out.push(counter({...base, __name__: "node_disk_written_bytes_total", device}, 7.5e5, 0));
      out.push(gauge({...base, __name__: "node_filesystem_avail_bytes", device}, 8e10, 0.05, node + 57));
    }
    for (const device of ["eth0", "eth1"]) {
      out.push(counter({...base, __name__: "node_network_receive_bytes_total", device}, 1.2e6, 0));
      out.push(counter({...base, __name__: "node_network_transmit_bytes_total", device}, 9e5, 0));
    }
    out.push(constant({...base, __name__: "up"}, 1));
  }
  for (let queue = 0; queue < 25; queue++) {
    const labels = {job: "broker", instance: "broker-0:9419", queue: `orders-${String(queue).padStart(2, "0")}`};
    out.push(gauge({...labels, __name__: "queue_messages_ready"}, 30 + queue * 4, 0.9, queue + 83));
    out.push(counter({...labels, __name__: "queue_messages_published_total"}, 3 + queue / 4, 0));
    out.push(counter({...labels, __name__: "queue_messages_delivered_total"}, 3 + queue / 4, 0));
  }
  return out;
}

const BOUNDS = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "+Inf"];
/** Share of requests at or below each bound. */
const SHARES = [0.02, 0.06, 0.2, 0.42, 0.7, 0.91, 0.97, 0.99, 0.997, 0.9995, 1];

/** By the minute of a day. PERF: a sine for each sample took a third of the time. */
const DAILY = Float64Array.from({length: DAY_MS / MINUTE_MS}, (_, minute) => {
  return 1 + 0.6 * Math.sin(((minute * MINUTE_MS) / DAY_MS) * 2 * Math.PI - 2.2);
});

/** Day and night: between 0.4 and 1.6, highest in the afternoon. */
const daily = (t: number): number => DAILY[Math.floor((t % DAY_MS) / MINUTE_MS)] as number;

/** Few pods and nodes have been there from the beginning. PERF: a whole year of all of them is four times as many bytes. */
function ageOf(set: Labels): number {
  const node = /^node-(\d+)/.exec(set.get("instance"));
  if (node !== null) return Number(node[1]) < 3 ? 1 : 0.45 - Number(node[1]) / 40;
  const pod = /-(\d):8080$/.exec(set.get("instance"));
  return pod === null || pod[1] === "0" ? 1 : 0.45 - Number(pod[1]) / 10;
}

/** Counts up by `perSecond`, busier by day, and starts again at zero about twice a day. `bursts` adds short incidents. */
function counter(labels: Record<string, string>, perSecond: number, bursts: number): DemoSeries {
  const set = Labels.fromObject(labels);
  const next = noise(hash(set.toString()));
  const restartEvery = (1200 + (hash(set.get("instance")) % 400)) * DEMO_STEP_MS;
  let value = 0;
  return {
    labels: set,
    age: ageOf(set),
    fill: (t0, step, values) => {
      const seconds = step / 1000;
      for (let i = 0; i < values.length; i++) {
        const t = t0 + i * step;
        if (t % restartEvery < step) value = 0;
        const incident = bursts > 0 && (t / MINUTE_MS) % 421 < 9 ? 25 * bursts : 1;
        const rate = perSecond * daily(t) * incident * (0.85 + 0.3 * next());
        // Times of CPUs have fractions; a hundredth of a second is what a kernel counts.
        const more = rate * seconds;
        value = perSecond < 2 && bursts === 0 ? Math.round((value + more) * 100) / 100 : value + Math.round(more);
        values[i] = value;
      }
    },
  };
}

/** Wanders about `level` by the given share of it. */
function gauge(labels: Record<string, string>, level: number, share: number, phase: number): DemoSeries {
  const set = Labels.fromObject(labels);
  const next = noise(hash(set.toString()));
  let drift = 0;
  return {
    labels: set,
    age: ageOf(set),
    fill: (t0, step, values) => {
      for (let i = 0; i < values.length; i++) {
        const t = t0 + i * step;
        drift = drift * 0.98 + (next() - 0.5) * 0.1;
        const wave = Math.sin(t / 7_900_000 + phase) * 0.6 + drift;
        const value = Math.max(0, level * (1 + share * wave));
        values[i] = level > 1000 ? Math.round(value) : Math.round(value * 100) / 100;
      }
    },
  };
}

function constant(labels: Record<string, string>, value: number): DemoSeries {
  const set = Labels.fromObject(labels);
  return {labels: set, age: ageOf(set), fill: (_t0, _step, values) => void values.fill(value)};
}

/** FNV-1a over UTF-16 units: a seed out of a name. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** Numbers in [0, 1) from a seed (xorshift). */
function noise(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
