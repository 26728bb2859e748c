// A Series stream over loopback, server in a thread of its own: raw frames, and parsed to batches. Frames of about
// 1 MiB (256 series of 24 chunks) and of one series each. `node store-stream.bench.ts`
import {isMainThread, parentPort, Worker} from "node:worker_threads";
import {Labels} from "@strata/model";
import {AGGREGATE, type Queryable, type SeriesBatch, SeriesBatchBuilder} from "@strata/series";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {type Compression, GrpcClient} from "./grpc-client.ts";
import {rpcMetrics} from "./grpc-metrics.ts";
import {GrpcServer} from "./grpc-server.ts";
import {StoreClient} from "./store-client.ts";
import {seriesRequest} from "./store-request.ts";
import {serveStore} from "./store-service.ts";
import {selectAll} from "./testing/index.ts";

const BATCHES = 128;
const SERIES = 256;
const CHUNKS = 24;
const CHUNK_BYTES = 160;

/** The same chunks again and again under other labels: the cost of making series is not what is measured. */
function source(): Queryable {
  const out = new SeriesBatchBuilder();
  // Half random, half constant: compresses about as chunks do.
  const data = Buffer.from(Array.from({length: CHUNK_BYTES}, (_, i) => (i % 2 ? 0 : (i * 167) & 255)));
  for (let s = 0; s < SERIES; s++) {
    out.startSeries(
      Labels.fromObject({__name__: "requests_total", instance: `10.0.0.${s + 100}:9100`, job: "node", zone: "a"}),
    );
    for (let c = 0; c < CHUNKS; c++)
      out.addChunk(1.7e12 + c * 7.2e6, 1.7e12 + c * 7.2e6 + 1e6, 1, 0, AGGREGATE.raw, data, 0, data.length);
  }
  const batch = out.finish();
  const named = Array.from({length: BATCHES}, (_, i) =>
    batch.labels.map((l) => l.extend(Labels.fromObject({__name__: `requests_${1000 + i}_total`}))),
  );
  const empty = async () => ({values: [], warnings: []});
  return {
    async *select(): AsyncGenerator<SeriesBatch> {
      for (const labels of named) yield {...batch, labels};
    },
    labelNames: empty,
    labelValues: empty,
  };
}

async function serve(): Promise<void> {
  const registry = newRegistry();
  const server = new GrpcServer({address: "127.0.0.1:0", registry, logger: nullLogger()});
  serveStore(server, {queryable: source(), info: () => ({}), registry});
  parentPort!.postMessage(await server.listen());
}

async function measure(): Promise<void> {
  const worker = new Worker(new URL(import.meta.url));
  const port = await new Promise<number>((resolve) => worker.once("message", resolve));
  const never = new AbortController().signal;
  const run = async (name: string, compression: Compression, batchSeries: number, parsed: boolean): Promise<void> => {
    const client = new GrpcClient({
      address: `127.0.0.1:${port}`,
      compression,
      metrics: rpcMetrics(newRegistry(), "client"),
    });
    const store = new StoreClient(client);
    let best = Number.POSITIVE_INFINITY;
    let cpu = Number.POSITIVE_INFINITY;
    let frames = 0;
    let bytes = 0;
    for (let i = 0; i < (batchSeries === 1 ? 3 : 8); i++) {
      const from = performance.now();
      const before = process.cpuUsage();
      frames = bytes = 0;
      const add = (size: number): void => {
        bytes += size;
        frames++;
      };
      if (parsed) for await (const b of store.select(selectAll(), never)) add(b.bytes.length);
      else {
        const groups = store.openSeries(seriesRequest(selectAll(), batchSeries), undefined, never);
        for await (const group of groups) for (const f of group) add(f.length);
      }
      best = Math.min(best, performance.now() - from);
      const used = process.cpuUsage(before);
      cpu = Math.min(cpu, (used.user + used.system) / 1000);
    }
    client.close();
    const mb = bytes / 1e6;
    const perFrame = ((best * 1000) / frames).toFixed(1);
    const size = (bytes / frames / 1024).toFixed(0);
    // Both sides' CPU: what is left of the figure on a machine that is busy with other things.
    console.log(
      `${name.padEnd(34)} ${((mb / best) * 1000).toFixed(0).padStart(5)} MB/s ${((mb / cpu) * 1000).toFixed(0).padStart(5)} MB per CPU-second (both sides)  ${perFrame} µs a frame of ${size} KiB`,
    );
  };
  await run("raw frames of 256 series", "none", 256, false);
  await run("parsed to batches", "none", 256, true);
  await run("raw frames of 64 series", "none", 64, false);
  await run("raw frames of one series", "none", 1, false);
  await run("raw frames of 256 series, snappy", "snappy", 256, false);
  await worker.terminate();
}

await (isMainThread ? measure() : serve());
