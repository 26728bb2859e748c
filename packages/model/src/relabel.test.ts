import assert from "node:assert/strict";
import {test} from "node:test";
import {Labels} from "./labels.ts";
import {type RelabelConfigInput, relabel, relabelConfigs} from "./relabel.ts";

const run = (labels: Record<string, string>, ...rules: RelabelConfigInput[]) =>
  relabel(Labels.fromObject(labels), relabelConfigs(rules))?.toObject();

const f = (labels: Record<string, string>, rule: RelabelConfigInput, want: Record<string, string> | undefined) =>
  assert.deepEqual(run(labels, rule), want, JSON.stringify(rule));

test("replace writes the expanded template, and removes the target when it comes out empty", () => {
  f(
    {a: "foo", b: "bar"},
    {source_labels: ["a", "b"], regex: "f(.*);(.*)r", target_label: "c", replacement: "$2x$" + "{1}"},
    {a: "foo", b: "bar", c: "oo"},
  );
  f(
    {a: "foo"},
    {source_labels: ["a"], regex: "f(.*)", target_label: "c", replacement: "$" + "{1}_$$1"},
    {a: "foo", c: "oo_$1"},
  );
  f(
    {a: "foo", c: "x"},
    {source_labels: ["a"], regex: "f(?P<rest>.*)", target_label: "c", replacement: "$nope"},
    {a: "foo"},
  );
  f(
    {a: "foo"},
    {source_labels: ["a"], regex: "f(?P<rest>.*)", target_label: "t_$rest", replacement: "$rest"},
    {a: "foo", t_oo: "oo"},
  );
  f({a: "foo"}, {source_labels: ["a"], regex: "oo", target_label: "c"}, {a: "foo"});
  f({a: "foo"}, {target_label: "c", replacement: "always"}, {a: "foo", c: "always"});
});

test("keep, drop and their equal forms decide over the whole target", () => {
  f({a: "x"}, {action: "keep", source_labels: ["a"], regex: "x|y"}, {a: "x"});
  f({a: "xx"}, {action: "keep", source_labels: ["a"], regex: "x"}, undefined);
  f({a: "x"}, {action: "drop", source_labels: ["a"], regex: "x"}, undefined);
  f({a: "x"}, {action: "drop", source_labels: ["missing"], regex: ""}, undefined);
  f({a: "x", b: "x"}, {action: "keepequal", source_labels: ["a"], target_label: "b"}, {a: "x", b: "x"});
  f({a: "x", b: "x"}, {action: "dropequal", source_labels: ["a"], target_label: "b"}, undefined);
  f({a: "x", b: "y"}, {action: "dropequal", source_labels: ["a"], target_label: "b"}, {a: "x", b: "y"});
});

test("label actions work on names", () => {
  f({a_1: "x", b: "y"}, {action: "labelmap", regex: "a_(.+)", replacement: "m_$1"}, {a_1: "x", b: "y", m_1: "x"});
  f({a_1: "x", b: "y"}, {action: "labeldrop", regex: "a_.*"}, {b: "y"});
  f({a_1: "x", b: "y"}, {action: "labelkeep", regex: "a_.*"}, {a_1: "x"});
});

test("case actions map character by character", () => {
  f({a: "AbÉ"}, {action: "lowercase", source_labels: ["a"], target_label: "l"}, {a: "AbÉ", l: "abé"});
  f({a: "aß"}, {action: "Uppercase", source_labels: ["a"], target_label: "a"}, {a: "Aß"});
});

test("rules are checked before they are used", () => {
  const bad = (rule: unknown, message: RegExp) =>
    assert.throws(
      () => relabelConfigs([rule]),
      (err: Error) => message.test(err.message),
    );
  bad({action: "nonsense"}, /unknown relabel action "nonsense"/);
  bad({action: ""}, /relabel action cannot be empty/);
  bad({action: "hashmod", source_labels: ["a"], target_label: "b"}, /non-zero modulus/);
  bad({action: "replace"}, /requires 'target_label'/);
  bad({action: "labeldrop", source_labels: ["a"]}, /requires only 'regex'/);
  bad({action: "keepequal", source_labels: ["a"], target_label: "b", regex: "x"}, /requires only 'source_labels'/);
  bad({action: "keep", regex: "("}, /missing closing \)/);
  bad({target: "x"}, /field target not found/);
  bad({source_labels: "a"}, /cannot use "a" as source_labels/);
  bad("x", /must be a mapping/);
});
