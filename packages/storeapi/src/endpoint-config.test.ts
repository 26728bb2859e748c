import assert from "node:assert/strict";
import {test} from "node:test";
import {exposition, negotiate, newRegistry, nullLogger} from "@strata/telemetry";
import {type ClientDefaults, endpointsFromFlags, parseEndpointConfig} from "./endpoint-config.ts";
import {EndpointSource} from "./endpoint-source.ts";

const PLAIN: ClientDefaults = {tls: undefined, compression: "none"};
const FLAGS: ClientDefaults = {tls: {ca: "/flags/ca"}, compression: "snappy"};

const one = (entry: string, flags = PLAIN, head = "") =>
  parseEndpointConfig(`${head}endpoints:\n  - ${entry}\n`, flags)[0]!;

test("addresses, strict and group are read; unknown keys are passed over", () => {
  const got = parseEndpointConfig(
    "extra: 1\nendpoints:\n- {address: a:1, more: 2}\n- {address: b:1, strict: true}\n- {address: dns+c:1, group: true}",
    PLAIN,
  );
  assert.deepEqual(
    got.map((c) => [c.address, c.strict, c.group, c.tls, c.compression]),
    [
      ["a:1", false, false, undefined, "none"],
      ["b:1", true, false, undefined, "none"],
      ["dns+c:1", false, true, undefined, "none"],
    ],
  );
  assert.deepEqual(parseEndpointConfig("", PLAIN), []);
});

test("an endpoint without TLS keys takes the flags' TLS and compression, its own compression is ignored", () => {
  const c = one("{address: a:1, client_config: {compression: none}}", FLAGS);
  assert.deepEqual([c.tls, c.compression], [FLAGS.tls, "snappy"]);
});

test("default_client_config goes before the flags where it has a TLS key", () => {
  const head = "default_client_config: {tls_config: {ca_file: /own/ca}}\n";
  assert.equal(one("{address: a:1}", FLAGS, head).tls?.ca, "/own/ca");
  assert.equal(one("{address: a:1}", FLAGS, "default_client_config: {compression: none}\n").tls?.ca, "/flags/ca");
  assert.equal(one("{address: a:1}", FLAGS, "default_client_config: {tls_config: {enabled: false}}\n").tls, undefined);
});

test("TLS keys of an endpoint switch TLS on; what they lack comes from the global ones unless enabled is said", () => {
  const c = one("{address: a:1, client_config: {tls_config: {cert_file: /c, key_file: /k}, compression: snappy}}", {
    ...FLAGS,
    compression: "none",
  });
  assert.deepEqual([c.tls?.ca, c.tls?.cert, c.tls?.key, c.compression], ["/flags/ca", "/c", "/k", "snappy"]);
  assert.equal(
    one("{address: a:1, client_config: {tls_config: {enabled: true, cert_file: /c}}}", FLAGS).tls?.ca,
    undefined,
  );
  assert.equal(one("{address: a:1, client_config: {tls_config: {enabled: false, ca_file: /c}}}", FLAGS).tls, undefined);
  assert.equal(one("{address: a:1, client_config: {server_name: s}}", PLAIN).tls, undefined);
  assert.equal(one("{address: a:1, client_config: {server_name: s}}", FLAGS).tls?.serverName, "s");
  assert.equal(
    one("{address: a:1, client_config: {tls_config: {ca_file: /c, min_version: 1.2}}}").tls?.minVersion,
    "1.2",
  );
});

test("a name that resolves to several endpoints always has the global settings", () => {
  const entry = "{address: dns+a:1, client_config: {tls_config: {enabled: false}, compression: none}}";
  assert.deepEqual(one(entry, FLAGS).tls, FLAGS.tls);
  assert.equal(one(entry.replace("dns+a:1", "dns+a:1, group: true"), FLAGS).tls, undefined);
});

test("what cannot be used is refused with its place", () => {
  const f = (entry: string, want: RegExp) => assert.throws(() => one(entry), want, entry);
  f("{}", /endpoints\[0\]\.address: want host:port/);
  f("{address: 5}", /endpoints\[0\]\.address: want text/);
  f("{address: dns+a:1, strict: true}", /dns\+a:1 is a dynamically specified endpoint .* strict mode/);
  f("{address: a:1, service_config: '{}'}", /service_config: only groups can have one/);
  f("{address: a:1, group: true, service_config: '{'}", /service_config/);
  f("{address: a:1, client_config: {compression: gzip}}", /gzip is neither none nor snappy/);
  f("{address: a:1, client_config: {tls_config: {min_version: '2'}}}", /min_version/);
  f("{address: a:1, strict: 7}", /strict: want true or false/);
  assert.throws(() => parseEndpointConfig("endpoints: {", PLAIN), /cannot parse endpoint configuration/);
  assert.throws(() => parseEndpointConfig("endpoints: a", PLAIN), /want a list/);
});

test("a group's retry policy is taken from its service configuration", () => {
  const json = JSON.stringify({
    methodConfig: [{retryPolicy: {maxAttempts: 5, initialBackoff: "0.25s", backoffMultiplier: 3}}],
  });
  const c = one(`{address: a:1, group: true, service_config: '${json}'}`);
  assert.deepEqual(c.retry, {maxAttempts: 5, initialBackoffMs: 250, multiplier: 3});
});

test("flags make endpoints, groups and strict ones", () => {
  const flags = {endpoints: ["a:1"], strict: ["b:1"], groups: ["dns+c:1"], strictGroups: ["d:1"]};
  assert.deepEqual(
    endpointsFromFlags(flags, FLAGS).map((c) => [c.address, c.strict, c.group]),
    [
      ["a:1", false, false],
      ["b:1", true, false],
      ["dns+c:1", false, true],
      ["d:1", true, true],
    ],
  );
  assert.throws(() => endpointsFromFlags({...flags, strict: ["dnssrv+x"]}, FLAGS), /strict mode/);
});

test("names are resolved to endpoints, each address once, the strict one before the other", async (t) => {
  const registry = newRegistry();
  let hosts = ["10.0.0.1", "10.0.0.2"];
  const source = new EndpointSource({
    configs: () =>
      endpointsFromFlags(
        {endpoints: ["dns+s:1", "a:1", "b:1"], strict: ["a:1"], groups: ["dns+g:2"], strictGroups: []},
        FLAGS,
      ),
    targets: () => ["b:1", "f:1"],
    defaults: FLAGS,
    intervalMs: 3_600_000,
    registry,
    logger: nullLogger(),
    lookup: {addresses: async () => hosts, services: async () => []},
  });
  t.after(() => source.close());
  await source.start();
  const list = () =>
    source.specs().map((s) => `${s.address}${s.strict ? "!" : ""}${s.tls === FLAGS.tls ? " tls" : ""}`);
  assert.deepEqual(list(), ["10.0.0.1:1 tls", "10.0.0.2:1 tls", "a:1! tls", "b:1 tls", "thanos:///dns+g:2", "f:1 tls"]);
  hosts = ["10.0.0.3"];
  await source.refresh();
  assert.deepEqual(list().slice(0, 2), ["10.0.0.3:1 tls", "a:1! tls"]);
  const text = await exposition(registry, negotiate(undefined));
  assert.match(text, /^thanos_query_duplicated_endpoint_addresses_total 4$/m);
  assert.match(text, /^thanos_query_endpoint_groups_dns_provider_results\{addr="dns\+g:2"\} 1$/m);
});
