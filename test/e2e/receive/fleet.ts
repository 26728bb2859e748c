import {writeFileSync} from "node:fs";
import {join} from "node:path";
import {unlimited} from "@strata/base";
import {freePort, type Server, type TestScope, tempDir} from "@strata/base/testing";
import {decodeChunk} from "@strata/chunkenc";
import {matcher} from "@strata/model";
import type {Select} from "@strata/series";
import {GrpcClient, rpcMetrics, StoreClient} from "@strata/storeapi";
import {newRegistry} from "@strata/telemetry";
import {strata} from "../strata.ts";
import {type TcpGate, tcpGate} from "./tcp-gate.ts";

/** A receiver of a hashring: its place on the disk stays, its process comes and goes. */
export class Receiver {
  readonly #t: TestScope;
  readonly name: string;
  readonly #dir: string;
  readonly #grpcPort: number;
  readonly #writePort: number;
  readonly #ringFile: string;
  /** How its peers reach it. */
  readonly gate: TcpGate;
  #server: Server | undefined;

  private constructor(
    t: TestScope,
    name: string,
    ports: readonly [number, number],
    gate: TcpGate,
    dir: string,
    ringFile: string,
  ) {
    this.#t = t;
    this.name = name;
    [this.#grpcPort, this.#writePort] = ports;
    this.gate = gate;
    this.#dir = dir;
    this.#ringFile = ringFile;
  }

  /** `dir` is where it stores; a directory of its own when left out. */
  static async create(t: TestScope, name: string, ringFile: string, dir = tempDir(t)): Promise<Receiver> {
    const ports = [await freePort(), await freePort()] as const;
    const gate = await tcpGate(t, () => ports[0]);
    return new Receiver(t, name, ports, gate, dir, ringFile);
  }

  get isRunning(): boolean {
    return this.#server !== undefined;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#writePort}/api/v1/receive`;
  }

  async start(): Promise<void> {
    this.#server = await strata(this.#t, "receive", [
      `--tsdb.path=${join(this.#dir, "data")}`,
      `--label=receive_replica="${this.name}"`,
      `--remote-write.address=127.0.0.1:${this.#writePort}`,
      `--grpc-address=127.0.0.1:${this.#grpcPort}`,
      `--receive.local-endpoint=${this.gate.address}`,
      `--receive.hashrings-file=${this.#ringFile}`,
      "--receive.hashrings-algorithm=ketama",
      "--receive.replication-factor=3",
      "--receive-forward-timeout=2s",
      "--receive-forward-max-backoff=500ms",
      "--grpc-grace-period=1s",
      "--http-grace-period=1s",
    ]);
  }

  /** Ends it in the middle of whatever it does. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.kill();
  }

  /** Every sample of the ledger that it has, by the label `i`. */
  async samples(): Promise<Map<string, Map<number, number>>> {
    const all = await Receiver.read(this.#grpcPort);
    return new Map(
      [...all].map(([series, samples]) => [
        Object.fromEntries(JSON.parse(series) as [string, string][]).i ?? "",
        samples,
      ]),
    );
  }

  /** Every sample behind a StoreAPI, by the labels as sorted pairs (JSON), without external ones, and the time. */
  static async read(port: number): Promise<Map<string, Map<number, number>>> {
    const transport = new GrpcClient({address: `127.0.0.1:${port}`, metrics: rpcMetrics(newRegistry(), "client")});
    const all = new Map<string, Map<number, number>>();
    try {
      for await (const batch of new StoreClient(transport).select(EVERYTHING, AbortSignal.timeout(30_000))) {
        batch.labels.forEach((labels, row) => {
          const key = JSON.stringify([...labels]);
          const samples = all.get(key) ?? new Map<number, number>();
          all.set(key, samples);
          for (let c = batch.firstChunk[row] as number; c < (batch.firstChunk[row + 1] as number); c++) {
            const [encoding, at, length] = [batch.encoding[c], batch.offset[c], batch.length[c]] as number[];
            const decoded = decodeChunk(encoding as number, batch.bytes, at as number, length as number);
            if (decoded.kind !== "floats") throw new Error("histograms were not written");
            const {t, v, n} = decoded.columns;
            for (let k = 0; k < n; k++) samples.set(t[k] as number, v[k] as number);
          }
        });
      }
    } finally {
      transport.close();
    }
    return all;
  }
}

const EVERYTHING: Select = {
  matchers: [matcher("__name__", "=~", ".+")],
  mint: 0,
  maxt: Number.MAX_SAFE_INTEGER,
  step: 0,
  range: 0,
  func: "",
  maxResolution: 0,
  aggregates: [],
  withoutReplicaLabels: ["receive_replica", "tenant_id"],
  shard: undefined,
  skipChunks: false,
  limit: 0,
  partialResponse: false,
  budget: unlimited(),
};

/** Writes the hashring's file: these receivers, reached through their gates. */
export function writeRing(file: string, members: readonly Receiver[]): void {
  writeFileSync(file, JSON.stringify([{hashring: "ring", endpoints: members.map((r) => r.gate.address)}]));
}
