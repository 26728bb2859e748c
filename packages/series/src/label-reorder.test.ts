import assert from "node:assert/strict";
import {test} from "node:test";
import {compareLabels, Labels} from "@strata/model";
import fc from "fast-check";
import {LabelReorder} from "./label-reorder.ts";

const external = Labels.fromObject({k: "1", x: "2"});
type Row = {readonly labels: Labels};
const row = (own: Labels): Row => ({labels: own.extend(external)});

const names = fc.constantFrom("a", "b", "j", "l", "w", "y", "z");
const sets = fc.array(fc.dictionary(names, fc.constantFrom("1", "2"), {maxKeys: 4}), {maxLength: 40});

test("rows leave in the order of their final labels, none lost", () => {
  fc.assert(
    fc.property(sets, (objects) => {
      const own = [...new Map(objects.map((o) => [JSON.stringify(Object.entries(o).sort()), o])).values()]
        .map((o) => Labels.fromObject(o))
        .sort(compareLabels);
      const out: Labels[] = [];
      const order = new LabelReorder<Row>(external, (r) => out.push(r.labels));
      for (const set of own) order.add(row(set));
      order.finish();
      assert.equal(out.length, own.length);
      for (let i = 1; i < out.length; i++) assert.ok(compareLabels(out[i - 1] as Labels, out[i] as Labels) < 0);
    }),
  );
});

test("a row waits only while longer rows with its labels may follow", () => {
  const out: Row[] = [];
  const order = new LabelReorder<Row>(external, (r) => out.push(r));
  order.add(row(Labels.fromObject({a: "1"})));
  order.add(row(Labels.fromObject({a: "1", b: "1"})));
  assert.equal(order.held, 2);
  order.add(row(Labels.fromObject({a: "2"})));
  assert.equal(out.length, 2);
  assert.equal(order.held, 1);
});
