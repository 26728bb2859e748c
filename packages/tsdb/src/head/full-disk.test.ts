import assert from "node:assert/strict";
import {cpSync, default as fs} from "node:fs";
import {syncBuiltinESMExports} from "node:module";
import {test} from "node:test";
import {random, repeat, seed, tempDir} from "@strata/base/testing";
import {Labels} from "@strata/model";
import {Head} from "./head.ts";
import {APPEND} from "./series-store.ts";
import {numberText, readAll} from "./testing/read-all.ts";

const T0 = 1_700_000_000_000;

/** Lets writes of this process fail once `left` bytes were written; the last one writes what fits. */
class SmallDisk {
  left = Number.POSITIVE_INFINITY;
  readonly #write = fs.writeSync;

  constructor() {
    const write = this.#write as (...args: unknown[]) => number;
    const limited = (
      file: number,
      data: Uint8Array,
      offset = 0,
      length = data.length - offset,
      at?: number,
    ): number => {
      if (this.left <= 0) throw Object.assign(new Error("ENOSPC: no space left on device"), {code: "ENOSPC"});
      const n = write(file, data, offset, Math.min(length, this.left), at);
      this.left -= n;
      return n;
    };
    fs.writeSync = limited as typeof fs.writeSync;
    syncBuiltinESMExports();
  }

  close(): void {
    fs.writeSync = this.#write;
    syncBuiltinESMExports();
  }
}

test("on a full disk commits fail, nothing already written is lost, and service resumes", async (t) => {
  const next = random(seed());
  const disk = new SmallDisk();
  t.after(() => disk.close());
  for (let run = 0; run < repeat(30); run++) {
    const dir = tempDir(t);
    const window = next() < 0.5 ? 3_600_000 : 0;
    const options = {outOfOrderWindow: window, outOfOrderCap: 4, wal: {segmentBytes: 32 * 1024}};
    const head = await Head.open(dir, options);
    const want = new Map<string, Map<number, string>>();
    let failures = 0;
    for (let step = 0; step < 150; step++) {
      if (step % 10 === 5) disk.left = Math.floor(next() * 3000);
      if (step % 10 === 9) disk.left = Number.POSITIVE_INFINITY;
      const app = head.appender();
      const added: [string, number, string][] = [];
      for (let i = 0; i < 30; i++) {
        const labels = Labels.fromObject({__name__: "m", i: String(i % 20), run: "x".repeat(50)});
        const late = window > 0 && next() < 0.2 && step > 0;
        const at = T0 + step * 60_000 + i - (late ? 90_000 : 0);
        if (want.get(String(labels))?.has(at)) continue;
        if (app.float(app.seriesOf(labels), at, step * 100 + i) < APPEND.refused) {
          added.push([String(labels), at, numberText(step * 100 + i)]);
        }
      }
      let failed = false;
      try {
        await app.commit();
      } catch (err) {
        failed = true;
        failures++;
        assert.match(String(err), /cannot write .*ENOSPC/);
      }
      const now = failed ? await readAll([head]) : undefined;
      for (const [key, at, text] of added) {
        // Of a commit that failed at its late samples those in order are there: they were logged, and stay.
        if (now !== undefined && !now.get(key)?.has(at)) continue;
        assert.ok(!failed || window > 0, "a commit that failed is visible");
        const samples = want.get(key) ?? new Map<number, string>();
        samples.set(at, text);
        want.set(key, samples);
      }
    }
    disk.left = Number.POSITIVE_INFINITY;
    assert.ok(failures > 0);
    const plain = (all: Map<string, Map<number, string>>) =>
      [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, s]) => [key, [...s].sort(([a], [b]) => a - b)]);
    assert.deepEqual(plain(await readAll([head])), plain(want));
    const copy = tempDir(t);
    cpSync(dir, copy, {recursive: true});
    const again = await Head.open(copy, options);
    assert.deepEqual(again.report.repaired, []);
    assert.deepEqual(plain(await readAll([again])), plain(want));
    await again.close();
    await head.close();
  }
});
