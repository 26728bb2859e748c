import assert from "node:assert/strict";
import {join} from "node:path";
import {test} from "node:test";
import {setTimeout as delay} from "node:timers/promises";
import {random, repeat, seed, tempDir} from "@strata/base/testing";
import {Receiver, writeRing} from "./fleet.ts";
import {Ledger} from "./ledger.ts";
import {SmallDisk} from "./small-disk.ts";

/** Rounds of trouble, and how long one lasts at the most (ms): some seconds in all, over five minutes in a soak run. */
const ROUNDS = repeat(60);
const ROUND_MS = 900 * repeat(10);
const WRITERS = 3;
const SERIES = 20;
/** More than a receiver of this test writes in a soak run. */
const DISK_MB = 512;

test("what three copies acknowledged is readable after kills, partitions, resizes and a full disk", async (t) => {
  const next = random(seed());
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
  const ringFile = join(tempDir(t), "rings.json");
  const disk = SmallDisk.mount(t, DISK_MB);
  const receivers = await Promise.all([
    Receiver.create(t, "a", ringFile, disk?.dir),
    ...["b", "c", "d"].map((name) => Receiver.create(t, name, ringFile)),
  ]);
  const [onDisk, , , spare] = receivers as [Receiver, Receiver, Receiver, Receiver];
  writeRing(ringFile, receivers.slice(0, 3));
  await Promise.all(receivers.map((r) => r.start()));

  const urls = (): string[] => receivers.filter((r) => r.isRunning).map((r) => r.url);
  const ledgers = Array.from({length: WRITERS}, (_, w) => {
    const series = Array.from({length: SERIES}, (_, i) => String(w * SERIES + i));
    return new Ledger(series, urls);
  });
  const writing = Promise.all(ledgers.map((ledger) => ledger.run()));

  const pause = (): Promise<void> => delay(next() * ROUND_MS);
  const troubles: Record<string, () => Promise<void>> = {
    async kill() {
      const victim = pick(receivers);
      await victim.kill();
      await pause();
      await victim.start();
    },
    async partition() {
      const victim = pick(receivers);
      victim.gate.shut();
      await pause();
      victim.gate.open();
    },
    async resize() {
      const out = pick([undefined, ...receivers]);
      const members = receivers.filter((r) => r !== out);
      writeRing(ringFile, members.length >= 3 ? members : [...members, spare]);
      await pause();
    },
    ...(disk !== undefined && {
      async fill() {
        disk.fill();
        await pause();
        // Half of the time it is killed while it cannot write.
        const dies = next() < 0.5;
        if (dies) await onDisk.kill();
        disk.free();
        if (dies) await onDisk.start();
      },
    }),
  };
  if (disk === undefined) t.diagnostic("the disk is not filled: mounting one takes root");
  const kinds = Object.keys(troubles);
  // Each of them once, then whatever comes.
  const first = kinds.map((kind) => ({kind, at: next()})).sort((a, b) => a.at - b.at);
  const done: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const name = first[round]?.kind ?? pick(kinds);
    done.push(name);
    await troubles[name]?.();
  }
  for (const ledger of ledgers) ledger.stop();
  await writing;

  const stored = await Promise.all(receivers.map((r) => r.samples()));
  let acknowledged = 0;
  const lost: string[] = [];
  ledgers.forEach((ledger, w) => {
    acknowledged += ledger.acknowledged.length;
    for (let n = 0; n < SERIES; n++) {
      const i = String(w * SERIES + n);
      const copies = stored.map((samples) => samples.get(i)).filter((s) => s !== undefined);
      for (const time of ledger.acknowledged) {
        const values = copies.map((s) => s.get(time)).filter((v) => v !== undefined);
        if (values.length === 0) lost.push(`series ${i} at ${time}`);
        assert.ok(
          values.every((v) => v === Ledger.value(i, time)),
          `series ${i} at ${time}: ${values}`,
        );
      }
    }
  });
  const refused = ledgers.flatMap((l) => [...l.refused].map(([status, n]) => `${status}×${n}`)).join(" ");
  t.diagnostic(`${done.join(" ")}; ${acknowledged} writes acknowledged, refused: ${refused}`);
  assert.ok(acknowledged > 10, `only ${acknowledged} writes were acknowledged`);
  assert.equal(lost.length, 0, `lost ${lost.length}: ${lost.slice(0, 5).join(", ")}`);
});
