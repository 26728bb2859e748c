import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {matcher} from "@strata/model";
import fc from "fast-check";
import {BufferAccess} from "../random-access.ts";
import {forgeIndex, type Tamper} from "../testing/index.ts";
import {IndexReader} from "./index-reader.ts";
import {selectLabelValues} from "./select-labels.ts";
import {selectPostings} from "./select-postings.ts";

/** An index of series {a="…", b="…"} with one chunk each. */
const forge = (version: 1 | 2, series: readonly (readonly [a: string, b: string])[], tamper?: Tamper): Uint8Array =>
  forgeIndex(
    version,
    series.map(([a, b], i) => ({
      labels: [
        ["a", a],
        ["b", b],
      ],
      chunks: [{mint: i * 10, maxt: i * 10 + 5, ref: 8 + i}],
    })),
    tamper,
  );

const text = fc.constantFrom("1", "2", "é", "x".repeat(40), "\ufeffbom", "z");
const pairs = fc
  .uniqueArray(fc.tuple(text, text), {minLength: 1, maxLength: 20, selector: String})
  .map((list) => list.sort(([a, b], [c, d]) => (a < c || (a === c && b < d) ? -1 : 1)));

test("indexes of versions 1 and 2 read alike", async () => {
  await fc.assert(
    fc.asyncProperty(pairs, fc.constantFrom(1 as const, 2 as const), async (series, version) => {
      const index = await IndexReader.open(new BufferAccess("index", forge(version, series)));
      assert.equal(index.version, version);
      assert.deepEqual(await index.labelNames(), ["a", "b"]);
      const got: unknown[] = [];
      await index.readSeries(await index.all(), (_, labels, e) => {
        got.push([labels.toObject(), [...e.mint.slice(0, e.chunks)], [...e.chunkRef.slice(0, e.chunks)]]);
      });
      assert.deepEqual(
        got,
        series.map(([a, b], i) => [{a, b}, [i * 10], [8 + i]]),
      );
      for (const value of new Set(series.map(([a]) => a))) {
        const {ids} = await selectPostings([matcher("a", "=", value)], index);
        assert.equal(ids.length, series.filter(([a]) => a === value).length);
        const values = await selectLabelValues("b", [matcher("a", "=", value)], index);
        assert.deepEqual(
          values,
          series.filter(([a]) => a === value).map(([, b]) => b),
        );
      }
      const all: string[] = [];
      for await (const {texts, refs} of index.symbols.all()) {
        const found = await index.symbols.resolve(refs);
        texts.forEach((symbol, i) => {
          assert.equal(found.get(refs[i] as number), symbol);
        });
        all.push(...texts);
      }
      assert.deepEqual(all, [...new Set(["a", "b", ...series.flat()])].sort());
    }),
    {numRuns: 60},
  );
});

test("nonsense behind right checksums gives an answer or a corrupt error", async () => {
  const part = fc.constantFrom("symbols", "series", "postings", "table" as const);
  const change = fc.record({at: fc.nat(400), put: fc.uint8Array({minLength: 1, maxLength: 4}), cut: fc.boolean()});
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(1 as const, 2 as const),
      pairs,
      part,
      change,
      async (version, series, which, c) => {
        const bytes = forge(version, series, (name, content) => {
          if (name !== which || content.length === 0) return content;
          const at = c.at % content.length;
          if (c.cut) return content.slice(0, at);
          content.set(c.put.subarray(0, content.length - at), at);
          return content;
        });
        try {
          const index = await IndexReader.open(new BufferAccess("index", bytes));
          for (const name of await index.labelNames()) {
            const values = await index.labelValues(name);
            await index.postings(name, values);
          }
          await selectPostings([matcher("a", "=~", "1|2"), matcher("b", "!=", "z")], index);
          await index.readSeries(await index.all(), () => {});
        } catch (err) {
          assert.ok(err instanceof StrataError && err.code === "corrupt", String((err as Error).stack ?? err));
        }
      },
    ),
    {numRuns: 1500},
  );
});
