import assert from "node:assert/strict";
import {test} from "node:test";
import fc from "fast-check";
import {newUlid, parseUlid, ulidTime, ZERO_ULID} from "./ulid.ts";

test("a ULID is 26 characters of Crockford's alphabet, the first at most 7", () => {
  assert.equal(parseUlid("01HZGFK1803G62GEQRS5QXBBD5"), "01HZGFK1803G62GEQRS5QXBBD5");
  assert.equal(parseUlid("01hzgfk1803g62geqrs5qxbbd5"), "01HZGFK1803G62GEQRS5QXBBD5");
  assert.equal(parseUlid(ZERO_ULID), ZERO_ULID);
  for (const bad of [
    "",
    "01HZGFK1803G62GEQRS5QXBBD",
    "81HZGFK1803G62GEQRS5QXBBD5",
    "01HZGFK1803G62GEQRS5QXBBDU",
    "01HZGFK1803G62GEQRS5QXBBD5 ",
  ]) {
    assert.equal(parseUlid(bad), undefined, bad);
  }
  assert.throws(() => ulidTime("x"), {code: "bad_data"});
});

test("a new ULID carries its time and its random bits in order", () => {
  assert.equal(ulidTime("01HZGFK1803G62GEQRS5QXBBD5"), 1717466400000);
  fc.assert(
    fc.property(fc.integer({min: 0, max: 2 ** 48 - 1}), fc.uint8Array({minLength: 10, maxLength: 10}), (t, random) => {
      const ulid = newUlid(t, random);
      assert.equal(parseUlid(ulid), ulid);
      assert.equal(ulidTime(ulid), t);
    }),
  );
  const low = newUlid(7, new Uint8Array(10));
  assert.ok(low < newUlid(7, new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 1])) && low < newUlid(8, new Uint8Array(10)));
  assert.equal(newUlid(0, new Uint8Array(10).fill(255)), "0000000000ZZZZZZZZZZZZZZZZ");
});

test("new ULIDs of one moment differ, however many", () => {
  const made = Array.from({length: 1000}, () => newUlid(7));
  assert.equal(new Set(made).size, made.length);
  for (const ulid of made) assert.equal(ulidTime(ulid), 7);
});
