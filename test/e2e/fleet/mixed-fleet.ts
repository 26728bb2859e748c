import assert from "node:assert/strict";
import {mkdirSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {freePort, httpReady, requireTool, spawnServer, type TestScope, tempDir} from "@strata/base/testing";
import {type CacheServer, startCacheServer} from "@strata/cache/testing";
import {Alertmanager} from "../rule/fleet.ts";
import {strataEnds} from "../strata.ts";
import {Encryption} from "./encryption.ts";
import {type ComponentPart, componentPart, Part, prometheusPart} from "./part.ts";
import type {Truth} from "./truth.ts";

/** Length of the blocks of everything that makes some: short, so that they reach the bucket within the test. */
const BLOCK = "20s";

const RULES = `groups:
- name: clock
  interval: 1s
  rules:
  - {record: clock, expr: vector(time())}
- name: truth
  interval: 1s
  partial_response_strategy: warn
  rules:
  - {record: "truth:max", expr: max(truth_total)}
  # An answer of which the input is missing does not end an alert: it may be the one that only a slow sidecar has.
  - {alert: Raised, expr: max by (name) (input) > 0, keep_firing_for: 15s}
`;

/** Each alert by itself, told at once and only once. */
const ROUTING = "route: {receiver: all, group_by: [...], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}\n";

/**
 * Everything that a site may run of Strata, with the real programs around it: a Prometheus pair with sidecars, a ring
 * of three receivers, two shards of stores and a compactor over an S3 server, a ruler that stores and one that writes
 * to the receivers, two queriers, a front-end with its caches, Alertmanager; where there is a `thanos`, its querier and
 * store as well. All gRPC asks for certificates; all HTTP but
 * that of the S3 server is encrypted.
 */
export class MixedFleet {
  readonly #t: TestScope;
  readonly #dir: string;
  readonly #encryption: Encryption;
  readonly #truth: Truth;
  /** All processes of Strata and of Prometheus, by name, in the order in which they are started. */
  readonly parts = new Map<string, Part>();
  readonly caches = new Map<string, CacheServer>();
  #manager: Alertmanager | undefined;
  #s3: Part | undefined;
  #objstore = "";

  private constructor(t: TestScope, truth: Truth) {
    this.#t = t;
    this.#dir = tempDir(t);
    this.#encryption = new Encryption(join(this.#dir, "certificates"));
    this.#truth = truth;
  }

  /** Starts everything. */
  static async start(t: TestScope, truth: Truth): Promise<MixedFleet> {
    const fleet = new MixedFleet(t, truth);
    // At once: nobody waits for the good end of a dozen programs.
    t.after(async () => void (await Promise.all([...fleet.parts.values()].map((part) => part.kill()))));
    const target = new URL(await truth.expose(t)).host;
    await Promise.all([
      fleet.#startBucket(),
      fleet.#startAlertmanager(),
      ...(["redis-server", "memcached"] as const).map(async (kind) => {
        fleet.caches.set(kind, await startCacheServer(t, kind));
      }),
    ]);
    for (const replica of ["a", "b"]) await fleet.#addPrometheus(replica, target);
    await fleet.#addComponents();
    await Promise.all([...fleet.parts.values()].map((part) => part.start()));
    return fleet;
  }

  get manager(): Alertmanager {
    return this.#manager as Alertmanager;
  }

  get s3(): Part {
    return this.#s3 as Part;
  }

  /** What can befall the fleet, by whom it befalls: how it begins to be away, and comes back. */
  troubles(): Map<string, {readonly end: () => Promise<void>; readonly begin: () => Promise<void>}> {
    const troubles = new Map(
      [...this.parts].map(([name, part]) => [name, {end: () => part.kill(), begin: () => part.start()}]),
    );
    for (const [name, cache] of this.caches) {
      troubles.set(name, {end: async () => void (await cache.process().kill()), begin: () => cache.restart()});
    }
    troubles.set("alertmanager", {end: () => this.manager.end(), begin: () => this.manager.begin()});
    // It has everything in memory: killed, it would be empty.
    troubles.set("s3", {end: async () => this.s3.freeze(), begin: async () => this.s3.thaw()});
    return troubles;
  }

  /** Where queries may be sent. */
  get doors(): readonly Part[] {
    return [...this.all("query-"), ...this.all("go-query")];
  }

  part(name: string): Part {
    const part = this.parts.get(name);
    if (part === undefined) throw new Error(`no part is named ${name}`);
    return part;
  }

  /** The parts whose names begin so. */
  all(prefix: string): Part[] {
    return [...this.parts.values()].filter(({name}) => name.startsWith(prefix));
  }

  /** Where remote write goes. */
  readonly writeUrls: string[] = [];

  async #startBucket(): Promise<void> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    this.#s3 = new Part({name: "s3", url, grpc: undefined, dir: this.#dir}, () =>
      spawnServer(this.#t, {
        command: requireTool("moto").path,
        args: ["-H", "127.0.0.1", "-p", String(port)],
        ready: httpReady(`${url}/moto-api/`),
      }),
    );
    await this.#s3.start();
    assert.ok((await fetch(`${url}/fleet`, {method: "PUT"})).ok);
    this.#objstore = JSON.stringify({
      type: "S3",
      config: {
        bucket: "fleet",
        endpoint: new URL(url).host,
        region: "us-east-1",
        access_key: "test",
        secret_key: "test",
        insecure: true,
      },
    });
    await Promise.all(["a", "b"].map((replica) => this.#uploadHistory(replica)));
  }

  /** The history as the sidecars would have uploaded it; of replica b much is missing. */
  async #uploadHistory(replica: string): Promise<void> {
    const dir = join(this.#dir, `history-${replica}`);
    mkdirSync(dir);
    await this.#truth.writeHistory(dir, replica === "b");
    const labels = ['--label=cluster="mixed"', `--label=replica="${replica}"`];
    const args = ["tools", "bucket", "upload-blocks", `--path=${dir}`, `--objstore.config=${this.#objstore}`];
    const {code, err} = await strataEnds([...args, ...labels]);
    assert.equal(code, 0, err);
  }

  async #startAlertmanager(): Promise<void> {
    const path = requireTool("alertmanager").path;
    const {webConfig} = this.#encryption;
    this.#manager = await Alertmanager.start(this.#t, path, this.#dir, {routing: ROUTING, webConfig});
  }

  async #addPrometheus(replica: string, target: string): Promise<void> {
    const name = `prometheus-${replica}`;
    const prometheus = await prometheusPart(this.#t, name, {
      config: {
        global: {scrape_interval: "1s", external_labels: {cluster: "mixed", replica}},
        scrape_configs: [{job_name: "truth", static_configs: [{targets: [target]}]}],
      },
      webConfig: this.#encryption.webConfig,
      flags: [`--storage.tsdb.min-block-duration=${BLOCK}`, `--storage.tsdb.max-block-duration=${BLOCK}`],
    });
    this.parts.set(name, prometheus);
    await this.#add(`sidecar-${replica}`, "sidecar", () => [
      `--prometheus.url=${prometheus.url}`,
      `--prometheus.http-client=${JSON.stringify(this.#encryption.httpClient)}`,
      `--tsdb.path=${prometheus.dir}`,
      `--objstore.config=${this.#objstore}`,
    ]);
  }

  async #addComponents(): Promise<void> {
    await this.#addReceivers();
    const cache = (kind: string): string => (this.caches.get(kind) as CacheServer).address;
    const caches = [
      {type: "MEMCACHED", config: {addresses: [cache("memcached")]}},
      {type: "REDIS", config: {addr: cache("redis-server")}},
    ];
    for (const [shard, indexCache] of caches.entries()) {
      const relabel = [
        {source_labels: ["__block_id"], action: "hashmod", modulus: 2, target_label: "shard"},
        {source_labels: ["shard"], action: "keep", regex: String(shard)},
      ];
      await this.#add(`store-${shard}`, "store", ({dir}) => [
        `--data-dir=${dir}`,
        `--objstore.config=${this.#objstore}`,
        `--selector.relabel-config=${JSON.stringify(relabel)}`,
        `--index-cache.config=${JSON.stringify(indexCache)}`,
        "--sync-block-duration=2s",
        "--ignore-deletion-marks-delay=20s",
      ]);
    }
    if (!requireTool("thanos").skip) {
      await this.#add("go-store", "store", ({dir}) => [
        `--data-dir=${dir}`,
        `--objstore.config=${this.#objstore}`,
        "--sync-block-duration=2s",
        "--ignore-deletion-marks-delay=20s",
      ]);
    }
    await this.#add(
      "compact",
      "compact",
      ({dir}) => [
        `--data-dir=${dir}`,
        `--objstore.config=${this.#objstore}`,
        "--wait",
        "--wait-interval=5s",
        "--consistency-delay=0s",
        "--delete-delay=45s",
        "--compact.cleanup-interval=5s",
        "--deduplication.replica-label=replica",
        "--deduplication.replica-label=receive_replica",
      ],
      false,
    );
    await this.#addQueriers();
    await this.#addRulers();
    const tripper = JSON.stringify(this.#encryption.httpClient);
    await this.#add(
      "query-frontend",
      "query-frontend",
      () => [
        `--query-frontend.downstream-url=${this.part("query-a").url}`,
        `--query-frontend.downstream-tripper-config=${tripper}`,
        `--query-range.response-cache-config=${JSON.stringify({type: "REDIS", config: {addr: cache("redis-server")}})}`,
        `--labels.response-cache-config=${JSON.stringify({type: "MEMCACHED", config: {addresses: [cache("memcached")]}})}`,
        "--query-range.split-interval=4h",
        "--query-range.max-retries-per-request=2",
        "--query.max-retries-per-request=2",
      ],
      false,
    );
  }

  async #addReceivers(): Promise<void> {
    const ring = join(this.#dir, "ring.json");
    const {server, client} = this.#encryption;
    for (const n of ["0", "1", "2"]) {
      const write = `127.0.0.1:${await freePort()}`;
      this.writeUrls.push(`https://${write}/api/v1/receive`);
      await this.#add(`receive-${n}`, "receive", ({grpc, dir}) => [
        `--tsdb.path=${dir}`,
        '--label=cluster="mixed"',
        `--label=receive_replica="${n}"`,
        `--tsdb.min-block-duration=${BLOCK}`,
        `--tsdb.max-block-duration=${BLOCK}`,
        `--objstore.config=${this.#objstore}`,
        `--remote-write.address=${write}`,
        `--remote-write.server-tls-cert=${server.cert}`,
        `--remote-write.server-tls-key=${server.key}`,
        "--remote-write.client-tls-secure",
        `--remote-write.client-tls-ca=${client.ca}`,
        `--remote-write.client-tls-cert=${client.cert}`,
        `--remote-write.client-tls-key=${client.key}`,
        `--receive.local-endpoint=${grpc}`,
        `--receive.hashrings-file=${ring}`,
        "--receive.hashrings-algorithm=ketama",
        "--receive.replication-factor=3",
        "--receive-forward-timeout=2s",
        "--receive-forward-max-backoff=500ms",
      ]);
    }
    writeFileSync(ring, JSON.stringify([{hashring: "ring", endpoints: this.all("receive-").map(({grpc}) => grpc)}]));
  }

  /** To querier b nothing is strict: it leaves out what is away, and has to say so all the same. */
  async #addQueriers(): Promise<void> {
    const endpoints = (strict: boolean) =>
      ["sidecar-", "receive-", "store-", "go-store", "rule-stateful"].flatMap((kind) =>
        this.all(kind).map(({grpc}) => ({address: grpc, strict})),
      );
    const client = this.#encryption.grpcClient;
    const names = ["query-a", "query-b", ...(requireTool("thanos").skip ? [] : ["go-query"])];
    for (const name of names) {
      const config = () => ({default_client_config: client, endpoints: endpoints(name !== "query-b")});
      await this.#add(name, "query", () => [
        `--endpoint.sd-config=${JSON.stringify(config())}`,
        "--endpoint.info-timeout=2s",
        "--store.response-timeout=5s",
        "--query.replica-label=replica",
        "--query.replica-label=receive_replica",
      ]);
    }
  }

  async #addRulers(): Promise<void> {
    const rules = join(this.#dir, "rules.yml");
    writeFileSync(rules, RULES);
    const {httpClient} = this.#encryption;
    const host = ({url}: {readonly url: string}): string => new URL(url).host;
    const queriers = [
      {
        scheme: "https",
        http_config: httpClient,
        static_configs: [this.part("query-a"), this.part("query-b")].map(host),
      },
    ];
    const managers = {
      alertmanagers: [{scheme: "https", http_config: httpClient, static_configs: [host(this.manager)]}],
    };
    const args = (dir: string, kind: string): string[] => [
      `--data-dir=${dir}`,
      `--rule-file=${rules}`,
      `--query.config=${JSON.stringify(queriers)}`,
      `--alertmanagers.config=${JSON.stringify(managers)}`,
      '--label=cluster="mixed"',
      `--label=ruler="${kind}"`,
      "--alert.label-drop=ruler",
      // Alertmanager forgets an alert after four times this: longer than any restart.
      "--resend-delay=15s",
    ];
    await this.#add("rule-stateful", "rule", ({dir}) => [
      ...args(dir, "stateful"),
      `--tsdb.block-duration=${BLOCK}`,
      `--objstore.config=${this.#objstore}`,
    ]);
    const remote = {remote_write: [{url: this.writeUrls[0], ...httpClient, queue_config: {batch_send_deadline: "1s"}}]};
    await this.#add("rule-stateless", "rule", ({dir}) => [
      ...args(dir, "stateless"),
      `--remote-write.config=${JSON.stringify(remote)}`,
    ]);
  }

  async #add(name: string, command: string, args: ComponentPart["args"], hasGrpc = true): Promise<void> {
    const {grpcServer, webConfig} = this.#encryption;
    const program = name.startsWith("go-") ? requireTool("thanos").path : undefined;
    const own = [`--http.config=${webConfig}`, ...(hasGrpc ? grpcServer : [])];
    const all: ComponentPart["args"] = (place) => [...args(place), ...own];
    this.parts.set(name, await componentPart(this.#t, {name, command, hasGrpc, program, args: all}));
  }
}
