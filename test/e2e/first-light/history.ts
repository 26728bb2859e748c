import {once} from "node:events";
import {createWriteStream} from "node:fs";
import {random} from "@strata/base/testing";

/** Scrape interval of the made history, ms. */
const STEP_MS = 60_000;

type Shape = (t: number, step: number) => number | undefined;

/**
 * Writes `[start, end)` (ms) of some sixty series as OpenMetrics text: counters with resets, gauges, classic histograms,
 * gaps, and series that come and go. Sample times carry odd milliseconds, so that no window boundary ever meets one.
 */
export async function writeHistory(file: string, start: number, end: number): Promise<number> {
  const series = [...counters(), ...gauges(), ...histograms()];
  const out = createWriteStream(file);
  let samples = 0;
  // OpenMetrics wants the lines of one metric together.
  for (const [index, {name, labels, shape}] of series.entries()) {
    const offset = 101 + 2 * index;
    let text = "";
    for (let t = start + offset, step = 0; t < end; t += STEP_MS, step++) {
      const value = shape(t, step);
      if (value === undefined) continue;
      samples++;
      text += `${name}{${labels}} ${value} ${(t / 1000).toFixed(3)}\n`;
    }
    if (!out.write(text)) await once(out, "drain");
  }
  out.end("# EOF\n");
  await once(out, "finish");
  return samples;
}

type Series = {readonly name: string; readonly labels: string; readonly shape: Shape};

function counters(): Series[] {
  const out: Series[] = [];
  for (const job of ["api", "web"])
    for (const instance of ["a:80", "b:80", "c:80"])
      for (const code of ["200", "404", "500"]) {
        const next = random(out.length + 1);
        let value = 0;
        out.push({
          name: "http_requests_total",
          labels: `code="${code}",instance="${instance}",job="${job}"`,
          shape: (_t, step) => {
            if (step > 0 && step % 977 === 0) value = 0;
            value += Math.floor(next() * (code === "200" ? 90 : 5));
            // One target is away for three hours.
            return instance === "c:80" && step > 1200 && step < 1380 ? undefined : value;
          },
        });
      }
  return out;
}

function gauges(): Series[] {
  const out: Series[] = [];
  for (const [name, scale] of [
    ["node_load1", 4],
    ["node_memory_free_bytes", 8e9],
    ["temperature_celsius", -30],
  ] as const)
    for (const instance of ["a:9100", "b:9100", "c:9100", "d:9100"]) {
      const next = random(1000 + out.length);
      out.push({
        name,
        labels: `instance="${instance}",job="node"`,
        shape: (t, step) => {
          if (instance === "d:9100" && step % 300 > 240) return undefined;
          const wave = Math.sin(t / 3_600_000) + next() / 5;
          return scale * wave;
        },
      });
    }
  return out;
}

function histograms(): Series[] {
  const out: Series[] = [];
  for (const instance of ["a:80", "b:80"]) {
    const totals = [0, 0, 0, 0, 0];
    const next = random(2000 + out.length);
    for (const [i, le] of ["0.1", "0.5", "1", "5", "+Inf"].entries()) {
      out.push({
        name: "request_duration_seconds_bucket",
        labels: `instance="${instance}",job="api",le="${le}"`,
        shape: () => {
          totals[i] = (totals[i] as number) + Math.floor(next() * 3) + i * 4;
          return totals[i];
        },
      });
    }
  }
  return out;
}
