import assert from "node:assert/strict";
import {test} from "node:test";
import {parseErrorIn} from "./parse-error.ts";

test("byte columns become indexes into the expression", () => {
  const f = (expr: string, error: string, index: number): void => {
    const found = parseErrorIn(error, expr);
    assert.equal(found?.index, index, error);
    assert.equal(found?.message, "oops");
  };
  f("foo )", "1:6: parse error: oops", 5);
  f('"é" + )', "1:7: parse error: oops", 5);
  f('"日本"\n+ "😀" )', "2:10: parse error: oops", '"日本"\n+ "😀" )'.length - 1);
  f("up{", 'invalid parameter "query": 1:4: parse error: oops', 3);
  f("up", "9:99: parse error: oops", 2);
});

test("other errors have no place", () => {
  assert.equal(parseErrorIn("query timed out", "up"), undefined);
  assert.equal(parseErrorIn("37:47: duration must be greater than 0", "up"), undefined);
  assert.equal(parseErrorIn("unknown position: parse error: no expression found in input", ""), undefined);
});
