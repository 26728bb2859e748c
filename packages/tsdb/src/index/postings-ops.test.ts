import assert from "node:assert/strict";
import {test} from "node:test";
import {matcher} from "@strata/model";
import fc from "fast-check";
import {gallop, intersect, intersects, subtract, union} from "./postings-ops.ts";
import {type PostingsSource, selectPostings} from "./select-postings.ts";

const ids = (max = 400) => fc.uniqueArray(fc.nat(max), {maxLength: 80}).map((a) => Uint32Array.from(a).sort());
const sparse = fc.oneof(ids(), ids(20), ids(4_000_000_000));

const both = (a: Set<number>, b: Set<number>): Set<number> => new Set([...a].filter((id) => b.has(id)));

test("intersect, union and subtract are those of sets", () => {
  fc.assert(
    fc.property(fc.array(sparse, {minLength: 1, maxLength: 12}), (lists) => {
      const sets = lists.map((list) => new Set(list));
      const [first, second] = [sets[0] as Set<number>, sets[1] ?? new Set<number>()];
      const sorted = (set: Set<number>) => [...set].sort((a, b) => a - b);
      assert.deepEqual([...intersect(lists)], sorted(sets.reduce(both)));
      assert.deepEqual([...union(lists)], sorted(new Set(lists.flatMap((list) => [...list]))));
      const [a, b] = [lists[0] as Uint32Array, lists[1] ?? new Uint32Array(0)];
      assert.deepEqual([...subtract(a, b)], sorted(new Set([...first].filter((id) => !second.has(id)))));
      assert.equal(intersects(a, b), both(first, second).size > 0);
    }),
    {numRuns: 500},
  );
});

test("intersect of a short list with a long one gallops to the same answer", () => {
  const long = Uint32Array.from({length: 100_000}, (_, i) => i * 3);
  assert.deepEqual([...intersect([long, Uint32Array.of(0, 4, 9, 299_997, 300_000)])], [0, 9, 299_997]);
});

test("gallop gives the first place not below the target", () => {
  const list = Uint32Array.of(1, 5, 5_000, 6_000);
  assert.deepEqual(
    [0, 1, 2, 5, 5_001, 6_001].map((x) => gallop(list, x, 0)),
    [0, 0, 1, 1, 3, 4],
  );
  assert.equal(gallop(list, 1, 2), 2);
});

/** A source over label sets in memory; series i has id i. */
function memorySource(series: readonly Record<string, string>[]): PostingsSource & {reads: string[]} {
  const values = (name: string) => [...new Set(series.map((s) => s[name] ?? ""))].filter((v) => v !== "").sort();
  const reads: string[] = [];
  return {
    reads,
    all: async () => {
      reads.push("all");
      return Uint32Array.from(series, (_, i) => i);
    },
    labelNames: async () => [],
    labelValues: async (name, prefix = "") => values(name).filter((v) => v.startsWith(prefix)),
    postings: async (name, wanted) => {
      reads.push(name);
      return values(name)
        .filter((value) => wanted.includes(value))
        .map((value) => Uint32Array.from(series.flatMap((s, i) => (s[name] === value ? [i] : []))));
    },
    cardinality: (name) => values(name).length,
  };
}

test("selectPostings finds what checking every series finds", async () => {
  const value = fc.constantFrom("", "a", "b", "ab", "c");
  const series = fc.array(fc.record({x: value, y: value}), {maxLength: 30});
  const pattern = fc.constantFrom(
    "",
    "a",
    "b",
    "a|b",
    "a.*",
    ".*",
    ".+",
    "a?",
    "[ab]",
    "(a|)",
    "c|nope",
    "[^a]",
    "nope",
  );
  const oneMatcher = fc.record({
    name: fc.constantFrom("x", "y", "z"),
    op: fc.constantFrom("=", "!=", "=~", "!~" as const),
    value: pattern,
  });
  await fc.assert(
    fc.asyncProperty(series, fc.array(oneMatcher, {maxLength: 4}), async (all, list) => {
      const matchers = list.map((m) => matcher(m.name, m.op as "=", m.value));
      const want = all.flatMap((s, i) =>
        matchers.every((m) => m.matches((s as Record<string, string>)[m.name] ?? "")) ? [i] : [],
      );
      assert.deepEqual([...(await selectPostings(matchers, memorySource(all))).ids], want);
      const lazy = await selectPostings(matchers, memorySource(all), {lazy: true});
      const checked = [...lazy.ids].filter((i) =>
        lazy.pending.every((m) => m.matches((all[i] as Record<string, string>)[m.name] ?? "")),
      );
      assert.deepEqual(checked, want);
    }),
    {numRuns: 500},
  );
});

test("a matcher over far more values than series are left is not expanded when asked to be lazy", async () => {
  const series = Array.from({length: 3_000}, (_, i) => ({job: i < 3 ? "few" : "many", id: `v${i}`}));
  const source = memorySource(series);
  const matchers = [matcher("id", "=~", ".*[02]"), matcher("job", "=", "few")];
  const {ids, pending} = await selectPostings(matchers, source, {lazy: true});
  assert.deepEqual([...ids], [0, 1, 2]);
  assert.deepEqual(pending, [matchers[0]]);
  assert.deepEqual(source.reads, ["job"]);
});

test("a selector that nothing can fit reads no more than the cheapest list", async () => {
  const source = memorySource([{a: "1"}]);
  await selectPostings([matcher("a", "=~", ".+"), matcher("b", "!=", "x"), matcher("c", "=", "no")], source);
  assert.deepEqual(source.reads, ["c"]);
});
