import assert from "node:assert/strict";
import {test} from "node:test";
import {exposition, negotiate, openMetricsText, plainText} from "./exposition.ts";
import {goFloat} from "./go-float.ts";
import {newRegistry} from "./registry.ts";
import {registerRuntimeMetrics} from "./runtime-metrics.ts";

const text = async (r: ReturnType<typeof newRegistry>): Promise<string> => plainText(await r.gather());

test("a counter without labels starts at zero and adds up", async () => {
  const r = newRegistry();
  const c = r.counter({name: "a_total", help: "Things."});
  assert.equal(await text(r), "# HELP a_total Things.\n# TYPE a_total counter\na_total 0\n");
  c.inc();
  c.inc(2.5);
  assert.match(await text(r), /^a_total 3\.5$/m);
});

test("preset series are there at zero, with() adds more, remove() takes one away", async () => {
  const r = newRegistry();
  const c = r.counter({name: "ops_total", help: "h", labels: ["op"], preset: [{op: "get"}, {op: "iter"}]});
  c.with({op: "get"}).inc(3);
  c.with({op: "upload"});
  assert.match(await text(r), /ops_total\{op="get"\} 3\nops_total\{op="iter"\} 0\nops_total\{op="upload"\} 0\n/);
  c.remove({op: "iter"});
  assert.doesNotMatch(await text(r), /iter/);
  assert.equal(c.with({op: "get"}), c.with({op: "get"}));
});

test("a preset histogram shows its buckets at zero, bounds printed as Go does", async () => {
  const r = newRegistry();
  const h = r.histogram({name: "d", help: "h", buckets: [0.001, 1, 1e6], labels: ["m"], preset: [{m: "x"}]});
  assert.match(await text(r), /d_bucket\{le="1e\+06",m="x"\} 0\nd_bucket\{le="\+Inf",m="x"\} 0\nd_sum\{m="x"\} 0/);
  h.with({m: "x"}).observe(0.5);
  h.with({m: "x"}).observe(2);
  const page = await text(r);
  assert.match(page, /d_bucket\{le="0\.001",m="x"\} 0/);
  assert.match(page, /d_bucket\{le="1",m="x"\} 1/);
  assert.match(page, /d_sum\{m="x"\} 2\.5\nd_count\{m="x"\} 2/);
});

test("a sub registry adds its labels to the same families and can be taken away", async () => {
  const r = newRegistry();
  const [a, b] = [r.sub({tenant: "a"}), r.sub({tenant: "b"})];
  a.counter({name: "x_total", help: "h"}).inc(1);
  b.counter({name: "x_total", help: "h"}).inc(2);
  assert.match(await text(r), /x_total\{tenant="a"\} 1\nx_total\{tenant="b"\} 2\n/);
  a.close();
  assert.doesNotMatch(await text(r), /tenant="a"/);
});

test("the same metric asked for twice is one; another kind is a bug", () => {
  const r = newRegistry();
  assert.equal(r.gauge({name: "g", help: "h"}), r.gauge({name: "g", help: "h"}));
  assert.throws(() => r.counter({name: "g", help: "h"}), /BUG: metric g/);
});

test("asking again adds the series that are preset there", async () => {
  const r = newRegistry();
  for (const component of ["a", "b"]) r.gauge({name: "s", help: "h", labels: ["c"], preset: [{c: component}]});
  assert.match(await text(r), /s\{c="a"\} 0\ns\{c="b"\} 0\n/);
});

test("gauges with collect are read at each scrape", async () => {
  const r = newRegistry();
  let n = 1;
  r.gauge({name: "g", help: "h", collect: (g) => g.set(n)});
  r.gauge({name: "l", help: "h", labels: ["k"], collect: (g) => g.with({k: "v"}).set(n * 10)});
  assert.match(await text(r), /g 1\n(.*\n)*l\{k="v"\} 10/);
  n = 7;
  assert.match(await text(r), /g 7\n(.*\n)*l\{k="v"\} 70/);
});

test("label values and help are escaped", async () => {
  const r = newRegistry();
  r.gauge({name: "g", help: "a\\b\nc", labels: ["k"]}).with({k: '"x"\n\\'});
  assert.equal(await text(r), '# HELP g a\\\\b\\nc\n# TYPE g gauge\ng{k="\\"x\\"\\n\\\\"} 0\n');
});

test("open metrics names counter families without _total and ends with EOF", async () => {
  const r = newRegistry();
  r.counter({name: "a_total", help: "h"}).inc(3);
  assert.equal(openMetricsText(await r.gather()), "# HELP a h\n# TYPE a counter\na_total 3.0\n# EOF\n");
});

test("the Accept header decides the format", () => {
  const f = (accept: string | undefined, want: RegExp) => assert.match(negotiate(accept).contentType, want);
  f(undefined, /^text\/plain; version=0\.0\.4/);
  f("*/*", /^text\/plain/);
  f(
    "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3",
    /openmetrics-text; version=1\.0\.0/,
  );
  f("application/openmetrics-text", /openmetrics-text; version=0\.0\.1/);
  f("application/openmetrics-text;version=9.0.0,text/plain;q=0.1", /^text\/plain/);
  f("text/plain;q=0.9,application/openmetrics-text;version=1.0.0;q=0.1", /^text\/plain/);
});

test("numbers look as in Go", () => {
  const f = (v: number, want: string) => assert.equal(goFloat(v), want);
  f(0, "0");
  f(-0, "-0");
  f(100000, "100000");
  f(1e6, "1e+06");
  f(1234567, "1.234567e+06");
  f(0.0001, "0.0001");
  f(0.00001, "1e-05");
  f(-2.5, "-2.5");
  f(1e100, "1e+100");
  f(Number.NaN, "NaN");
  f(Number.POSITIVE_INFINITY, "+Inf");
});

test("runtime metrics carry the build and the names dashboards read", async () => {
  const r = newRegistry();
  const stop = registerRuntimeMetrics(r, {version: "1.2.3", revision: "abc", branch: "", buildUser: "", buildDate: ""});
  const page = await exposition(r, negotiate(undefined));
  stop();
  assert.match(page, /^thanos_build_info\{.*revision="abc".*version="1\.2\.3"\} 1$/m);
  const positive = [
    "process_resident_memory_bytes",
    "process_open_fds",
    "go_memstats_alloc_bytes_total",
    "go_goroutines",
  ];
  for (const name of positive) assert.ok(Number(new RegExp(`^${name} (.+)$`, "m").exec(page)?.[1]) > 0, name);
  assert.match(page, /^go_gc_duration_seconds_count \d+$/m);
});
