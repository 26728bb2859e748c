import {cpSync} from "node:fs";
import {join} from "node:path";
import {freePort, goldenDir, type Server, type TestScope, tempDir} from "@strata/base/testing";
import {strata, until} from "../e2e/strata.ts";

type Store = {grpc: string; url: string; server: Server};

/** A store gateway over a copy of the recorded bucket. `grpc`: its StoreAPI's address. */
export function startStore(t: TestScope): Promise<Store> {
  const bucket = join(tempDir(t), "bucket");
  cpSync(goldenDir("query", "storeapi", "bucket"), bucket, {recursive: true});
  return startStoreOver(t, bucket);
}

/** A store gateway over the directory `bucket`. */
export async function startStoreOver(t: TestScope, bucket: string): Promise<Store> {
  const grpc = `127.0.0.1:${await freePort()}`;
  const server = await strata(t, "store", [
    `--objstore.config={type: FILESYSTEM, config: {directory: ${JSON.stringify(bucket)}}}`,
    `--data-dir=${join(tempDir(t), "data")}`,
    `--grpc-address=${grpc}`,
    "--grpc-grace-period=1s",
  ]);
  return {grpc, url: server.url, server};
}

/** A querier with `flags` that sees the store at `store`. `grpc`: its StoreAPI's address. */
export async function startQuerier(
  t: TestScope,
  store: string,
  flags: readonly string[],
): Promise<{grpc: string; url: string; server: Server}> {
  const grpc = `127.0.0.1:${await freePort()}`;
  const args = [`--endpoint=${store}`, `--grpc-address=${grpc}`, "--grpc-grace-period=1s", ...flags];
  const server = await strata(t, "query", args);
  const connected = async () => (await (await fetch(`${server.url}/api/v1/stores`)).text()).includes(`"${store}"`);
  await until(connected, "the querier to see the store", server);
  return {grpc, url: server.url, server};
}
