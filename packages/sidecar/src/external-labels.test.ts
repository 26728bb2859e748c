import assert from "node:assert/strict";
import {test} from "node:test";
import {Labels, matcher} from "@strata/model";
import {finalLabels, stripExternal} from "./external-labels.ts";

const external = Labels.fromObject({k: "1", x: "2"});

test("matchers on external labels are answered and dropped", () => {
  const rest = stripExternal([matcher("k", "=", "1"), matcher("a", "=", "b"), matcher("x", "=~", "2|3")], external);
  assert.deepEqual(
    rest?.map((m) => m.name),
    ["a"],
  );
});

test("a contradicted external label leaves nothing to ask", () => {
  assert.equal(stripExternal([matcher("a", "=", "b"), matcher("k", "!=", "1")], external), undefined);
});

test("external labels win over a series' own and replica labels go", () => {
  const own = Labels.fromObject({a: "1", k: "9", z: "3"});
  assert.deepEqual(finalLabels(own, external, ["x"]).toObject(), {a: "1", k: "1", z: "3"});
});
