import assert from "node:assert/strict";
import {test} from "node:test";
import {startTestServer} from "./testing.ts";

test("the CPU profile and the sampled heap are what V8's tools read", async (t) => {
  const {url} = await startTestServer(t);
  const cpu = await fetch(`${url}/debug/pprof/profile?seconds=0.05`);
  assert.match(String(cpu.headers.get("content-disposition")), /\.cpuprofile"/);
  const profile = (await cpu.json()) as {nodes: unknown[]; startTime: number};
  assert.ok(profile.nodes.length > 0 && profile.startTime > 0);
  const heap = (await (await fetch(`${url}/debug/pprof/heap?seconds=0.05`)).json()) as {head: unknown};
  assert.ok(heap.head);
});

test("the heap snapshot is streamed", async (t) => {
  const {url} = await startTestServer(t);
  const response = await fetch(`${url}/debug/pprof/heap`);
  const snapshot = (await response.json()) as {snapshot: {node_count: number}};
  assert.ok(snapshot.snapshot.node_count > 1000);
});

test("a duration that cannot be is refused", async (t) => {
  const {url} = await startTestServer(t);
  for (const seconds of ["0", "-1", "x", "100000"]) {
    assert.equal((await fetch(`${url}/debug/pprof/profile?seconds=${seconds}`)).status, 400, seconds);
  }
  assert.equal((await fetch(`${url}/debug/pprof/cmdline`)).status, 404);
});
