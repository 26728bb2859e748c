import assert from "node:assert/strict";
import {test} from "node:test";
import {Breaker} from "./breaker.ts";

const OPTIONS = {consecutiveFailures: 3, failureRatio: 0.5, minRequests: 10, openMs: 1000, halfOpenRequests: 2};

test("a row of failures opens it, and a success after the pause closes it", () => {
  let now = 1;
  const breaker = new Breaker(OPTIONS, () => now);
  for (let i = 0; i < 3; i++) {
    assert.equal(breaker.allow(), true);
    breaker.failed();
  }
  assert.equal(breaker.allow(), false);
  now += 1000;
  assert.deepEqual([breaker.allow(), breaker.allow(), breaker.allow()], [true, true, false]);
  breaker.failed();
  assert.equal(breaker.allow(), false, "the trial failed: closed for another while");
  now += 1000;
  assert.equal(breaker.allow(), true);
  breaker.succeeded();
  for (let i = 0; i < 5; i++) assert.equal(breaker.allow(), true);
});

test("a share of failures opens it once there were enough calls", () => {
  const breaker = new Breaker(OPTIONS, () => 1);
  for (let i = 0; i < 9; i++) {
    if (i % 2 === 0) breaker.failed();
    else breaker.succeeded();
    assert.equal(breaker.allow(), true, `${i}`);
  }
  breaker.failed();
  assert.equal(breaker.allow(), false);
});
