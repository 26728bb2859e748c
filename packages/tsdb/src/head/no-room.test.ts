import assert from "node:assert/strict";
import {test} from "node:test";
import {tempDir} from "@strata/base/testing";
import {Labels} from "@strata/model";
import {Head} from "./head.ts";
import {readAll} from "./testing/read-all.ts";

const T0 = 1_700_000_000_000;

/** Lets the next call of a method fail as an allocation, or a map that is full, does. */
function failOnce<K extends string>(target: {[key in K]: (...args: never[]) => unknown}, method: K): void {
  const own = target[method];
  target[method] = () => {
    target[method] = own;
    throw new RangeError("Array buffer allocation failed");
  };
}

test("where memory has no room a commit or a series is refused with the limit's error, and nothing has changed", async (t) => {
  const dir = tempDir(t);
  let head = await Head.open(dir);
  const labels = (i: number): Labels => Labels.fromObject({__name__: "m", i: String(i)});
  const put = async (n: number, i: number): Promise<void> => {
    const app = head.appender();
    app.float(app.seriesOf(labels(i)), T0 + n, n);
    await app.commit();
  };
  await put(0, 0);
  const before = await readAll([head]);
  for (const [target, method] of [
    [head.store, "reserveSamples"],
    [head.store.floats, "reserveSamples"],
    [head.store.table, "add"],
    [head.postings, "add"],
  ] as const) {
    failOnce(target as never, method as never);
    const isSeries = method === "add";
    await assert.rejects(put(1, isSeries ? 1 : 0), {
      code: "limit",
      message: isSeries
        ? /cannot add a series to the 1 of .*: memory has no room/
        : /cannot append 1 samples to .*: memory/,
    });
    assert.equal(head.series, 1);
    assert.deepEqual(await readAll([head]), before);
  }
  await put(1, 0);
  await put(1, 1);
  const want = await readAll([head]);
  assert.equal(want.size, 2);
  await head.close();
  head = await Head.open(dir);
  assert.deepEqual(await readAll([head]), want);
  await head.close();
});
