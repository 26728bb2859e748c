import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {mkdirSync, readFileSync, statSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {freePort, repoRoot, tempDir} from "@strata/base/testing";
import {newUlid} from "@strata/model";
import {ask} from "./first-light/compare.ts";
import {BLOCK_MS, writeSmallBlock} from "./small-block.ts";
import {endpointSeen, strata, until} from "./strata.ts";

const example = join(repoRoot, "deploy/federation");
const HOST = "127.0.0.1";

type Refused = {readonly data: {readonly result: readonly unknown[]}; readonly warnings: readonly string[]};

test("a querier over two clusters' queriers asks them with the certificates of the example", async (t) => {
  const dir = tempDir(t);
  const tls = join(dir, "tls");
  execFileSync(join(example, "certificates.sh"), [tls, HOST]);
  for (const name of ["ca", "client", HOST]) {
    execFileSync("openssl", ["verify", "-CAfile", join(tls, "ca.crt"), join(tls, `${name}.crt`)]);
    assert.equal(statSync(join(tls, `${name}.key`)).mode & 0o077, 0, `${name}.key`);
  }
  const start = Math.floor(Date.now() / BLOCK_MS) * BLOCK_MS - BLOCK_MS;

  const cluster = async (name: string): Promise<string> => {
    const bucket = join(dir, name, "bucket");
    mkdirSync(bucket, {recursive: true});
    await writeSmallBlock(bucket, newUlid(start + BLOCK_MS), start, name);
    const store = `${HOST}:${await freePort()}`;
    await strata(t, "store", [
      `--data-dir=${join(dir, name, "store")}`,
      `--objstore.config={type: FILESYSTEM, config: {directory: ${bucket}}}`,
      `--grpc-address=${store}`,
    ]);
    const address = `${HOST}:${await freePort()}`;
    const {url} = await strata(t, "query", [
      ...[`--endpoint=${store}`, `--grpc-address=${address}`],
      ...[`--grpc-server-tls-cert=${join(tls, `${HOST}.crt`)}`, `--grpc-server-tls-key=${join(tls, `${HOST}.key`)}`],
      `--grpc-server-tls-client-ca=${join(tls, "ca.crt")}`,
    ]);
    await endpointSeen(url, "store");
    return address;
  };
  const [eu, us] = [await cluster("eu"), await cluster("us")];

  // The example as it is, but for names and paths.
  const config = readFileSync(join(example, "endpoints.yml"), "utf8")
    .replace("eu.strata.example.net:10901", eu)
    .replace("us.strata.example.net:10901", us)
    .replaceAll("/etc/strata/tls", tls);
  const file = join(dir, "endpoints.yml");
  writeFileSync(file, config);
  const querier = async (path: string) =>
    strata(t, "query", [`--endpoint.sd-config-file=${path}`, `--grpc-address=${HOST}:${await freePort()}`]);
  const global = await querier(file);
  const counted = async (url: string) => {
    const {data} = await ask(url, {query: "count by (cluster) (count_over_time(m[2h]))"}, start + BLOCK_MS - 1);
    return Object.fromEntries(data.result.map(({metric, value}) => [metric.cluster, value?.[1]]));
  };
  await until(async () => Object.keys(await counted(global.url)).length === 2, "both clusters", global);
  assert.deepEqual(await counted(global.url), {eu: "3", us: "3"});

  // Who has no certificate gets nothing, and is told so.
  const without = join(dir, "without.yml");
  writeFileSync(without, config.replace(/ +(cert|key)_file:.*\n/g, ""));
  const stranger = await querier(without);
  await until(() => stranger.logs().includes("endpoint does not answer"), "a refusal", stranger);
  const params = new URLSearchParams({query: "m", time: String((start + BLOCK_MS - 1) / 1000)});
  const {data, warnings} = (await (await fetch(`${stranger.url}/api/v1/query?${params}`)).json()) as Refused;
  assert.deepEqual(data.result, []);
  for (const address of [eu, us]) {
    assert.ok(
      warnings.some((text) => text.includes(address) && text.includes("certificate required")),
      warnings.join("\n"),
    );
  }
});
