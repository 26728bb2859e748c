import assert from "node:assert/strict";
import {test} from "node:test";
import {runTogether} from "./run-together.ts";

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

test("a part that ends leaves the others running", async () => {
  const stop = new AbortController();
  let last = false;
  const done = runTogether(
    [
      async () => {},
      (signal) =>
        untilAborted(signal).finally(() => {
          last = true;
        }),
    ],
    stop.signal,
  );
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(last, false);
  stop.abort();
  await done;
  assert.equal(last, true);
});

test("the first failure stops the others and is thrown once they have stopped", async () => {
  let stopped = false;
  const other = (signal: AbortSignal): Promise<void> =>
    untilAborted(signal).finally(() => {
      stopped = true;
    });
  const failing = async (): Promise<void> => {
    throw new Error("first");
  };
  await assert.rejects(runTogether([other, failing], new AbortController().signal), /^Error: first$/);
  assert.equal(stopped, true);
});
