import {mkdtempSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {freePort, httpReady, type Server, spawnServer, type TestScope} from "@strata/base/testing";
import type {Program} from "./systems.ts";

/** A receiver under measurement: where it takes writes, answers the StoreAPI, and has its metrics. */
export type Receiver = Server & {readonly write: string; readonly grpc: string; readonly metrics: string};

/** As many receivers as copies, on one ring where there are several. */
export async function startReceivers(scope: TestScope, program: Program, copies: number): Promise<Receiver[]> {
  const grpc: string[] = [];
  for (let i = 0; i < copies; i++) grpc.push(`127.0.0.1:${await freePort()}`);
  const ring = [
    `--receive.hashrings=${JSON.stringify([{endpoints: grpc}])}`,
    "--receive.hashrings-algorithm=ketama",
    `--receive.replication-factor=${copies}`,
  ];
  return Promise.all(
    grpc.map(async (address, i) => {
      const dir = mkdtempSync(join(tmpdir(), "receive-bench-"));
      scope.after(() => rmSync(dir, {recursive: true, force: true}));
      const [http, write] = [await freePort(), await freePort()];
      const metrics = `http://127.0.0.1:${http}`;
      const server = await spawnServer(scope, {
        command: program.command,
        args: [
          ...[...program.args, "receive", ...program.flags],
          `--tsdb.path=${dir}`,
          `--label=replica="r${i}"`,
          `--http-address=127.0.0.1:${http}`,
          `--remote-write.address=127.0.0.1:${write}`,
          `--grpc-address=${address}`,
          `--receive.local-endpoint=${address}`,
          `--receive.capnproto-address=127.0.0.1:${await freePort()}`,
          ...(copies > 1 ? ring : []),
        ],
        cwd: dir,
        name: `${program.name} receive`,
        ready: httpReady(`${metrics}/-/ready`),
        deadlineMs: 120_000,
      });
      return Object.assign(server, {write: `127.0.0.1:${write}`, grpc: address, metrics});
    }),
  );
}

/** Floats that the receiver's heads have taken: so that a fast wrong answer does not look like a win. */
export async function appended(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  let total = 0;
  for (const [, value] of text.matchAll(
    /^prometheus_tsdb_head_samples_appended_total\{[^}]*type="float"[^}]*\} (\S+)$/gm,
  )) {
    total += Number(value);
  }
  return total;
}
