import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {basename, dirname, join} from "node:path";
import {test} from "node:test";
import {requireTool} from "@strata/base/testing";
import {parseRuleFile} from "@strata/rules";
import {checkDeployed} from "@strata/strata/testing";
import {parse, parseAllDocuments, stringify} from "yaml";
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

type Generator = {readonly name: string; readonly files: readonly string[]};
type Kustomization = {
  readonly resources: readonly string[];
  readonly generatorOptions?: {readonly labels?: Readonly<Record<string, string>>};
  readonly configMapGenerator?: readonly Generator[];
  readonly secretGenerator?: readonly Generator[];
};

const objectsOf = (text: string): KubernetesObject[] =>
  parseAllDocuments(text).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS() as KubernetesObject;
  });

/** What the ring controller would write out of strata-receive-base once three ingestors are ready. */
const RING = JSON.stringify([
  {
    hashring: "default",
    endpoints: [0, 1, 2].map((i) => `strata-receive-ingestor-${i}.strata-receive-ingestor.strata.svc:10901`),
  },
]);

const kustomizations = deployFiles("kubernetes/**/kustomization.yaml");

for (const file of kustomizations) {
  const dir = dirname(file);
  const kustomization = parse(deployText(file)) as Kustomization;
  const own = kustomization.resources.filter((name) => name.endsWith(".yaml"));
  const objects = own.flatMap((name) => objectsOf(deployText(join(dir, name))));
  const generators = [...(kustomization.configMapGenerator ?? []), ...(kustomization.secretGenerator ?? [])];
  const base = dir.endsWith("federation/cluster")
    ? (parse(deployText("kubernetes/base/kustomization.yaml")) as Kustomization)
    : undefined;
  const contents = (source: string): Record<string, string> | undefined => {
    if (source === "strata-receive-generated") return {"hashrings.json": RING};
    const inherited = base?.configMapGenerator?.find(({name}) => name === source);
    const generator = generators.find(({name}) => name === source) ?? inherited;
    const from = generator === inherited ? "kubernetes/base" : dir;
    const files = generator?.files ?? [];
    return Object.fromEntries(files.map((path) => [basename(path), deployText(join(from, path))]));
  };

  test(`${dir}: every object is one that Kubernetes knows, and finds what it names`, () => {
    assertSound(objects);
    const there = deployFiles(`${dir}/*.yaml`).map((path) => basename(path));
    assert.deepEqual([...own, "kustomization.yaml"].sort(), there);
  });

  for (const object of workloadsOf(objects)) {
    test(`${dir}: ${nameOf(object)} may do no more than it needs to`, () => assertHardened(object));
    const image = object.spec?.template?.spec.containers[0]?.image;
    if (image !== "strata") continue;
    test(`${dir}: ${nameOf(object)} starts with flags and files that it knows`, async () => {
      const {args, files} = commandOf(object, contents);
      await checkDeployed(args, files);
      assertProbed(object);
    });
  }
}

test("the PrometheusRule has all rules, and they can be evaluated", () => {
  const [object] = objectsOf(deployText("kubernetes/monitoring/prometheusrule.yaml"));
  const {errors, groups} = parseRuleFile("prometheusrule.yaml", stringify(object?.spec));
  assert.deepEqual(errors, []);
  assert.equal(groups.length, monitoringGroups().length);
  assert.deepEqual(object?.spec, {groups: monitoringGroups()});
});

test("every dashboard is a ConfigMap of its own that Grafana's sidecar finds", () => {
  const {resources} = parse(deployText("kubernetes/monitoring/kustomization.yaml")) as Kustomization;
  assert.ok(resources.includes("../../grafana"));
  const {generatorOptions, configMapGenerator = []} = parse(deployText("grafana/kustomization.yaml")) as Kustomization;
  assert.deepEqual(generatorOptions?.labels, {grafana_dashboard: "1"});
  assert.deepEqual(
    configMapGenerator.flatMap(({files}) => files.map((file) => `grafana/${file}`)).sort(),
    deployFiles("grafana/dashboards/*"),
  );
  const names = configMapGenerator.map(
    ({name, files}) => `dashboards/${name.replace("-dashboard", "")}.json` === files[0],
  );
  assert.ok(names.every(Boolean));
});

test("every component has a disruption budget, but the compactor, and nothing is reached that is not meant to be", () => {
  const objects = deployFiles("kubernetes/base/*.yaml")
    .filter((file) => !file.endsWith("kustomization.yaml"))
    .flatMap((file) => objectsOf(deployText(file)));
  const components = new Set(
    workloadsOf(objects).map(({metadata}) => metadata.labels?.["app.kubernetes.io/component"] as string),
  );
  const having = (kind: string) =>
    objects
      .filter((object) => object.kind === kind)
      .map(({metadata}) => metadata.labels?.["app.kubernetes.io/component"]);
  const lone = ["compact", "receive-controller"];
  for (const component of components) {
    assert.equal(having("PodDisruptionBudget").includes(component), !lone.includes(component), component);
    assert.equal(having("NetworkPolicy").includes(component), component !== "receive-controller", component);
  }
  assert.ok(having("NetworkPolicy").includes(undefined), "a policy that denies all that no other one allows");
});

const kubectl = requireTool("kubectl");

test("kustomize builds every folder, and what comes out is sound", {skip: kubectl.skip}, () => {
  for (const file of kustomizations) {
    const out = execFileSync(kubectl.path, ["kustomize", join(deployDir, dirname(file))], {encoding: "utf8"});
    const objects = objectsOf(out);
    assertSound(objects);
    const monitors = file.includes("kubernetes/monitoring/");
    assertMonitored(objects, monitors ? monitoringGroups() : undefined, monitors);
    for (const object of workloadsOf(objects)) {
      const {volumes = [], containers} = object.spec?.template?.spec ?? {containers: []};
      assert.ok(
        containers.every(({image}) => image.includes("/")),
        `${nameOf(object)}: no image set`,
      );
      for (const {configMap} of volumes) {
        if (configMap === undefined || configMap.name === "strata-receive-generated") continue;
        const found = objects.some(({kind, metadata}) => kind === "ConfigMap" && metadata.name === configMap.name);
        assert.ok(found, `${nameOf(object)}: no ConfigMap ${configMap.name}`);
      }
    }
  }
});
