import {mkdirSync, readdirSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {freePort, httpReady, type requireTool, spawnServer, type TestScope, tempDir} from "@strata/base/testing";
import {uploadBlock} from "@strata/block";
import {snappyEncode} from "@strata/bytes";
import {encodeXorChunks} from "@strata/chunkenc";
import {compareLabels, Labels, newUlid} from "@strata/model";
import {bucketFromConfig} from "@strata/objstore";
import {prompb} from "@strata/proto";
import type {Queryable} from "@strata/series";
import {type SampleSeries, SampleStore, startStore} from "@strata/storeapi/testing";
import {BlockWriter, Db, EMPTY_THANOS_META} from "@strata/tsdb";
import type {BucketServer} from "./bucket-servers.ts";
import {endpointSeen, strata} from "./strata.ts";

/** A store that holds the data set under test: where its StoreAPI is, and the labels it adds to every series. */
export type Subject = {readonly address: string; readonly external: Readonly<Record<string, string>>};

const EXTERNAL = {region: "eu-west", replica: "r1"};
const BLOCK_MS = 7_200_000;
const never = new AbortController().signal;

/** Series as they are written to a store, which adds its external labels. */
export const withExternal = (series: readonly SampleSeries[], external: Subject["external"]): SampleSeries[] =>
  series.map(({labels, samples}) => ({labels: {...labels, ...external}, samples}));

/** The wire alone: what a test holds in memory. */
export async function memory(t: TestScope, series: readonly SampleSeries[], strips = true): Promise<Subject> {
  const info = () => ({
    componentType: "store",
    labelSets: [{labels: Object.entries(EXTERNAL).map(([name, value]) => ({name, value}))}],
    store: {minTime: 0, maxTime: 2 ** 63, supportsSharding: strips, supportsWithoutReplicaLabels: strips},
  });
  const model = new SampleStore(withExternal(series, EXTERNAL));
  const source = strips ? model : withoutAbilities(model);
  const {address} = await startStore(t, source, {info});
  return {address, external: EXTERNAL};
}

/** A store of the first Thanos: it knows nothing of shards and of labels to leave out. */
const withoutAbilities = (model: SampleStore): Queryable => ({
  select: (q, signal) => model.select({...q, withoutReplicaLabels: [], shard: undefined}, signal),
  labelNames: (q) => model.labelNames({...q, withoutReplicaLabels: []}),
  labelValues: (name, q) => model.labelValues(name, {...q, withoutReplicaLabels: []}),
});

async function writeBlock(
  dir: string,
  series: readonly SampleSeries[],
  start: number,
  external: object,
): Promise<void> {
  const ulid = newUlid(start + BLOCK_MS);
  const writer = await BlockWriter.create(dir, {ulid});
  const sorted = series
    .map(({labels, samples}) => ({labels: Labels.fromObject(labels), samples}))
    .sort((a, b) => compareLabels(a.labels, b.labels));
  for (const {labels, samples} of sorted) {
    writer.startSeries(labels);
    const [t, v] = [Float64Array.from(samples, (s) => s[0]), Float64Array.from(samples, (s) => s[1])];
    for (const c of encodeXorChunks({t, v, n: samples.length}, 0, samples.length, 10)) {
      await writer.addChunk(c.mint, c.maxt, c.encoding, c.data);
    }
    await writer.endSeries();
  }
  const thanos = {...EMPTY_THANOS_META, labels: {...external}, source: "test", segmentFiles: ["000001"]};
  await writer.finish({minTime: start, maxTime: start + BLOCK_MS, thanos});
}

/** A store gateway over a bucket that `open` makes, a directory if left out. */
export async function storeGateway(
  t: TestScope,
  series: readonly SampleSeries[],
  start: number,
  open?: (t: TestScope) => Promise<BucketServer>,
  more: readonly string[] = [],
): Promise<Subject> {
  const dir = tempDir(t);
  const blocks = join(dir, "blocks");
  mkdirSync(blocks);
  await writeBlock(blocks, series, start, EXTERNAL);
  const directory = `{type: FILESYSTEM, config: {directory: ${JSON.stringify(join(dir, "bucket"))}}}`;
  const config = open === undefined ? directory : (await open(t)).config;
  const bucket = await bucketFromConfig(config);
  const options = {hashFunc: "", concurrency: 1} as const;
  for (const name of readdirSync(blocks)) await uploadBlock(bucket, join(blocks, name), options, never);
  await bucket.close();
  const address = `127.0.0.1:${await freePort()}`;
  await strata(t, "store", [
    `--objstore.config=${config}`,
    `--data-dir=${join(dir, "data")}`,
    `--grpc-address=${address}`,
    "--grpc-grace-period=1s",
    ...more,
  ]);
  return {address, external: EXTERNAL};
}

export async function sidecar(
  t: TestScope,
  series: readonly SampleSeries[],
  start: number,
  prometheus: ReturnType<typeof requireTool>,
): Promise<Subject> {
  const dir = tempDir(t);
  const data = join(dir, "data");
  mkdirSync(data);
  await writeBlock(data, series, start, {});
  const port = await freePort();
  const config = join(dir, "prometheus.yml");
  writeFileSync(config, `global: {external_labels: ${JSON.stringify(EXTERNAL)}}\n`);
  await spawnServer(t, {
    command: prometheus.path,
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      "--storage.tsdb.retention.time=100y",
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    ready: httpReady(`http://127.0.0.1:${port}/-/ready`),
  });
  const address = `127.0.0.1:${await freePort()}`;
  const args = [`--prometheus.url=http://127.0.0.1:${port}`, `--grpc-address=${address}`, "--grpc-grace-period=1s"];
  await strata(t, "sidecar", args);
  return {address, external: EXTERNAL};
}

export async function database(t: TestScope, series: readonly SampleSeries[]): Promise<Subject> {
  const db = await Db.open(join(tempDir(t), "db"), {externalLabels: Labels.fromObject(EXTERNAL)});
  t.after(() => db.close());
  for (const {labels, samples} of series) {
    const app = db.head.appender();
    for (const [at, v] of samples) app.float(app.seriesOf(Labels.fromObject(labels)), at, v);
    await app.commit();
  }
  const {address} = await startStore(t, db);
  return {address, external: EXTERNAL};
}

export async function receive(t: TestScope, series: readonly SampleSeries[]): Promise<Subject> {
  const dir = tempDir(t);
  const address = `127.0.0.1:${await freePort()}`;
  const write = `127.0.0.1:${await freePort()}`;
  await strata(t, "receive", [
    `--tsdb.path=${join(dir, "data")}`,
    `--grpc-address=${address}`,
    "--grpc-grace-period=1s",
    `--remote-write.address=${write}`,
    "--tsdb.retention=0d",
    ...Object.entries(EXTERNAL).map(([name, value]) => `--label=${name}=${JSON.stringify(value)}`),
  ]);
  const timeseries = series.map(({labels, samples}) => ({
    labels: [...Labels.fromObject(labels)].map(([name, value]) => ({name, value})),
    samples: samples.map(([timestamp, value]) => ({timestamp, value})),
  }));
  const body = snappyEncode(prompb.WriteRequest.encode({timeseries}));
  const response = await fetch(`http://${write}/api/v1/receive`, {method: "POST", body: new Uint8Array(body)});
  if (!response.ok) throw new Error(`receive answers ${response.status}: ${await response.text()}`);
  return {address, external: {...EXTERNAL, tenant_id: "default-tenant"}};
}

/** A querier over a store, or over another querier. */
export async function proxy(t: TestScope, below: Subject, component: "store" | "query" = "store"): Promise<Subject> {
  const address = `127.0.0.1:${await freePort()}`;
  const args = [`--endpoint=${below.address}`, `--grpc-address=${address}`, "--grpc-grace-period=1s"];
  const server = await strata(t, "query", args);
  await endpointSeen(server.url, component, server);
  return {address, external: below.external};
}
