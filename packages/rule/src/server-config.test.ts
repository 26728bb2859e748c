import assert from "node:assert/strict";
import {test} from "node:test";
import {
  alertmanagerOfUrl,
  parseAlertmanagersConfig,
  parseQueryConfig,
  queryGroupsOfFlags,
  type ServerGroup,
} from "./server-config.ts";

const headersOf = (group: ServerGroup | undefined) =>
  group?.http
    .credentials?.("x")
    .headers({method: "GET", url: new URL("http://x"), headers: {}, body: undefined}, AbortSignal.timeout(1000));

test("queriers by flag keep scheme and prefix; a second one of the same name is refused", () => {
  const f = (...addresses: string[]) =>
    queryGroupsOfFlags(addresses, [], 1).map((g) => `${g.scheme} ${g.addresses} ${g.pathPrefix}`);
  assert.deepEqual(f("q:10902", "https://q/thanos/", "dns+q:9090"), [
    "http q:10902 ",
    "https q /thanos",
    "http dns+q:9090 ",
  ]);
  assert.throws(() => f("q:1", "q:1"), /Address q:1 is duplicated for --query flag\./);
  assert.throws(() => f("ftp://q:1"), /only http and https/);
  assert.throws(() => f("http:///x"), /names no host/);
  const [files] = queryGroupsOfFlags([], ["a/*.yml"], 5000);
  assert.deepEqual(files?.files, [{patterns: ["a/*.yml"], refreshMs: 5000}]);
});

test("the query configuration mixes HTTP and gRPC", () => {
  const {http, grpc} = parseQueryConfig(`
- static_configs: [a:1, dns+b:2]
  scheme: https
  path_prefix: /x/
  http_config: {basic_auth: {username: u, password: p}}
  file_sd_configs: [{files: [c.yml], refresh_interval: 1m}]
- grpc_config: {endpoint_addresses: [g:1]}
`);
  assert.deepEqual(grpc, ["g:1"]);
  assert.equal(http.length, 1);
  assert.deepEqual(
    [http[0]?.scheme, http[0]?.pathPrefix, http[0]?.files],
    ["https", "/x", [{patterns: ["c.yml"], refreshMs: 60_000}]],
  );
  assert.deepEqual(headersOf(http[0]), {authorization: "Basic dTpw"});
  assert.throws(() => parseQueryConfig("- statics: [a]"), /entry 1 of the query configuration: unknown field statics/);
  assert.throws(() => parseQueryConfig("{"), /cannot read YAML/);
  assert.throws(() => parseQueryConfig("- {scheme: gopher}"), /want http or https/);
});

test("Alertmanagers have defaults, and a version that exists", () => {
  const [group] = parseAlertmanagersConfig("alertmanagers: [{static_configs: [a:1]}]");
  assert.deepEqual([group?.timeoutMs, group?.apiVersion, group?.scheme], [10_000, "v2", "http"]);
  assert.throws(
    () => parseAlertmanagersConfig("alertmanagers: [{api_version: v3}]"),
    /expected Alertmanager API version to be one of \[v1 v2\] but got "v3"/,
  );
});

test("an Alertmanager by URL has its port where the name is looked up, and its credentials", () => {
  const f = (url: string) => alertmanagerOfUrl(new URL(url), 1);
  assert.deepEqual(f("dns+http://am/p/").addresses, ["dns+am:9093"]);
  assert.equal(f("dns+http://am/p/").pathPrefix, "/p");
  assert.deepEqual(f("dnssrv+http://_web._tcp.am").addresses, ["dnssrv+_web._tcp.am"]);
  assert.deepEqual(headersOf(f("http://u:p%40@am:1")), {authorization: `Basic ${btoa("u:p@")}`});
  assert.throws(
    () => f("ftp://u:secret@am"),
    (err: Error) => /want \[dns\+\]http/.test(err.message) && !/secret/.test(err.message),
  );
});
