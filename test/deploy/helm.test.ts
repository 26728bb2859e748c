import assert from "node:assert/strict";
import {execFileSync, spawnSync} from "node:child_process";
import {readFileSync} from "node:fs";
import {basename, join} from "node:path";
import {test} from "node:test";
import {repoRoot, requireTool} from "@strata/base/testing";
import {checkCommandFlags, checkDeployed} from "@strata/strata/testing";
import {parse, parseAllDocuments} from "yaml";
import {deployDir, deployFiles, deployText, monitoringGroups} from "./deploy-files.ts";
import {assertMonitored} from "./monitored.ts";
import {
  assertHardened,
  assertProbed,
  assertSound,
  commandOf,
  type KubernetesObject,
  nameOf,
  workloadsOf,
} from "./workloads.ts";

const CHART = "helm/strata";
const templates = deployFiles(`${CHART}/templates/*`);
const values = parse(deployText(`${CHART}/values.yaml`)) as Record<string, unknown>;

test("what is made from other files is as they are now", () => {
  const {status, stdout} = spawnSync(process.execPath, ["scripts/deploy-files.mjs", "--check"], {
    cwd: repoRoot,
    encoding: "utf8",
  });
  assert.deepEqual([status, stdout], [0, ""], "npm run docs writes it anew");
});

test("the chart and the images of manifests have the version of all packages", () => {
  const {version, appVersion} = parse(deployText(`${CHART}/Chart.yaml`)) as Record<string, string>;
  const lerna = JSON.parse(readFileSync(join(repoRoot, "lerna.json"), "utf8")) as {version: string};
  assert.deepEqual([version, appVersion], [lerna.version, lerna.version]);
});

test("templates use values that there are, and all of them", () => {
  const used = new Set<string>();
  for (const file of templates) {
    for (const [, path] of deployText(file).matchAll(/\$?\.Values\.([\w.]+)/g)) {
      used.add(path as string);
      let at: unknown = values;
      for (const key of (path as string).split(".")) {
        assert.ok(typeof at === "object" && at !== null && key in at, `${basename(file)}: .Values.${path}`);
        at = (at as Record<string, unknown>)[key];
      }
    }
  }
  const all = Object.entries(values).flatMap(([key, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.keys(value).map((inner) => `${key}.${inner}`)
      : [key],
  );
  const isUsed = (path: string) =>
    [...used].some((one) => one === path || one.startsWith(`${path}.`) || path.startsWith(`${one}.`));
  assert.deepEqual(
    all.filter((path) => !isUsed(path)),
    [],
  );
});

test("the chart brings all rules and all dashboards", () => {
  const same = (own: string, source: string): void => {
    const files = deployFiles(`${source}/*`).map((file) => basename(file));
    assert.ok(files.length > 1);
    assert.deepEqual(
      deployFiles(`${own}/*`).map((file) => basename(file)),
      files.filter((file) => /\.(yml|json)$/.test(file)),
    );
    for (const file of files)
      assert.deepEqual(parse(deployText(`${own}/${file}`)), parse(deployText(`${source}/${file}`)));
  };
  same(`${CHART}/files/rules`, "monitoring/rules");
  same(`${CHART}/files/dashboards`, "grafana/dashboards");
});

test("templates give components flags that they know", async () => {
  let commands = 0;
  for (const file of templates) {
    for (const [, list] of deployText(file).matchAll(/\n +args:\n((?: +(?:-|\{\{).*\n)+)/g)) {
      const words = (list as string).split("\n").flatMap((line) => /^ +- '?([\w-][^ ]*)/.exec(line)?.[1] ?? []);
      assert.ok(words.length > 2, file);
      await checkCommandFlags(words.map((word) => word.replace(/=.*$/, "=")));
      commands++;
    }
  }
  // Query, front-end, store, compactor, ruler, ingestor, router.
  assert.equal(commands, 7);
});

test("blocks of templates are opened and closed", () => {
  for (const file of templates) {
    let depth = 0;
    for (const [, word] of deployText(file).matchAll(/\{\{-? *(if|range|with|define|end)\b/g)) {
      depth += word === "end" ? -1 : 1;
      assert.ok(depth >= 0, file);
    }
    assert.equal(depth, 0, file);
  }
});

const helm = requireTool("helm");
const SETS = {
  "as it comes": [],
  "with all of it": [
    ...["--set=receive.enabled=true,serviceMonitor.enabled=true,podMonitor.enabled=true,prometheusRule.enabled=true"],
    ...["--set=dashboards.enabled=true,dashboards.namespace=monitoring,prometheusRule.docs=https://wiki.example"],
    ...["--set=store.shards=3,serviceMonitor.labels.release=x,podAnnotations.a=b,nodeSelector.disk=ssd"],
    "--set=query.extraArgs={--query.timeout=5m}",
  ],
  "with a ring controller and a secret": [
    "--set=receive.enabled=true,receive.controller=true,objstore.existingSecret=mine,networkPolicy.enabled=false",
  ],
};

for (const [name, set] of Object.entries(SETS)) {
  test(`the chart ${name} is sound`, {skip: helm.skip}, async () => {
    const args = ["template", "my", join(deployDir, CHART), "--kube-version=1.31.0", "--namespace=obs", ...set];
    const out = execFileSync(helm.path, args, {encoding: "utf8"});
    const objects = parseAllDocuments(out)
      .map((document) => {
        assert.deepEqual(document.errors, []);
        return document.toJS() as KubernetesObject | null;
      })
      .filter((object) => object !== null);
    assertSound(objects);
    const contents = (source: string): Record<string, string> | undefined => {
      if (source === "mine") return {"objstore.yml": "{type: S3, config: {bucket: b, endpoint: e}}"};
      if (source === "thanos-receive-generated") return {"hashrings.json": '[{"endpoints": ["a:1", "b:1", "c:1"]}]'};
      const found = objects.find(({kind, metadata}) => /^(Secret|ConfigMap)$/.test(kind) && metadata.name === source);
      return found?.data ?? found?.stringData;
    };
    const all = name === "with all of it";
    assertMonitored(objects, all ? monitoringGroups("https://wiki.example") : undefined, all);
    const workloads = workloadsOf(objects);
    assert.ok(workloads.length >= 6);
    for (const object of workloads) {
      assertHardened(object);
      assertProbed(object);
      const {args: command, files} = commandOf(object, contents);
      await checkDeployed(command, files).catch((err: Error) => assert.fail(`${nameOf(object)}: ${err.message}`));
    }
  });
}
