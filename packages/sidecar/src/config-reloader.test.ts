import assert from "node:assert/strict";
import {mkdirSync, readFileSync, renameSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {gzipSync} from "node:zlib";
import {StrataError} from "@strata/base";
import {type TestScope, tempDir} from "@strata/base/testing";
import {exposition, negotiate, newRegistry, nullLogger} from "@strata/telemetry";
import {ConfigReloader, type ReloaderOptions} from "./config-reloader.ts";

/** Counts reloads; `next()` resolves with the next one. `fail` makes so many of them fail. */
class Recorder {
  readonly method = "http";
  count = 0;
  fail = 0;
  #waiting: (() => void)[] = [];

  async reload(): Promise<void> {
    this.count++;
    for (const wake of this.#waiting.splice(0)) wake();
    if (this.fail-- > 0) throw new StrataError("unavailable", "cannot reload: test");
  }

  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

type Setting = {readonly dir: string; readonly trigger: Recorder; readonly options: ReloaderOptions};

function setting(t: TestScope, change: Partial<ReloaderOptions> = {}): Setting {
  const dir = tempDir(t);
  const trigger = new Recorder();
  mkdirSync(join(dir, "config"));
  mkdirSync(join(dir, "rules"));
  writeFileSync(join(dir, "config/prometheus.yml"), "global: {external_labels: {replica: $(POD)}}\n");
  const options: ReloaderOptions = {
    configFile: join(dir, "config/prometheus.yml"),
    outputFile: join(dir, "out.yml"),
    ruleDirs: [join(dir, "rules")],
    watchIntervalMs: 60_000,
    retryIntervalMs: 1,
    trigger,
    expand: (text) => text.replaceAll("$(POD)", "prom-0"),
    ...change,
  };
  return {dir, trigger, options};
}

function start(t: TestScope, options: ReloaderOptions) {
  const registry = newRegistry();
  const stop = new AbortController();
  const running = new ConfigReloader(options, nullLogger(), registry).run(stop.signal);
  t.after(async () => {
    stop.abort();
    await running.catch(() => {});
  });
  return {running, metrics: () => exposition(registry, negotiate(undefined))};
}

test("the output is written and Prometheus reloaded at the start, then at each change of configuration or rules", async (t) => {
  const {dir, trigger, options} = setting(t);
  let reloaded = trigger.next();
  const {metrics} = start(t, options);
  await reloaded;
  assert.equal(readFileSync(join(dir, "out.yml"), "utf8"), "global: {external_labels: {replica: prom-0}}\n");

  reloaded = trigger.next();
  writeFileSync(join(dir, "config/next.yml"), gzipSync("global: {scrape_interval: 15s}\n"));
  renameSync(join(dir, "config/next.yml"), options.configFile);
  await reloaded;
  assert.equal(readFileSync(join(dir, "out.yml"), "utf8"), "global: {scrape_interval: 15s}\n");

  reloaded = trigger.next();
  writeFileSync(join(dir, "rules/a.yml"), "groups: []\n");
  await reloaded;
  assert.equal(trigger.count, 3);
  const text = await metrics();
  assert.match(text, /^thanos_sidecar_reloader_reloads_total 3$/m);
  assert.match(text, /^thanos_sidecar_reloader_watches 2$/m);
  assert.match(text, /^thanos_sidecar_reloader_info\{method="http"\} 1$/m);
  assert.match(text, /^thanos_sidecar_reloader_last_reload_successful 1$/m);
});

test("a reload that fails is tried again until it succeeds", async (t) => {
  const {trigger, options} = setting(t);
  trigger.fail = 2;
  const reloaded = trigger
    .next()
    .then(() => trigger.next())
    .then(() => trigger.next());
  const {metrics} = start(t, options);
  await reloaded;
  assert.equal(trigger.count, 3);
  assert.match(await metrics(), /^thanos_sidecar_reloader_reloads_failed_total 2$/m);
});

test("rounds that find nothing new do not reload", async (t) => {
  const {trigger, options} = setting(t, {watchIntervalMs: 5});
  const reloaded = trigger.next();
  const {metrics} = start(t, options);
  await reloaded;
  for (;;) {
    const applies = /^thanos_sidecar_reloader_config_apply_operations_total (\d+)$/m.exec(await metrics());
    if (Number(applies?.[1]) >= 4) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(trigger.count, 1);
});

test("a watch interval of 0 writes the output once and asks for nothing", async (t) => {
  const {dir, trigger, options} = setting(t, {watchIntervalMs: 0});
  await start(t, options).running;
  assert.equal(readFileSync(join(dir, "out.yml"), "utf8"), "global: {external_labels: {replica: prom-0}}\n");
  assert.equal(trigger.count, 0);
});

test("what cannot be prepared fails the start with its name", async (t) => {
  const unset = (): string => {
    throw new StrataError("bad_data", "POD is not set");
  };
  const first = setting(t, {expand: unset});
  const {running, metrics} = start(t, first.options);
  await assert.rejects(running, {code: "bad_data", message: "POD is not set"});
  const name = "thanos_sidecar_reloader_config_environment_variable_expansion_errors";
  assert.match(await metrics(), new RegExp(`^${name} 1$`, "m"));

  const second = setting(t, {configFile: "/no/such/dir/prometheus.yml"});
  await assert.rejects(start(t, second.options).running, {message: /^cannot watch directory \/no\/such\/dir: /});
});
