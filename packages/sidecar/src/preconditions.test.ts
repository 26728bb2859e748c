import assert from "node:assert/strict";
import {test} from "node:test";
import {parseHttpClientConfig} from "@strata/http-client";
import {nullLogger} from "@strata/telemetry";
import {checkFlags} from "./preconditions.ts";

const options = {tsdbPath: "/prom", metaFileName: "thanos.shipper.json", ignoreUnequalBlockSize: false};
const check = (flags: Record<string, string>, more = {}): void =>
  checkFlags(flags, {...options, ...more}, nullLogger());
const flag = (min: string, max: string, delay = "") => ({
  "storage.tsdb.min-block-duration": min,
  "storage.tsdb.max-block-duration": max,
  "storage.tsdb.delay-compact-file.path": delay,
});

test("equal block durations may be shipped", () => check(flag("2h", "2h")));

test("a Prometheus that compacts is refused unless told otherwise", () => {
  assert.throws(() => check(flag("2h", "36h")), /min-block-duration is 2h and .*max-block-duration is 36h; set both/);
  check(flag("2h", "36h"), {ignoreUnequalBlockSize: true});
});

test("compaction delayed by the shipper's own state file is fine, by another is not", () => {
  check(flag("2h", "36h", "/prom/./thanos.shipper.json"));
  assert.throws(() => check(flag("2h", "36h", "/elsewhere.json")), /must name that file/);
});

test("the HTTP client configuration is read and bad keys are named", () => {
  const config = parseHttpClientConfig("transport_config: {max_conns_per_host: 3}");
  assert.equal(config.maxConnections, 3);
  assert.throws(() => parseHttpClientConfig("bearer_token_file: /does/not/exist"), /cannot read bearer_token_file/);
  assert.throws(() => parseHttpClientConfig("proxy_url: ftp://proxy"), /http, https or socks5, not by ftp/);
  assert.throws(() => parseHttpClientConfig("basic_auth: 3"), /basic_auth must be a mapping/);
});
