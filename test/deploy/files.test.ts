import assert from "node:assert/strict";
import {test} from "node:test";
import {checkDeployed} from "@strata/strata/testing";
import {parseAllDocuments} from "yaml";
import {deployFiles, deployText} from "./deploy-files.ts";

const TEMPLATES = /^helm\/.*\/templates\//;

test("every YAML and JSON file can be read", () => {
  const files = deployFiles("**/*.{yml,yaml,json}").filter((file) => !TEMPLATES.test(file));
  assert.ok(files.length > 40);
  for (const file of files) {
    if (file.endsWith(".json")) JSON.parse(deployText(file));
    else for (const document of parseAllDocuments(deployText(file))) assert.deepEqual(document.errors, [], file);
  }
});

test("the example of a federation has endpoints that a querier reads", async () => {
  const path = "/etc/strata/endpoints.yml";
  const files = (asked: string) => (asked === path ? [deployText("federation/endpoints.yml")] : []);
  assert.equal(await checkDeployed(["query", `--endpoint.sd-config-file=${path}`], files), "query");
  await assert.rejects(
    checkDeployed(["query", "--endpoint.sd-config-file=/elsewhere"], files),
    /nothing is deployed at/,
  );
});

test("what would keep a component from starting is found", async () => {
  const f = (args: readonly string[], want: RegExp, text = "") =>
    assert.rejects(
      checkDeployed(args, () => (text === "" ? [] : [text])),
      want,
    );
  await f(["query", "--no-such-flag=1"], /unknown long flag/);
  await f(["query", "--query.timeout=soon"], /query.timeout|duration/);
  await f(["store"], /objstore.config/);
  await f(["store", "--objstore.config-file=/x"], /type/, "type: NONE");
  await f(["rule", "--rule-file=/x"], /expr|parse/, "groups: [{name: a, rules: [{record: b, expr: 'sum('}]}]");
  await f(["sidecar", "--store.sd-files=/x"], /unknown/);
});
