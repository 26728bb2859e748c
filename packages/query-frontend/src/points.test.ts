import assert from "node:assert/strict";
import {test} from "node:test";
import {JsonScan} from "./json-scan.ts";
import {cut, joined, PointReader, pieceBytes, plainNumber, thinned} from "./points.ts";

const read = (text: string) => new PointReader(new JsonScan(Buffer.from(text))).read(0);
const textOf = (points: ReturnType<typeof read>, from = 0, to = points.times.length): string =>
  Buffer.from(pieceBytes({points, from, to})).toString();

test("numbers are printed without an exponent", () => {
  const f = (given: string, want: string) => assert.equal(plainNumber(given), want);
  f("1e-09", "0.000000001");
  f("-1.25e-3", "-0.00125");
  f("1.5e+21", "1500000000000000000000");
  f("1.234e2", "123.4");
  f("12", "12");
  f("NaN", "NaN");
  f("+Inf", "+Inf");
});

test("points keep their text, whatever the form they came in", () => {
  const compact = read('[[1.5,"1"],[2,"NaN"],[3.123,"-0.5"]]');
  assert.deepEqual([...compact.times], [1500, 2000, 3123]);
  assert.equal(textOf(compact), '[1.5,"1"],[2,"NaN"],[3.123,"-0.5"]');
  assert.equal(textOf(compact, 1, 2), '[2,"NaN"]');
  const spaced = read(' [ [1 , "1e-07"] ,\n[2,"2"]]'.trim());
  assert.equal(textOf(spaced), '[1,"0.0000001"],[2,"2"]');
  const histograms = read('[[1,{"count":"2","buckets":[[0,"1","2","2"]]}],[2,{"count":"3"}]]');
  assert.equal(textOf(histograms, 0, 1), '[1,{"count":"2","buckets":[[0,"1","2","2"]]}]');
  assert.equal(read("[]").times.length, 0);
});

test("pieces are cut, joined and thinned point by point", () => {
  const points = read('[[1,"a"],[2,"b"],[3,"c"],[4,"d"]]');
  const whole = {points, from: 0, to: 4};
  const middle = cut(whole, 1500, 3000);
  assert.ok(middle !== undefined);
  assert.equal(Buffer.from(pieceBytes(middle)).toString(), '[2,"b"],[3,"c"]');
  assert.equal(cut(whole, 4001, 9000), undefined);
  const both = joined([middle, {points, from: 3, to: 4}]);
  assert.equal(textOf(both), '[2,"b"],[3,"c"],[4,"d"]');
  assert.equal(textOf(both, 1, 3), '[3,"c"],[4,"d"]');
  assert.equal(textOf(thinned(points, 1000, 2000, 0, 4)), '[1,"a"],[3,"c"]');
});

test("what is not JSON is an error that says where", () => {
  for (const text of ["", "[", "[[1,", '[[1,"2"', "[1]x", '[["x"'])
    assert.throws(() => read(text), {code: "internal", message: /it is not JSON at byte \d+$/}, text);
});
