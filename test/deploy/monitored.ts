import assert from "node:assert/strict";
import {basename} from "node:path";
import {deployFiles, deployText} from "./deploy-files.ts";
import {type KubernetesObject, nameOf} from "./workloads.ts";

/** Fails where rules and dashboards among the objects are not those of deploy/. */
export function assertMonitored(objects: readonly KubernetesObject[], groups: unknown, dashboards: boolean): void {
  const rules = objects.filter(({kind}) => kind === "PrometheusRule");
  assert.deepEqual(
    rules.map(({spec}) => (spec as {groups?: unknown}).groups),
    groups === undefined ? [] : [groups],
  );
  const found = objects.filter(({metadata}) => metadata.labels?.grafana_dashboard === "1");
  for (const object of found) assert.equal(Object.keys(object.data ?? {}).length, 1, nameOf(object));
  const texts = found.flatMap(({data}) => Object.entries(data ?? {}));
  const files = dashboards ? deployFiles("grafana/dashboards/*.json") : [];
  const parsed = (text: string): unknown => JSON.parse(text);
  assert.deepEqual(
    new Map(texts.map(([file, text]) => [file, parsed(text)])),
    new Map(files.map((file) => [basename(file), parsed(deployText(file))])),
  );
}
