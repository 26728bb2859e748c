import assert from "node:assert/strict";
import {test} from "node:test";
import {QueryBoard} from "./query-board.ts";

test("what one thread writes of a query the other reads, slot by slot", () => {
  const main = QueryBoard.withSlots(3);
  const worker = new QueryBoard(main.buffer);
  worker.report(1, {samples: 5, bytes: 2 ** 40, peakBytes: 2 ** 41});
  main.stop(1);
  assert.deepEqual(
    [0, 1, 2].map((slot) => worker.stopped(slot)),
    [false, true, false],
  );
  assert.deepEqual(main.progress(1), {samples: 5, bytes: 2 ** 40, peakBytes: 2 ** 41});
  assert.deepEqual(main.progress(0), {samples: 0, bytes: 0, peakBytes: 0});
  assert.deepEqual(main.progress(2), main.progress(0));
  main.clear(1);
  assert.equal(worker.stopped(1), false);
  assert.deepEqual(main.progress(1), main.progress(0));
});
