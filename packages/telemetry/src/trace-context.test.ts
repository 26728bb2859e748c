import assert from "node:assert/strict";
import {test} from "node:test";
import {formatTraceparent, parseTraceparent} from "./trace-context.ts";

const T = "4bf92f3577b34da6a3ce929d0e0e4736";
const S = "00f067aa0ba902b7";

test("a valid traceparent is read and written back", () => {
  const text = `00-${T}-${S}-01`;
  const context = parseTraceparent(text);
  assert.deepEqual(context, {traceId: T, spanId: S, sampled: true});
  assert.equal(formatTraceparent(context ?? assert.fail()), text);
  assert.equal(parseTraceparent(`00-${T}-${S}-00`)?.sampled, false);
});

test("a later version with more fields is accepted, a broken value is not", () => {
  assert.notEqual(parseTraceparent(`01-${T}-${S}-01-more`), undefined);
  const bad = [undefined, "", "x", `ff-${T}-${S}-01`, `00-${T}-${S}-01-more`, `00-${"0".repeat(32)}-${S}-01`];
  for (const value of [...bad, `00-${T}-${"0".repeat(16)}-01`, `00-${T.toUpperCase()}-${S}-01`]) {
    assert.equal(parseTraceparent(value), undefined, String(value));
  }
});
