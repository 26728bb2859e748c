import assert from "node:assert/strict";
import {test} from "node:test";
import {compareLabels, Labels, matcher} from "@strata/model";
import fc from "fast-check";
import {finalLabels, OrderRestorer, stripExternal} from "./external-labels.ts";

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

const names = fc.constantFrom("a", "b", "j", "l", "w", "y", "z");
const sets = fc.array(fc.dictionary(names, fc.constantFrom("1", "2"), {maxKeys: 4}), {maxLength: 40});

test("rows leave in the order of their final labels, none lost", () => {
  fc.assert(
    fc.property(sets, (objects) => {
      const own = [...new Map(objects.map((o) => [JSON.stringify(Object.entries(o).sort()), o])).values()]
        .map((o) => Labels.fromObject(o))
        .sort(compareLabels);
      const restorer = new OrderRestorer<{own: Labels; labels: Labels}>();
      const out: Labels[] = [];
      for (const set of own) {
        for (const row of restorer.push({own: set, labels: finalLabels(set, external, [])})) out.push(row.labels);
      }
      for (const row of restorer.flush()) out.push(row.labels);
      assert.equal(out.length, own.length);
      for (let i = 1; i < out.length; i++) assert.ok(compareLabels(out[i - 1] as Labels, out[i] as Labels) < 0);
    }),
  );
});

test("a row waits only while longer rows with its labels may follow", () => {
  const restorer = new OrderRestorer<{own: Labels; labels: Labels}>();
  const row = (o: Record<string, string>) => {
    const own = Labels.fromObject(o);
    return {own, labels: finalLabels(own, external, [])};
  };
  restorer.push(row({a: "1"}));
  restorer.push(row({a: "1", b: "1"}));
  assert.equal(restorer.held, 2);
  assert.equal(restorer.push(row({a: "2"})).length, 2);
  assert.equal(restorer.held, 1);
});
