import {readdirSync, writeSync} from "node:fs";
import {join} from "node:path";
import {Labels, parseUlid} from "@strata/model";
import {readBlockMeta} from "../../block-reader.ts";
import {Head} from "../head.ts";
import {compactHead} from "../head-blocks.ts";

/*
 * Appends known samples until it is killed, compacting now and then, and prints "ack <n>" when commit n is durable as the
 * policy says, and "busy" when it begins to write blocks and to shorten its log. Commit n holds sample n of every series at
 * T0 + n steps with value n·1000 + series, and where n divides by 3 a late one half a step before.
 *
 *   node crash-child.ts DIR FIRST commit|periodic
 */

export const SERIES = 40;
export const T0 = 1_700_000_000_000;
/** A block range has twelve commits, so that the head is compacted, and its log cut, all the time. */
export const STEP = 600_000;
export const WINDOW = 3_600_000;
export const SEGMENT_BYTES = 64 * 1024;

export const seriesLabels = (i: number): Labels => Labels.fromObject({__name__: "crash", series: String(i)});

/** When the in-order blocks of a data directory end. */
export async function blocksEnd(dir: string): Promise<number> {
  let end = Number.NEGATIVE_INFINITY;
  for (const name of readdirSync(dir)) {
    if (parseUlid(name) === undefined) continue;
    const meta = await readBlockMeta(join(dir, name), {tsdbOnly: true});
    if (meta.compaction.hints.length === 0) end = Math.max(end, meta.maxTime);
  }
  return end;
}

/** Written before anything else happens: what the parent does not hear must not have been acknowledged. */
function say(text: string): void {
  for (;;) {
    try {
      writeSync(1, text);
      return;
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code !== "EAGAIN") throw err;
    }
  }
}

async function main(dir: string, first: number, sync: "commit" | "periodic"): Promise<void> {
  const head = await Head.open(dir, {
    minValidTime: await blocksEnd(dir),
    outOfOrderWindow: WINDOW,
    outOfOrderCap: 8,
    wal: {segmentBytes: SEGMENT_BYTES, compression: "snappy", sync},
  });
  let compacting: Promise<unknown> | undefined;
  for (let n = first; ; n++) {
    const app = head.appender();
    for (let i = 0; i < SERIES; i++) {
      const ref = app.seriesOf(seriesLabels(i));
      app.float(ref, T0 + n * STEP, n * 1000 + i);
    }
    await app.commit();
    if (n % 3 === 0 && n > 0) {
      const late = head.appender();
      for (let i = 0; i < SERIES; i++) late.float(late.seriesOf(seriesLabels(i)), T0 + n * STEP - STEP / 2, -n);
      await late.commit();
    }
    say(`ack ${n}\n`);
    if (compacting === undefined && head.isCompactable) {
      say("busy\n");
      // Once for every block: the log is shortened after each, and commits may keep this from ever ending.
      compacting = compactHead(head, dir, async () => say("busy\n")).finally(() => {
        compacting = undefined;
      });
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

if (process.argv[1] === import.meta.filename) {
  const [dir, first, sync] = process.argv.slice(2) as [string, string, "commit" | "periodic"];
  await main(dir, Number(first), sync);
}
