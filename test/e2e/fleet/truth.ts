import type {TestScope} from "@strata/base/testing";
import {encodeXorChunks} from "@strata/chunkenc";
import {Labels} from "@strata/model";
import {BlockWriter} from "@strata/tsdb";
import {serve} from "../rule/fleet.ts";

const HOUR_MS = 3_600_000;
const BLOCK_MS = 2 * HOUR_MS;
/** Between samples of the history. */
export const STEP_MS = 15_000;
const PER_CHUNK = 120;

/** Series of the history, by the label `i`. */
export const HISTORY_SERIES: readonly string[] = ["0", "1", "2"];

/** Functions of time that a fleet is told as metrics, so that every answer can be judged. Times are ms. */
export class Truth {
  /** From here on counters count; a whole minute. */
  readonly #zero: number;
  /** Gauges named `input`, by the label `name`. */
  readonly inputs = new Map<string, number>();
  /** The finished blocks of before the test: half a day. */
  readonly history: {readonly start: number; readonly end: number};

  constructor(now: number) {
    this.#zero = Math.floor(now / 60_000) * 60_000 - HOUR_MS;
    const end = Math.floor(now / BLOCK_MS) * BLOCK_MS - BLOCK_MS;
    this.history = {start: end - 12 * HOUR_MS, end};
  }

  /** What `truth_total` has at a time. It grows by 1000 a second. */
  total(t: number): number {
    return t - this.#zero;
  }

  /** When `truth_total` had a value. */
  timeOf(total: number): number {
    return total + this.#zero;
  }

  /** What `history{i}` has at a time: a sawtooth of some hours, in whole numbers. */
  past(i: string, t: number): number {
    return ((t / STEP_MS) % 997) * 8 + Number(i);
  }

  /** Serves the metrics of now, for any path. `truth_total` brings its own time, so that value and time agree. */
  expose(t: TestScope): Promise<string> {
    return serve(t, (_, response) => {
      const now = Date.now();
      response.writeHead(200, {"content-type": "text/plain; version=0.0.4"});
      const inputs = [...this.inputs].map(([name, value]) => `input{name="${name}"} ${value}\n`).join("");
      response.end(`# TYPE truth_total counter\ntruth_total ${this.total(now)} ${now}\n# TYPE input gauge\n${inputs}`);
    });
  }

  /** Writes the history as blocks of two hours, or only each third: a replica with gaps. */
  async writeHistory(dir: string, withGaps: boolean): Promise<void> {
    for (let n = 0, at = this.history.start; at < this.history.end; n++, at += BLOCK_MS) {
      if (!withGaps || n % 3 === 0) await this.#writeBlock(dir, at);
    }
  }

  async #writeBlock(dir: string, start: number): Promise<void> {
    const writer = await BlockWriter.create(dir);
    const n = BLOCK_MS / STEP_MS;
    const t = Float64Array.from({length: n}, (_, k) => start + k * STEP_MS);
    for (const i of HISTORY_SERIES) {
      writer.startSeries(Labels.fromObject({__name__: "history", i}));
      const v = t.map((at) => this.past(i, at));
      const chunks = encodeXorChunks({t, v, st: undefined, n}, 0, n, PER_CHUNK);
      for (const c of chunks) await writer.addChunk(c.mint, c.maxt, c.encoding, c.data);
      await writer.endSeries();
    }
    await writer.finish({minTime: start, maxTime: start + BLOCK_MS});
  }
}
