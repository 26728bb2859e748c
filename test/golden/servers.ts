import {cpSync} from "node:fs";
import {join} from "node:path";
import {freePort, goldenDir, type Server, type TestScope, tempDir} from "@strata/base/testing";
import {strata} from "../e2e/strata.ts";

/** A store gateway over a copy of the recorded bucket. `grpc`: its StoreAPI's address. */
export async function startStore(t: TestScope): Promise<{grpc: string; url: string; server: Server}> {
  const dir = tempDir(t);
  const bucket = join(dir, "bucket");
  cpSync(goldenDir("query", "storeapi", "bucket"), bucket, {recursive: true});
  const grpc = `127.0.0.1:${await freePort()}`;
  const server = await strata(t, "store", [
    `--objstore.config={type: FILESYSTEM, config: {directory: ${JSON.stringify(bucket)}}}`,
    `--data-dir=${join(dir, "data")}`,
    `--grpc-address=${grpc}`,
    "--grpc-grace-period=1s",
  ]);
  return {grpc, url: server.url, server};
}

/** A querier over `endpoints` with the flags of the recorded one. `grpc`: its StoreAPI's address. */
export async function startQuerier(
  t: TestScope,
  endpoints: readonly string[],
): Promise<{grpc: string; url: string; server: Server}> {
  const grpc = `127.0.0.1:${await freePort()}`;
  const server = await strata(t, "query", [
    ...endpoints.map((address) => `--endpoint=${address}`),
    `--grpc-address=${grpc}`,
    "--grpc-grace-period=1s",
    "--query.replica-label=replica",
    "--query.auto-downsampling",
  ]);
  return {grpc, url: server.url, server};
}
