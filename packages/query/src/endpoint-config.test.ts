import assert from "node:assert/strict";
import {writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {type ClientSettings, parseEndpointConfig} from "./endpoint-config.ts";
import {EndpointSource} from "./endpoint-source.ts";

const plain: ClientSettings = {tls: undefined, compression: "none"};
const flags: ClientSettings = {tls: {ca: "flag.pem", serverName: "flag"}, compression: "snappy"};

test("an endpoint that says nothing speaks as the flags say", () => {
  const [e] = parseEndpointConfig("endpoints: [{address: 'a:1', client_config: {compression: none}}]", flags);
  assert.deepEqual(e?.client, flags);
});

test("a default client block replaces the flags", () => {
  const yaml = "default_client_config: {tls_config: {ca_file: d.pem}}\nendpoints: [{address: 'a:1'}]";
  const [e] = parseEndpointConfig(yaml, flags);
  assert.equal(e?.client.tls?.ca, "d.pem");
  assert.equal(e?.client.tls?.serverName, undefined);
});

test("own keys win, missing ones come from the global block, unless TLS is switched on by name", () => {
  const yaml = `
endpoints:
  - {address: "a:1", client_config: {tls_config: {cert_file: c, key_file: k}, compression: snappy}}
  - {address: "b:1", client_config: {tls_config: {enabled: true, cert_file: c, key_file: k}}}
  - {address: "c:1", client_config: {tls_config: {enabled: false}}}
`;
  const [a, b, c] = parseEndpointConfig(yaml, flags);
  assert.deepEqual([a?.client.tls?.ca, a?.client.tls?.cert, a?.client.compression], ["flag.pem", "c", "snappy"]);
  assert.deepEqual([b?.client.tls?.ca, b?.client.tls?.cert, b?.client.compression], [undefined, "c", "none"]);
  assert.equal(c?.client.tls, undefined);
});

test("a name that is resolved uses the global block whatever its own says", () => {
  const yaml = "endpoints: [{address: 'dns+a:1', client_config: {tls_config: {enabled: false}}}]";
  assert.deepEqual(parseEndpointConfig(yaml, flags)[0]?.client, flags);
});

test("what cannot be meant is refused with the entry's name", () => {
  const f = (yaml: string, want: RegExp) => assert.throws(() => parseEndpointConfig(yaml, plain), want);
  f(
    "endpoints: [{address: 'dns+a:1', strict: true}]",
    /endpoints\[0\]: dns\+a:1 is a dynamic address and cannot be strict/,
  );
  f("endpoints: [{address: 'a:1', service_config: '{}'}]", /service_config goes only with group/);
  f("endpoints: [{}]", /endpoints\[0\].address is missing/);
  f("endpoints: {}", /endpoints is not a list/);
  f("endpoints: [", /cannot parse the endpoint configuration/);
  f("endpoints: [{address: 'a:1', client_config: {server_name: x, compression: gzip}}]", /neither none nor snappy/);
});

test("a service config sets the retries of a group", () => {
  const config = {methodConfig: [{retryPolicy: {maxAttempts: 5, initialBackoff: "0.2s", backoffMultiplier: 3}}]};
  const yaml = `endpoints: [{address: 'dns+a:1', group: true, service_config: '${JSON.stringify(config)}'}]`;
  assert.deepEqual(parseEndpointConfig(yaml, plain)[0]?.retry, {maxAttempts: 5, initialBackoffMs: 200, multiplier: 3});
});

test("endpoints come from flags, the configuration and files, and a bad new version changes nothing", async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, "sd.yml"), "- targets: ['f:1', 'a:1']");
  let yaml = "endpoints: [{address: 'c:1'}]";
  const source = await EndpointSource.start({
    entries: [{address: "a:1", strict: true, group: false, client: plain}],
    config: {read: async () => yaml, reloadMs: undefined},
    files: {patterns: [join(dir, "*.yml")], intervalMs: 3_600_000},
    dnsIntervalMs: 3_600_000,
    client: plain,
    logger: nullLogger(),
    registry: newRegistry(),
  });
  t.after(() => source.close());
  const addresses = () => source.specs().map((s) => `${s.address}${s.strict ? "!" : ""}`);
  assert.deepEqual(addresses(), ["c:1", "a:1!", "f:1"]);
  yaml = "endpoints: 3";
  await source.reload();
  assert.deepEqual(addresses(), ["c:1", "a:1!", "f:1"]);
  yaml = "endpoints: [{address: 'd:1'}]";
  await source.reload();
  assert.deepEqual(addresses(), ["d:1", "a:1!", "f:1"]);
});
