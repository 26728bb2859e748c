import assert from "node:assert/strict";
import {after, describe, test} from "node:test";
import {StrataError} from "@strata/base";
import {encodeXorChunks} from "@strata/chunkenc";
import {Labels} from "@strata/model";
import {AGGREGATE, SeriesBatchBuilder, SeriesFrameWriter} from "@strata/series";
import type {OpenedStore} from "@strata/storeapi";
import type {Job} from "./messages.ts";
import {runJob} from "./query-runner.ts";
import type {StreamOpener} from "./select-server.ts";
import {warmUp} from "./warm-up.ts";
import {WorkerPool} from "./worker-pool.ts";

const STEP = 15_000;
const never = new AbortController().signal;
const pool = new WorkerPool(2, new URL("./worker-entry.ts", import.meta.url));
after(() => pool.close());

/** One endpoint with `series` counters of `samples` samples, which go up by one a second from t = 0. */
function endpoint(series: number, samples: number, seen: {frames: number} = {frames: 0}): StreamOpener {
  return (q) => [
    {
      options: {what: "test", source: 0, stripLabels: [], shard: undefined, partialResponse: false},
      groups: (async function* () {
        for (let i = 0; i < series; i++) {
          const builder = new SeriesBatchBuilder();
          builder.startSeries(Labels.fromObject({__name__: q.matchers[0]?.value ?? "", i: String(i).padStart(6, "0")}));
          const t = Float64Array.from({length: samples}, (_, k) => k * STEP);
          const v = t.map((x) => x / 1000);
          for (const c of encodeXorChunks({t, v, n: samples})) {
            builder.addChunk(c.mint, c.maxt, c.encoding, 0, AGGREGATE.raw, c.data, 0, c.data.length);
          }
          const writer = new SeriesFrameWriter({batchSeries: 1, hashes: false, headroom: 0});
          for (const frame of writer.frames(builder.finish())) {
            seen.frames++;
            yield [frame];
          }
        }
      })(),
    },
  ];
}

/** One endpoint that never says anything. */
const silent = (asked: () => void): StreamOpener => {
  const [first] = endpoint(0, 0)({matchers: []} as never, never);
  return () => {
    queueMicrotask(asked);
    const groups = (async function* () {
      await new Promise(() => {});
      yield [];
    })();
    return [{options: (first as OpenedStore).options, groups}];
  };
};

const job = (query: string, end = 3_600_000, step = 60_000): Job => ({
  query,
  params: {start: 0, end, step},
  parse: {},
  options: {},
  shard: undefined,
  tenant: undefined,
});

async function json(query: string, open: StreamOpener, signal = never): Promise<unknown> {
  const answer = await runJob(pool, job(query), open, signal);
  const parts: Uint8Array[] = [];
  for await (const piece of answer.result) parts.push(piece);
  return JSON.parse(Buffer.concat(parts).toString("utf8"));
}

describe("a query on a worker", () => {
  test("answers from the raw frames of its endpoints", async () => {
    const result = (await json("sum(x)", endpoint(10, 241))) as {values: [number, string][]}[];
    assert.equal(result.length, 1);
    assert.deepEqual(result[0]?.values.at(-1), [3600, "36000"]);
  });

  test("passes errors with their code and text", async () => {
    await assert.rejects(
      json("sum(", endpoint(1, 1)),
      (err) => err instanceof StrataError && err.code === "bad_data" && /parse error/.test(err.message),
    );
  });

  test("fails when its selection is refused", async () => {
    const refuse: StreamOpener = () => {
      throw new StrataError("unavailable", "no endpoint");
    };
    await assert.rejects(json("x", refuse), (err) => err instanceof StrataError && err.code === "unavailable");
  });

  test("reads more frames than may be under way at a time", async () => {
    const seen = {frames: 0};
    const result = (await json("count(x)", endpoint(3000, 2000, seen))) as {values: [number, string][]}[];
    assert.equal(seen.frames, 3000);
    assert.equal(result[0]?.values.at(0)?.[1], "3000");
  });

  test("is cancelled while it waits for series, and the worker serves the next job", async () => {
    const abort = new AbortController();
    const stuck = silent(() => abort.abort(new StrataError("canceled", "the client left")));
    await assert.rejects(
      json("x", stuck, abort.signal),
      (err) => err instanceof StrataError && err.code === "canceled",
    );
    assert.ok(await json("x", endpoint(1, 10)));
  });

  test("a client that leaves the answer early frees the worker", async () => {
    const answer = await runJob(pool, job("x"), endpoint(2000, 241), never);
    for await (const _ of answer.result) break;
    assert.ok(await json("x", endpoint(1, 10)));
  });

  test("jobs beyond the number of workers wait their turn", async () => {
    const answers = await Promise.all(Array.from({length: 7}, () => json("count(x)", endpoint(3, 241))));
    for (const a of answers as {values: [number, string][]}[][]) assert.equal(a[0]?.values.at(-1)?.[1], "3");
    assert.equal(pool.busy, 0);
  });

  test("warming up leaves the workers free", async () => {
    await warmUp(pool, never);
    assert.equal(pool.busy, 0);
    assert.ok(await json("x", endpoint(1, 10)));
  });

  test("a job that waits can be cancelled", async () => {
    const hold = new AbortController();
    const stuck = silent(() => {});
    const held = [1, 2].map(() => assert.rejects(json("x", stuck, hold.signal), /over/));
    const abort = new AbortController();
    const waiting = json("x", endpoint(1, 1), abort.signal);
    assert.equal(pool.waiting, 1);
    abort.abort(new StrataError("canceled", "left"));
    await assert.rejects(waiting, /left/);
    assert.equal(pool.waiting, 0);
    hold.abort(new StrataError("canceled", "over"));
    await Promise.all(held);
  });
});
