import {mkdtempSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {ByteWriter} from "@strata/bytes";
import {Labels} from "@strata/model";
import {writeLabels} from "../wal/other-records.ts";
import {Head} from "./head.ts";

/*
 * Appends to known series with the log on, replay of that log, and what a series costs in memory.
 *
 *   node --expose-gc head.bench.ts [series] [samples a series]
 */

const SERIES = Number(process.argv[2] ?? 20_000);
const SAMPLES = Number(process.argv[3] ?? 240);
const REQUEST = 2000;
const T0 = 1_700_000_000_000;

const labels = (i: number): Labels =>
  Labels.fromPairs([
    ["__name__", `http_request_duration_seconds_${i % 50}`],
    ["cluster", "eu-west-1"],
    ["code", String(200 + (i % 5))],
    ["container", "server"],
    ["handler", `/api/v1/${i % 20}`],
    ["instance", `10.0.${(i >> 8) & 255}.${i & 255}:9100`],
    ["job", `job-${i % 30}`],
    ["namespace", "production"],
    ["pod", `server-${i}`],
  ]);

function encodeLabels(set: Labels): Uint8Array {
  const w = new ByteWriter();
  writeLabels(w, set);
  return w.take();
}

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

/** CPU time of this process, all threads: the machine may be shared. */
function cpuMs(): number {
  const {user, system} = process.cpuUsage();
  return (user + system) / 1000;
}

function memory(): number {
  (globalThis as {gc?: () => void}).gc?.();
  const {rss} = process.memoryUsage();
  return rss;
}

async function run(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "head-bench-"));
  try {
    const before = memory();
    let head = await Head.open(dir, {wal: {compression: "snappy", sync: "periodic"}});
    const app = head.appender();
    let start = cpuMs();
    const refs = Array.from({length: SERIES}, (_, i) => app.seriesOf(labels(i)));
    await app.commit();
    console.log(`new series       ${(((cpuMs() - start) / SERIES) * 1000).toFixed(2)} µs each`);
    const encoded = refs.map((_, i) => encodeLabels(labels(i)));
    start = cpuMs();
    const lookup = head.appender();
    let sum = 0;
    for (let round = 0; round < 5; round++) for (const bytes of encoded) sum += lookup.series(bytes);
    console.log(
      `known series     ${(((cpuMs() - start) / SERIES / 5) * 1e6).toFixed(0)} ns each, by their encoded labels`,
    );
    if (sum !== 5 * refs.reduce((a, b) => a + b)) throw new Error("a lookup found another series");
    encoded.length = 0;
    const values = Float64Array.from(refs, (_, i) => i);
    let best = 0;
    start = cpuMs();
    const total = SERIES * SAMPLES;
    let window = cpuMs();
    for (let s = 0; s < SAMPLES; s++) {
      const t = T0 + s * 15_000;
      for (let from = 0; from < SERIES; from += REQUEST) {
        const tx = head.appender();
        const to = Math.min(SERIES, from + REQUEST);
        for (let i = from; i < to; i++) {
          values[i] = (values[i] as number) + ((s * i) % 17);
          tx.float(refs[i] as number, t + (i % 1000), values[i] as number);
        }
        await tx.commit();
      }
      if (s % 20 === 19) {
        const now = cpuMs();
        best = Math.max(best, (20 * SERIES) / (now - window));
        window = now;
      }
      if (s === 119) {
        const pause = cpuMs();
        const used = memory() - before;
        start += cpuMs() - pause;
        console.log(
          `memory           ${mib(used)} for ${SERIES} series × 120 samples: ${(used / SERIES).toFixed(0)} bytes a series`,
        );
        window = cpuMs();
      }
    }
    const ms = cpuMs() - start;
    console.log(
      `append           ${(total / ms / 1000).toFixed(2)} M samples per CPU second, best ${(best / 1000).toFixed(2)} (snappy log, sync every 5 s)`,
    );
    const wal = head.bytes;
    await head.close();
    start = cpuMs();
    head = await Head.open(dir);
    const replayed = cpuMs() - start;
    if (head.report.repaired.length > 0) throw new Error(head.report.repaired.join("; "));
    console.log(
      `replay           ${(total / replayed / 1000).toFixed(2)} M samples per CPU second with chunk files (${mib(wal)} on disk), ${head.report.samples} of ${total} samples appended`,
    );
    await head.close();
    rmSync(join(dir, "chunks_head"), {recursive: true});
    start = cpuMs();
    head = await Head.open(dir);
    const whole = cpuMs() - start;
    console.log(`replay           ${(total / whole / 1000).toFixed(2)} M samples per CPU second without`);
    if (head.report.samples !== total) throw new Error(`replayed ${head.report.samples} of ${total} samples`);
    await head.close();
  } finally {
    rmSync(dir, {recursive: true, force: true});
  }
}

await run();
