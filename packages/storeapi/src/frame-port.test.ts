import assert from "node:assert/strict";
import {test} from "node:test";
import {MessageChannel, Worker} from "node:worker_threads";
import {StrataError, unlimited} from "@strata/base";
import {SeriesFrameWriter} from "@strata/series";
import {batchOf, collect, plain} from "@strata/series/testing";
import {receiveFrames, sendFrames} from "./frame-port.ts";
import type {FrameGroup} from "./frame-stream.ts";
import {storeBatches} from "./store-stream.ts";

const frame = (size: number, fill: number): Buffer => Buffer.alloc(size, fill);

async function* groupsOf(groups: readonly FrameGroup[], end?: () => void): AsyncGenerator<FrameGroup> {
  try {
    yield* groups;
  } finally {
    end?.();
  }
}

test("frames cross the port as they are; large ones are handed over, small ones leave their pool untouched", async () => {
  const large = Buffer.from(new ArrayBuffer(100_005)).subarray(5).fill(7);
  const small = [Buffer.from("pooled one"), Buffer.from("pooled two")];
  const {port1, port2} = new MessageChannel();
  const sent = sendFrames(port1, groupsOf([[small[0]!, large, small[1]!], [frame(20_000, 3)]]));
  const got: string[][] = [];
  for await (const group of receiveFrames(port2)) got.push(group.map((f) => `${f.length}:${f[0]}`));
  await sent;
  assert.deepEqual(got, [["10:112", "100000:7", "10:112"], ["20000:3"]]);
  assert.equal(large.length, 0, "its buffer went over");
  assert.equal(String(small[1]), "pooled two");
});

test("no more groups are taken than asked for, and the source is closed when the parser stops", async () => {
  let made = 0;
  let closed = false;
  async function* endless(): AsyncGenerator<FrameGroup> {
    try {
      for (;;) {
        made++;
        yield [frame(10, 1)];
      }
    } finally {
      closed = true;
    }
  }
  const {port1, port2} = new MessageChannel();
  const sent = sendFrames(port1, endless());
  const reader = receiveFrames(port2);
  await reader.next();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(made <= 3, `${made} groups for a reader that took one`);
  await reader.return();
  await sent;
  assert.equal(closed, true);
});

test("an error keeps its code, text and fields on the way", async () => {
  const {port1, port2} = new MessageChannel();
  // biome-ignore lint/correctness/useYield: fails before its first group
  async function* failing(): AsyncGenerator<FrameGroup> {
    throw new StrataError("unavailable", "store is down", {fields: {grpcCode: 14}});
  }
  const sent = sendFrames(port1, failing());
  await assert.rejects(collect(receiveFrames(port2) as never), {
    code: "unavailable",
    message: "store is down",
    fields: {grpcCode: 14},
  });
  await sent;
});

test("a sender that is gone is an error, not a wait for ever", async () => {
  const {port1, port2} = new MessageChannel();
  const reading = receiveFrames(port2).next();
  port1.close();
  await assert.rejects(reading, {code: "unavailable"});
});

test("a worker parses and merges what the main thread receives", async () => {
  const series = ["a", "b", "c"].map((n) => ({labels: {n}, chunks: [{mint: 0, maxt: 1, data: n.repeat(20_000)}]}));
  const frames = [...new SeriesFrameWriter({batchSeries: 1}).frames(batchOf(series))];
  const source = `
    import {parentPort, workerData} from "node:worker_threads";
    const {receiveFrames, storeBatches} = await import(workerData.index);
    const {mergeBatches} = await import(workerData.series);
    const {unlimited} = await import(workerData.base);
    parentPort.once("message", async ({ports, options}) => {
      const streams = ports.map((p) => storeBatches(receiveFrames(p), options, unlimited()));
      const rows = [];
      for await (const b of mergeBatches(streams)) for (const l of b.labels) rows.push(String(l));
      parentPort.postMessage(rows);
    });`;
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
    workerData: {
      index: import.meta.resolve("./index.ts"),
      series: import.meta.resolve("@strata/series"),
      base: import.meta.resolve("@strata/base"),
    },
  });
  const channels = [new MessageChannel(), new MessageChannel()];
  const options = {what: "s", source: 0, stripLabels: [], shard: undefined, partialResponse: true};
  const want = new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  worker.postMessage(
    {ports: channels.map((c) => c.port2), options},
    channels.map((c) => c.port2),
  );
  await Promise.all([
    sendFrames(channels[0]!.port1, groupsOf([[frames[0]!], [frames[2]!]])),
    sendFrames(channels[1]!.port1, groupsOf([[frames[1]!]])),
  ]);
  assert.deepEqual(await want, ['{n="a"}', '{n="b"}', '{n="c"}']);
  await worker.terminate();
});

test("the frames of a store give the same batches with and without a port between", async () => {
  const series = [1, 2, 3].map((n) => ({
    labels: {n: `${n}`},
    chunks: [{mint: n, maxt: n, data: "x".repeat(9000 * n)}],
  }));
  const make = (): Buffer[] => [...new SeriesFrameWriter({batchSeries: 1}).frames(batchOf(series))];
  const options = {what: "s", source: 0, stripLabels: [], shard: undefined, partialResponse: true};
  const {port1, port2} = new MessageChannel();
  const sent = sendFrames(port1, groupsOf(make().map((f) => [f])));
  const got = await collect(storeBatches(receiveFrames(port2), options, unlimited()));
  await sent;
  const direct = await collect(storeBatches(groupsOf([make()]), options, unlimited()));
  assert.deepEqual(plain(got).flat(), plain(direct).flat());
});
