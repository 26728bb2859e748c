import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {repoRoot, tempDir} from "@strata/base/testing";

type Component = {
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes?: readonly {readonly alg: string; readonly content: string}[];
};
type Bom = {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly metadata: {
    readonly timestamp: string;
    readonly component: {readonly name: string; readonly version: string};
  };
  readonly components: readonly Component[];
  readonly dependencies: readonly {readonly ref: string; readonly dependsOn: readonly string[]}[];
};

test("the bill of materials names what the image holds, each with its checksum, and nothing that only builds", (t) => {
  const file = join(tempDir(t), "strata.cdx.json");
  const env = {...process.env, SOURCE_DATE_EPOCH: "1700000000"};
  execFileSync(process.execPath, ["scripts/sbom.mjs", file], {cwd: repoRoot, env});
  const bom = JSON.parse(readFileSync(file, "utf8")) as Bom;
  assert.deepEqual([bom.bomFormat, bom.specVersion], ["CycloneDX", "1.5"]);
  assert.equal(bom.metadata.timestamp, "2023-11-14T22:13:20.000Z");
  const {version} = JSON.parse(readFileSync(join(repoRoot, "lerna.json"), "utf8")) as {version: string};
  assert.deepEqual([bom.metadata.component.name, bom.metadata.component.version], ["strata", version]);

  const names = new Set(bom.components.map(({name}) => name));
  for (const name of ["node", "pino", "@grpc/grpc-js", "@strata/tsdb", "@strata/strata"])
    assert.ok(names.has(name), name);
  for (const name of ["typescript", "vite", "react", "assemblyscript"]) assert.ok(!names.has(name), name);
  for (const {name, version: own, purl, hashes} of bom.components) {
    assert.equal(decodeURIComponent(purl), `pkg:npm/${name}@${own}`);
    if (!name.startsWith("@strata/")) assert.match(hashes?.[0]?.content ?? "", /^[0-9a-f]{128}$/, name);
  }
  const refs = bom.components.map((one) => one["bom-ref"]);
  assert.equal(new Set(refs).size, refs.length);
  const known = new Set([...refs, `strata@${version}`]);
  for (const {ref, dependsOn} of bom.dependencies) {
    for (const one of [ref, ...dependsOn]) assert.ok(known.has(one), one);
  }
  // All of it is reached from the top.
  const edges = new Map(bom.dependencies.map(({ref, dependsOn}) => [ref, dependsOn]));
  const reached = new Set<string>();
  const queue = [`strata@${version}`];
  for (let ref = queue.pop(); ref !== undefined; ref = queue.pop()) {
    if (reached.has(ref)) continue;
    reached.add(ref);
    queue.push(...(edges.get(ref) ?? []));
  }
  assert.deepEqual(
    refs.filter((ref) => !reached.has(ref)),
    [],
  );
});
