import assert from "node:assert/strict";
import {once} from "node:events";
import {mkdirSync, writeFileSync} from "node:fs";
import {get, type IncomingMessage} from "node:http";
import {join} from "node:path";
import {json} from "node:stream/consumers";
import {before, describe, test} from "node:test";
import {freePort, httpReady, requireTool, type Server, spawnServer, tempDir} from "@strata/base/testing";
import {newUlid} from "@strata/model";
import {health, info, reflectionV1, reflectionV1Alpha} from "@strata/proto";
import {GrpcClient, rpcMetrics} from "@strata/storeapi";
import {newRegistry} from "@strata/telemetry";
import {BLOCK_MS, writeSmallBlock} from "./small-block.ts";
import {endpointSeen, metricsOf, strata, suiteScope, until} from "./strata.ts";

type Started = Server & {readonly url: string};

/** What every component gives beside its own work; grace periods are the default two minutes. */
describe("servers of the components", () => {
  const scope = suiteScope();
  const dir = tempDir(scope);
  const bucket = join(dir, "bucket");
  const start = Math.floor(Date.now() / BLOCK_MS) * BLOCK_MS;
  const objstore = `type: FILESYSTEM\nconfig:\n  directory: ${bucket}\n`;
  const servers: Record<"store" | "query", Started> = {} as never;
  const grpc: Record<"store" | "query", string> = {} as never;
  const clients: GrpcClient[] = [];

  before(async () => {
    mkdirSync(bucket);
    await writeSmallBlock(bucket, newUlid(start + BLOCK_MS), start);
    for (const command of ["store", "query"] as const) grpc[command] = `127.0.0.1:${await freePort()}`;
    servers.store = await strata(scope, "store", [
      `--data-dir=${join(dir, "store")}`,
      `--objstore.config=${objstore}`,
      `--grpc-address=${grpc.store}`,
    ]);
    servers.query = await strata(scope, "query", [`--endpoint=${grpc.store}`, `--grpc-address=${grpc.query}`]);
    await endpointSeen(servers.query.url, "store", servers.store);
  });

  const client = (address: string): GrpcClient => {
    const made = new GrpcClient({address, metrics: rpcMetrics(newRegistry(), "client")});
    clients.push(made);
    return made;
  };
  const options = () => ({signal: AbortSignal.timeout(10_000)});

  for (const command of ["store", "query"] as const) {
    test(`${command}: probes, metrics and build information`, async () => {
      const {url} = servers[command];
      for (const probe of ["healthy", "ready"]) assert.equal((await fetch(`${url}/-/${probe}`)).status, 200);
      const metrics = await metricsOf(url);
      assert.equal(metrics(`thanos_status{check="ready",component="${command}"}`), 1);
      assert.equal(metrics(`thanos_status{check="healthy",component="${command}"}`), 1);
      assert.ok(metrics("process_resident_memory_bytes") > 1e7);
      const text = await (await fetch(`${url}/metrics`)).text();
      assert.ok(/^thanos_build_info\{[^}]*version="\d/m.test(text), "thanos_build_info");
      assert.ok(/^grpc_server_handled_total\{/m.test(text), "grpc_server_handled_total");
    });

    test(`${command}: a CPU profile is one that V8's tools open`, async () => {
      const response = await fetch(`${servers[command].url}/debug/pprof/profile?seconds=1`);
      assert.equal(response.status, 200);
      const profile = (await response.json()) as {nodes: unknown[]; startTime: number; endTime: number};
      assert.ok(profile.nodes.length > 1);
      assert.ok(profile.endTime - profile.startTime >= 900_000, "microseconds");
    });

    test(`${command}: gRPC says SERVING, and what it is`, async () => {
      const asked = client(grpc[command]);
      const {status} = await asked.unary(health.HealthService.Check, {service: ""}, options());
      assert.equal(status, health.ServingStatus.SERVING);
      const about = await asked.unary(info.InfoService.Info, {}, options());
      assert.equal(about.componentType, command);
      const labels = about.labelSets.map((set) => set.labels.map(({name, value}) => `${name}=${value}`).join());
      assert.ok(labels.includes("cluster=c"), `${JSON.stringify(labels)} ${servers.store.logs()}`);
      assert.equal(Number(about.store?.minTime), start);
    });

    test(`${command}: gRPC reflection lists the services and describes each, in both versions`, async () => {
      const asked = client(grpc[command]);
      for (const {ServerReflectionInfo} of [
        reflectionV1.ServerReflectionService,
        reflectionV1Alpha.ServerReflectionService,
      ]) {
        const names: string[] = [];
        for await (const reply of asked.stream(ServerReflectionInfo, {listServices: "*"}, options()))
          names.push(...(reply.listServicesResponse?.service ?? []).map(({name}) => name));
        for (const want of ["grpc.health.v1.Health", "thanos.Store", "thanos.info.Info"])
          assert.ok(names.includes(want), `${want} in ${names}`);
        for (const name of names) {
          for await (const reply of asked.stream(ServerReflectionInfo, {fileContainingSymbol: name}, options()))
            assert.ok((reply.fileDescriptorResponse?.fileDescriptorProto.length ?? 0) > 0, name);
        }
      }
    });
  }

  test("a request under way is answered before SIGTERM ends the process", async () => {
    const server = await strata(scope, "query", [`--grpc-address=127.0.0.1:${await freePort()}`]);
    const request = get(`${server.url}/debug/pprof/profile?seconds=1`);
    await once(request, "finish");
    // It is sent: once later ones are answered the server has it, too.
    for (let i = 0; i < 2; i++) await (await fetch(`${server.url}/-/ready`)).text();
    const ended = server.stop();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    assert.equal(response.statusCode, 200);
    assert.ok((await json(response)) instanceof Object);
    assert.equal(await ended, 0);
  });

  test("SIGTERM ends store and query with 0 while connections stand between them and to them", async () => {
    // Kept alive by the pool of fetch, and by the clients of the tests before.
    for (const {url} of Object.values(servers)) await (await fetch(`${url}/-/ready`)).text();
    assert.ok(clients.length > 0);
    assert.equal(await servers.store.stop(), 0, servers.store.logs());
    await until(
      async () => {
        const answer = await (await fetch(`${servers.query.url}/api/v1/stores`)).json();
        const {data} = answer as {data: Record<string, {lastError: string | null}[]>};
        return Object.values(data)
          .flat()
          .every((endpoint) => endpoint.lastError !== null);
      },
      "the querier to notice that the store is gone",
      servers.query,
    );
    assert.equal(await servers.query.stop(), 0, servers.query.logs());
    assert.match(servers.query.logs(), /msg=exiting component=query/);
    for (const one of clients) one.close();
  });

  test("a sidecar whose Prometheus is away is healthy, not ready, and ends with 0 on SIGTERM", async () => {
    const server = await strata(
      scope,
      "sidecar",
      [
        `--prometheus.url=http://127.0.0.1:${await freePort()}`,
        `--tsdb.path=${dir}`,
        `--grpc-address=127.0.0.1:${await freePort()}`,
      ],
      {ready: (port) => httpReady(`http://127.0.0.1:${port}/-/healthy`)()},
    );
    assert.equal((await fetch(`${server.url}/-/ready`)).status, 503);
    assert.equal(await server.stop(), 0, server.logs());
  });

  const prometheus = requireTool("prometheus");
  test("a sidecar beside its Prometheus ends with 0 on SIGTERM", {skip: prometheus.skip}, async () => {
    const port = await freePort();
    const config = join(dir, "prometheus.yml");
    writeFileSync(config, "global:\n  external_labels:\n    cluster: d\n");
    await spawnServer(scope, {
      command: prometheus.path,
      args: [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(dir, "prometheus")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--storage.tsdb.min-block-duration=2h",
        "--storage.tsdb.max-block-duration=2h",
      ],
      ready: httpReady(`http://127.0.0.1:${port}/-/ready`),
    });
    const address = `127.0.0.1:${await freePort()}`;
    const server = await strata(scope, "sidecar", [
      `--prometheus.url=http://127.0.0.1:${port}`,
      `--tsdb.path=${join(dir, "prometheus")}`,
      `--objstore.config=${objstore}`,
      `--grpc-address=${address}`,
    ]);
    const asked = client(address);
    const about = await asked.unary(info.InfoService.Info, {}, options());
    assert.deepEqual(
      about.labelSets[0]?.labels.map(({name, value}) => [name, value]),
      [["cluster", "d"]],
    );
    assert.equal((await metricsOf(server.url))("thanos_sidecar_prometheus_up"), 1);
    assert.equal(await server.stop(), 0, server.logs());
    asked.close();
  });
});
