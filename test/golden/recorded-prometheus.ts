import http from "node:http";
import type {AddressInfo} from "node:net";
import {freePort, type TestScope} from "@strata/base/testing";
import {strata, until} from "../e2e/strata.ts";
import type {HttpExchange} from "./http-exchange.ts";

/**
 * A sidecar beside a stand-in for Prometheus that answers what the real one was recorded to answer; it holds no series.
 * Gives the address of its StoreAPI.
 */
export async function startRecordedSidecar(t: TestScope, captures: readonly HttpExchange[]): Promise<string> {
  const own = captures.filter((c) => c.server === "prometheus_live");
  const server = http.createServer((req, res) => {
    const {pathname, search} = new URL(req.url ?? "", "http://x");
    const found =
      own.find((c) => c.path === pathname && key(c.query ?? c.body ?? "") === key(search)) ??
      own.find((c) => c.path === pathname && c.path.startsWith("/api/v1/status/"));
    req.resume();
    if (found !== undefined) res.writeHead(found.status, {"content-type": "application/json"}).end(found.response);
    else if (pathname === "/metrics") res.end("prometheus_tsdb_lowest_timestamp_seconds 1.795378608e+09\n");
    else if (pathname === "/api/v1/read") res.setHeader("content-type", STREAMED).end();
    else res.setHeader("content-type", "application/json").end('{"status":"success","data":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const grpc = `127.0.0.1:${await freePort()}`;
  const sidecar = await strata(t, "sidecar", [
    `--prometheus.url=http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    `--grpc-address=${grpc}`,
    "--grpc-grace-period=1s",
  ]);
  const ready = async () => (await fetch(`${sidecar.url}/-/ready`)).ok;
  await until(ready, "the sidecar to be ready", sidecar);
  return grpc;
}

const STREAMED = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse";

/** Parameters in any order. What selects a metric of exemplars is the name alone. */
function key(query: string): string {
  const params = new URLSearchParams(query);
  const metric = /__name__="(\w+)"/.exec(params.get("query") ?? "")?.[1];
  if (metric !== undefined) params.set("query", metric);
  params.sort();
  return params.toString();
}
