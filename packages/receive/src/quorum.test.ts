import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import {Quorum, quorumOf} from "./quorum.ts";

const conflict = new StrataError("conflict", "out of order");
const away = new StrataError("unavailable", "away");
const broken = new StrataError("internal", "disk full");

test("the quorum is a majority, and one of two", () => {
  assert.deepEqual([1, 2, 3, 4, 5].map(quorumOf), [1, 1, 2, 3, 3]);
});

/** Three copies of one class; what is decided after each answer, and the error at the end. */
function three(...answers: (StrataError | undefined)[]): {decided: boolean[]; error: StrataError | undefined} {
  const quorum = new Quorum(1, 3, 2);
  const decided = answers.map((answer) => {
    quorum.add([0], answer);
    return quorum.isDecided;
  });
  return {decided, error: quorum.error};
}

test("two of three copies are a success, whatever becomes of the third", () => {
  assert.deepEqual(three(undefined, undefined), {decided: [false, true], error: undefined});
  assert.equal(three(away, undefined, undefined).error, undefined);
  assert.equal(three(conflict, undefined, undefined).error, undefined);
});

test("two conflicts end the wait, two other failures do not", () => {
  const {decided, error} = three(conflict, conflict);
  assert.deepEqual(decided, [false, true]);
  assert.equal(error?.code, "conflict");
  assert.deepEqual(three(away, away).decided, [false, false]);
  assert.equal(three(away, away, undefined).error?.code, "unavailable");
});

test("failures of different kinds make the sender come again", () => {
  assert.equal(three(conflict, away, undefined).error?.code, "unavailable");
  assert.equal(three(broken, broken, undefined).error?.code, "unavailable");
  assert.equal(three(conflict, conflict, away).error?.code, "conflict");
});

test("one class that a retry may save makes the whole request one to be retried", () => {
  const quorum = new Quorum(2, 3, 2);
  for (const err of [conflict, conflict, undefined]) quorum.add([0], err);
  for (const err of [away, away, undefined]) quorum.add([1], err);
  assert.equal(quorum.error?.code, "unavailable");
  assert.equal(quorum.error?.message, "2 errors: away; out of order");
});

test("a copy that was made elsewhere needs only this one", () => {
  const quorum = new Quorum(1, 1, 1);
  quorum.add([0], broken);
  assert.equal(quorum.error?.code, "unavailable");
});
