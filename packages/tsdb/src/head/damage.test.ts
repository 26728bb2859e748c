import assert from "node:assert/strict";
import {chmodSync, cpSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {goldenDir, random, repeat, seed, tempDir} from "@strata/base/testing";
import {goldenWalCases} from "../wal/testing/golden-wal.ts";
import {Head} from "./head.ts";
import {HeadChunkFiles} from "./head-chunk-files.ts";
import {readAll} from "./testing/read-all.ts";

/** Files below `dir`, without those of blocks. */
const files = (dir: string): string[] =>
  readdirSync(dir, {recursive: true, encoding: "utf8"})
    .filter((name) => /^(wal|wbl|chunks_head|chunk_snapshot)/.test(name) && statSync(join(dir, name)).isFile())
    .map((name) => join(dir, name));

for (const name of goldenWalCases()) {
  test(`${name}: a directory with random damage opens, repaired, or is corrupt; what opens can be read`, async (t) => {
    const next = random(seed());
    const pick = (n: number): number => Math.floor(next() * n);
    for (let run = 0; run < repeat(150); run++) {
      const dir = tempDir(t);
      cpSync(goldenDir("storage", "wal", name, "data"), dir, {recursive: true});
      for (const file of [dir, ...readdirSync(dir, {recursive: true, encoding: "utf8"}).map((f) => join(dir, f))]) {
        chmodSync(file, statSync(file).isDirectory() ? 0o755 : 0o644);
      }
      for (let n = 1 + pick(3); n > 0; n--) {
        const all = files(dir);
        const path = all[pick(all.length)] as string;
        const bytes = readFileSync(path);
        if (bytes.length === 0) continue;
        if (next() < 0.3) truncateSync(path, pick(bytes.length));
        else {
          const at = pick(Math.min(bytes.length, 40_000));
          const length = next() < 0.5 ? 1 : 1 + pick(200);
          for (let i = at; i < Math.min(bytes.length, at + length); i++) bytes[i] = pick(256);
          writeFileSync(path, bytes);
        }
      }
      let head: Head | undefined;
      try {
        head = await Head.open(dir, {outOfOrderWindow: 3_600_000, maxExemplars: 100});
      } catch (err) {
        assert.ok(err instanceof StrataError, `run ${run}: ${err}`);
        assert.equal(err.code, "corrupt", `run ${run}: ${err}`);
        assert.equal(typeof err.fields.file, "string", `run ${run}: ${err.message}`);
        continue;
      }
      const first = await readAll([head], undefined, true);
      await head.close();
      // Once repaired, nothing more goes.
      const again = await Head.open(dir, {outOfOrderWindow: 3_600_000, maxExemplars: 100});
      const second = await readAll([again], undefined, true);
      for (const [key, samples] of first) {
        for (const at of samples.keys()) assert.ok(second.get(key)?.has(at), `run ${run}: ${key} lost ${at}`);
      }
      await again.close();
    }
  });
}

test("any bytes as a head chunk file give chunks or are refused", (t) => {
  const next = random(seed());
  const dir = tempDir(t);
  const path = join(dir, "000001");
  for (let run = 0; run < repeat(3000); run++) {
    const bytes = Buffer.alloc(Math.floor(next() * 120), 0);
    for (let i = 0; i < bytes.length; i++) if (next() < 0.5) bytes[i] = next() * 256;
    if (next() < 0.8) bytes.set([0x01, 0x30, 0xbc, 0x91, 1].slice(0, bytes.length));
    writeFileSync(path, bytes);
    try {
      const damaged = new HeadChunkFiles(dir).load(() => undefined);
      if (damaged !== undefined) assert.equal(damaged.code, "corrupt");
    } catch (err) {
      assert.ok(err instanceof StrataError && err.code === "corrupt", String(err));
    }
  }
});
