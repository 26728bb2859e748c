import assert from "node:assert/strict";
import {existsSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {repoRoot} from "@strata/base/testing";
import {parse} from "yaml";

type Step = {readonly uses?: string; readonly run?: string; readonly with?: Readonly<Record<string, unknown>>};
type Job = {
  readonly needs?: readonly string[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
};
type Workflow = {
  readonly on: {readonly push: {readonly tags: readonly string[]}};
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
};

const text = readFileSync(join(repoRoot, ".github/workflows/release.yml"), "utf8");
const workflow = parse(text) as Workflow;
const jobs = Object.entries(workflow.jobs);
const steps = jobs.flatMap(([, job]) => job.steps);
const runs = steps.flatMap(({run}) => run ?? []).join("\n");
const {scripts} = JSON.parse(readFileSync(join(repoRoot, "package.json"), "utf8")) as {scripts: Record<string, string>};

test("a tag of a version starts a release, which needs no secret and no more rights than its jobs say", () => {
  assert.ok(workflow.on.push.tags.every((tag) => tag.startsWith("v[0-9]")));
  assert.deepEqual(workflow.permissions, {contents: "read"});
  assert.doesNotMatch(text, /secrets\./);
  for (const [name, job] of jobs) {
    const writes = Object.entries(job.permissions ?? {}).filter(([, right]) => right === "write");
    // What others wrote is built, not run, where the registry can be written to.
    if (writes.length > 0) assert.ok(!/npm (run )?test/.test(JSON.stringify(job)), name);
  }
});

test("jobs follow one another as they need, and nothing is published that was not tested", () => {
  const before = (name: string): string[] => (workflow.jobs[name]?.needs ?? []).flatMap((one) => [one, ...before(one)]);
  for (const [name, {needs = []}] of jobs) {
    for (const other of needs) assert.ok(other in workflow.jobs, `${name} needs ${other}`);
    if (!["version", "test"].includes(name)) {
      assert.ok(before(name).includes("test") && before(name).includes("version"), name);
    }
    for (const [, other] of JSON.stringify(workflow.jobs[name]).matchAll(/needs\.([\w-]+)\./g)) {
      assert.ok(needs.includes(other as string), `${name} reads from ${other}`);
    }
  }
});

test("scripts, files and actions that it names are there", () => {
  const called = [...runs.matchAll(/npm run (?:-s )?([\w:]+)/g)].map(([, name]) => name as string);
  assert.ok(called.includes("sbom") && called.includes("build"));
  for (const name of called) assert.ok(name in scripts, `npm run ${name}`);
  const files = [...text.matchAll(/\b(?:scripts|deploy)\/[\w./-]+/g)].map(([path]) => path);
  assert.ok(files.length > 4);
  for (const path of files) assert.ok(existsSync(join(repoRoot, path)), path);
  for (const {uses} of steps) if (uses !== undefined) assert.match(uses, /^(actions|docker)\/[\w-]+@v\d+$/);
});

test("the image is built for two kinds of machine, with its origin", () => {
  const build = workflow.jobs.image?.steps.find(({uses}) => uses?.startsWith("docker/build-push-action@"))?.with;
  assert.equal(build?.platforms, "linux/amd64,linux/arm64");
  assert.equal(build?.provenance, "mode=max");
  const dockerfile = readFileSync(join(repoRoot, String(build?.file)), "utf8");
  for (const [, name] of String(build?.["build-args"]).matchAll(/^(\w+)=/gm)) {
    assert.match(dockerfile, new RegExp(`^ARG ${name}\\b`, "m"));
  }
});
