import assert from "node:assert/strict";
import {cpSync, default as fs, readdirSync, statSync, truncateSync} from "node:fs";
import {syncBuiltinESMExports} from "node:module";
import {join} from "node:path";
import {test} from "node:test";
import {random, repeat, seed, tempDir} from "@strata/base/testing";
import {Labels} from "@strata/model";
import type {WalSync} from "../wal/wal-writer.ts";
import {Head} from "./head.ts";
import {numberText, readAll} from "./testing/read-all.ts";

const T0 = 1_700_000_000_000;

/** Watches what this process opens, writes and syncs, and can copy a directory as a power cut would leave it. */
class Disk {
  readonly #path = new Map<number, string>();
  readonly #written = new Map<string, number>();
  readonly #synced = new Map<string, number>();
  readonly #own = {
    openSync: fs.openSync,
    writeSync: fs.writeSync,
    fdatasyncSync: fs.fdatasyncSync,
    fdatasync: fs.fdatasync,
  };

  constructor() {
    const own = this.#own;
    const open = (path: string, flags: string): number => {
      const file = own.openSync(path, flags);
      this.#path.set(file, path);
      return file;
    };
    const write = (file: number, data: Uint8Array, offset = 0, length = data.length - offset, at?: number): number => {
      const n = own.writeSync(file, data, offset, length, at);
      const path = this.#path.get(file) ?? "";
      this.#written.set(path, Math.max(this.#written.get(path) ?? 0, (at ?? 0) + n));
      return n;
    };
    const syncNow = (file: number): void => {
      own.fdatasyncSync(file);
      this.#noteSync(file);
    };
    const sync = (file: number, done: (err: Error | null) => void): void => {
      const path = this.#path.get(file) ?? "";
      const size = this.#written.get(path) ?? 0;
      own.fdatasync(file, (err) => {
        if (err === null || err === undefined) this.#synced.set(path, Math.max(size, this.#synced.get(path) ?? 0));
        done(err);
      });
    };
    Object.assign(fs, {openSync: open, writeSync: write, fdatasyncSync: syncNow, fdatasync: sync});
    syncBuiltinESMExports();
  }

  #noteSync(file: number): void {
    const path = this.#path.get(file) ?? "";
    this.#synced.set(path, this.#written.get(path) ?? 0);
  }

  /** A copy in which every file ends where it was synced last. */
  cut(from: string, to: string): void {
    cpSync(from, to, {recursive: true});
    for (const name of readdirSync(to, {recursive: true, encoding: "utf8"})) {
      const file = join(to, name);
      if (statSync(file).isFile())
        truncateSync(file, Math.min(this.#synced.get(join(from, name)) ?? 0, statSync(file).size));
    }
  }

  close(): void {
    Object.assign(fs, this.#own);
    syncBuiltinESMExports();
  }
}

for (const sync of ["commit", "periodic"] as const satisfies readonly WalSync[]) {
  test(`a power cut leaves every commit that was synced, whole, and a prefix of the others (sync ${sync})`, async (t) => {
    const next = random(seed());
    const disk = new Disk();
    t.after(() => disk.close());
    for (let run = 0; run < repeat(40); run++) {
      const dir = tempDir(t);
      const options = {wal: {sync, segmentBytes: 64 * 1024, compression: "none"}} as const;
      const head = await Head.open(dir, options);
      const commits = 20 + Math.floor(next() * 200);
      for (let n = 0; n < commits; n++) {
        const app = head.appender();
        for (let i = 0; i < 20; i++) {
          const labels = Labels.fromObject({__name__: "m", i: String(i), text: "y".repeat(100)});
          app.float(app.seriesOf(labels), T0 + n, n);
        }
        const committed = app.commit();
        // Of commits under way together only the last is waited for: they share a sync.
        if (next() < 0.5 || n === commits - 1) await committed;
      }
      const copy = tempDir(t);
      disk.cut(dir, copy);
      const again = await Head.open(copy, options);
      const all = await readAll([again]);
      const size = all.values().next().value?.size ?? 0;
      if (sync === "commit") assert.equal(size, commits, `run ${run}`);
      else assert.ok(size <= commits);
      // Whole commits from the first on, in every series.
      for (const samples of all.values()) {
        assert.deepEqual(
          [...samples],
          Array.from({length: size}, (_, n) => [T0 + n, numberText(n)]),
          `run ${run}`,
        );
      }
      assert.ok(all.size === 20 || size === 0);
      await again.close();
      await head.close();
    }
  });
}
