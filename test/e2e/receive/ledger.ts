import {setTimeout as delay} from "node:timers/promises";
import {snappyEncode} from "@strata/bytes";
import {prompb} from "@strata/proto";

/** Sends samples one after another and remembers which were acknowledged. */
export class Ledger {
  readonly #series: readonly string[];
  readonly #urls: () => readonly string[];
  readonly #pauseMs: number;
  #step = 0;
  #stopped = false;
  /** Times that were acknowledged, of all series at once. */
  readonly acknowledged: number[] = [];
  readonly refused = new Map<string, number>();

  /** With a pause times are those of the clock, else they are a millisecond apart. */
  constructor(series: readonly string[], urls: () => readonly string[], pauseMs = 0) {
    this.#series = series;
    this.#urls = urls;
    this.#pauseMs = pauseMs;
  }

  /** What a series has at a time. */
  static value(i: string, t: number): number {
    return (t % 1_000_000) * 100 + Number(i);
  }

  /** Writes until `stop`. A write that fails is tried some times at whatever receivers there are, then given up. */
  async run(): Promise<void> {
    const start = Date.now();
    while (!this.#stopped) {
      const t = this.#pauseMs > 0 ? Date.now() : start + this.#step;
      this.#step++;
      if (await this.#write(t)) this.acknowledged.push(t);
      if (this.#pauseMs > 0) await delay(this.#pauseMs);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  async #write(t: number): Promise<boolean> {
    const body = snappyEncode(
      prompb.WriteRequest.encode({
        timeseries: this.#series.map((i) => ({
          labels: [
            {name: "__name__", value: "ledger"},
            {name: "i", value: i},
          ],
          samples: [{value: Ledger.value(i, t), timestamp: t}],
        })),
      }),
    );
    for (let attempt = 0; attempt < 5 && !this.#stopped; attempt++) {
      const urls = this.#urls();
      const url = urls[(this.#step + attempt) % urls.length];
      if (url === undefined) continue;
      const status = await post(url, body);
      if (status === "200") return true;
      this.refused.set(status, (this.refused.get(status) ?? 0) + 1);
    }
    return false;
  }
}

async function post(url: string, body: Uint8Array): Promise<string> {
  try {
    const answer = await fetch(url, {method: "POST", body: Buffer.from(body), signal: AbortSignal.timeout(6000)});
    await answer.text();
    return String(answer.status);
  } catch {
    return "connection";
  }
}
