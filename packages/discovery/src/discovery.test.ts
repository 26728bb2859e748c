import assert from "node:assert/strict";
import {renameSync, rmSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {exposition, negotiate, newRegistry, nullLogger} from "@strata/telemetry";
import {type DnsLookup, isDynamic, resolveAddress, splitHostPort, systemLookup} from "./dns-lookup.ts";
import {DnsProvider} from "./dns-provider.ts";
import {FileDiscovery, parseTargets} from "./file-discovery.ts";

/** A made-up DNS. */
class FakeDns implements DnsLookup {
  readonly hosts = new Map<string, string[]>();
  readonly srv = new Map<string, {host: string; port: number}[]>();
  failing = false;

  async addresses(host: string, family: 0 | 4 | 6): Promise<string[]> {
    if (this.failing) throw new Error("SERVFAIL");
    const all = this.hosts.get(host) ?? [];
    const four = all.filter((a) => !a.includes(":"));
    const six = all.filter((a) => a.includes(":"));
    return family === 6 ? six : family === 4 ? four : four.length > 0 ? four : six;
  }

  async services(name: string): Promise<{host: string; port: number}[]> {
    if (this.failing) throw new Error("SERVFAIL");
    return this.srv.get(name) ?? [];
  }
}

const fake = (): FakeDns => {
  const dns = new FakeDns();
  dns.hosts.set("store", ["10.0.0.2", "10.0.0.1", "fd00::1"]);
  dns.hosts.set("six", ["fd00::2"]);
  dns.hosts.set("a.store", ["10.1.0.1"]);
  dns.srv.set("_grpc._tcp.store", [
    {host: "a.store.", port: 901},
    {host: "six", port: 902},
  ]);
  return dns;
};

test("each scheme resolves as it says", async () => {
  const f = async (address: string, want: string[]) =>
    assert.deepEqual(await resolveAddress(address, fake()), want, address);
  await f("plain:10901", ["plain:10901"]);
  await f("dns+store:10901", ["10.0.0.2:10901", "10.0.0.1:10901"]);
  await f("dns+six:1", ["[fd00::2]:1"]);
  await f("dnsdualstack+store:1", ["[fd00::1]:1", "10.0.0.2:1", "10.0.0.1:1"]);
  await f("dnssrv+_grpc._tcp.store", ["10.1.0.1:901", "[fd00::2]:902"]);
  await f("dnssrv+_grpc._tcp.store:7", ["10.1.0.1:7", "[fd00::2]:7"]);
  await f("dnssrvnoa+_grpc._tcp.store", ["a.store:901", "six:902"]);
  await f("dns+nobody:1", []);
  await assert.rejects(resolveAddress("dns+store", fake()), /missing port in address given for dns lookup: store/);
  await assert.rejects(resolveAddress("dnx+store:1", fake()), /unknown scheme dnx/);
});

test("the system's resolver knows localhost and that names may be missing", async () => {
  assert.ok((await resolveAddress("dns+localhost:1", systemLookup)).length > 0);
  assert.deepEqual(await systemLookup.addresses("10.9.8.7", 0), ["10.9.8.7"]);
});

test("hosts and ports split, brackets of IPv6 too", () => {
  assert.deepEqual(splitHostPort("a:1"), {host: "a", port: "1"});
  assert.deepEqual(splitHostPort("[::1]:1"), {host: "::1", port: "1"});
  assert.deepEqual(splitHostPort("a"), {host: "a", port: ""});
  assert.equal(isDynamic("dns+a:1"), true);
  assert.equal(isDynamic("a:1"), false);
});

test("a lookup that fails keeps the last answer and is counted", async () => {
  const registry = newRegistry();
  const lookup = fake();
  const provider = new DnsProvider({metricPrefix: "thanos_query_endpoints", registry, logger: nullLogger(), lookup});
  await provider.resolve(["dns+store:1", "x:2"]);
  const first = ["10.0.0.2:1", "10.0.0.1:1", "x:2"];
  assert.deepEqual([...provider.addresses()].sort(), [...first].sort());
  lookup.failing = true;
  await provider.resolve(["dns+store:1", "x:2", "dns+never:1"]);
  assert.deepEqual([...provider.addresses()].sort(), [...first].sort());
  assert.deepEqual(provider.addressesOf("dns+never:1"), []);
  const text = await exposition(registry, negotiate(undefined));
  assert.match(text, /^thanos_query_endpoints_dns_lookups_total 3$/m);
  assert.match(text, /^thanos_query_endpoints_dns_failures_total 2$/m);
  assert.match(text, /^thanos_query_endpoints_dns_provider_results\{addr="dns\+store:1"\} 2$/m);
  lookup.failing = false;
  lookup.hosts.set("store", ["10.0.0.9"]);
  await provider.resolve(["dns+store:1"]);
  assert.deepEqual(provider.addresses(), ["10.0.0.9:1"]);
  assert.doesNotMatch(await exposition(registry, negotiate(undefined)), /addr="x:2"/);
});

const discover = (t: {after(fn: () => void): void}, ...patterns: string[]): FileDiscovery => {
  const d = new FileDiscovery({patterns, intervalMs: 3_600_000, logger: nullLogger()});
  t.after(() => d.close());
  return d;
};

test("files are read, merged, and followed when they change", async (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, "a.json"), '[{"targets": ["a:1", "b:1"], "labels": {"x": "y"}}]');
  writeFileSync(join(dir, "b.yml"), "- targets: [b:1]\n- targets:\n  - c:1\n");
  const d = discover(t, join(dir, "*.json"), join(dir, "b.yml"), join(dir, "missing-*.yml"));
  assert.deepEqual(d.targets, ["a:1", "b:1", "c:1"]);
  const changed = new Promise<void>((resolve) => d.onChange(resolve));
  writeFileSync(join(dir, "next"), '[{"targets": ["z:1"]}]');
  renameSync(join(dir, "next"), join(dir, "a.json"));
  await changed;
  assert.deepEqual(d.targets, ["z:1", "b:1", "c:1"]);
});

test("a broken file keeps its last targets, a removed one loses them", (t) => {
  const dir = tempDir(t);
  const file = join(dir, "a.yml");
  writeFileSync(file, "- targets: [a:1]\n");
  const d = discover(t, file);
  writeFileSync(file, "- targets: {");
  d.refresh();
  assert.deepEqual(d.targets, ["a:1"]);
  rmSync(file);
  d.refresh();
  assert.deepEqual(d.targets, []);
});

test("what is no list of target groups is refused by name", () => {
  assert.deepEqual(parseTargets("", "f"), []);
  assert.throws(() => parseTargets("a: 1", "f.yml"), /cannot use f.yml: want a list/);
  assert.throws(() => parseTargets("- {}", "f.yml"), /entry 0 has no list of targets/);
  assert.throws(() => parseTargets("- targets: [1]", "f.yml"), /entry 0/);
  assert.throws(() => parseTargets("[", "f.yml"), /cannot parse f.yml/);
});
