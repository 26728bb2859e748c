import {parentPort, workerData} from "node:worker_threads";
import {must, toWireError} from "@strata/base";
import {KernelArena} from "@strata/kernels";
import {BlockReader} from "@strata/tsdb/blocks";
import {SeriesDownsampler} from "./downsample-series.ts";
import {type FromThread, type ThreadTask, WAITING_PIECES} from "./downsample-thread.ts";
import {openPart} from "./open-part.ts";
import {buffersOf, PieceBuilder} from "./series-piece.ts";
import {PartClaims} from "./shared-parts.ts";

/** Handed over at once. */
const PIECE_BYTES = 256 * 1024;

const port = must(parentPort, "no parent thread");
let waiting = 0;
let wake: (() => void) | undefined;
port.on("message", () => {
  waiting--;
  wake?.();
});

function send(message: FromThread, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

async function room(): Promise<void> {
  while (waiting >= WAITING_PIECES) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

/** Downsamples odd parts until none is left that the writer has not begun. */
async function work({dir, from, to, seriesOfPart, claims: memory}: ThreadTask): Promise<void> {
  const claims = new PartClaims(memory);
  const block = await BlockReader.open(dir);
  const arena = new KernelArena("downsampling");
  try {
    const ids = await block.index.all();
    const downsampler = new SeriesDownsampler(dir, from, to, arena);
    for (let part = 1; part < claims.parts; part += 2) {
      if (!claims.claim(part)) continue;
      const builder = new PieceBuilder();
      const flush = async (): Promise<void> => {
        await room();
        waiting++;
        const piece = builder.take();
        send({kind: "piece", part, piece}, buffersOf(piece));
      };
      const sink = {
        start: (refs: readonly number[]) => builder.start(refs),
        chunk: (mint: number, maxt: number, data: Uint8Array) => builder.chunk(mint, maxt, data),
        end: () => {
          builder.end();
          return builder.bytes >= PIECE_BYTES ? flush() : undefined;
        },
      };
      await downsampler.run(await openPart(block, ids, part, seriesOfPart), sink, undefined);
      if (builder.bytes > 0) await flush();
      send({kind: "done", part});
    }
  } finally {
    arena.close();
    await block.close();
  }
}

work(workerData as ThreadTask).then(
  // The writer ends the thread once it has all.
  () => {},
  (err: unknown) => send({kind: "failed", error: toWireError(err)}),
);
