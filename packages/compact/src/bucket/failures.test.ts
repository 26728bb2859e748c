import assert from "node:assert/strict";
import {test} from "node:test";
import {type ErrorCode, StrataError} from "@strata/base";
import {Failures, HaltError} from "./failures.ts";

test("several failures are one: canceled if any is, retriable only if all are, halting before all", () => {
  const f = (codes: readonly ErrorCode[], want: ErrorCode): void => {
    const failures = new Failures();
    for (const [i, code] of codes.entries()) failures.add(new StrataError(code, `failure ${i}`));
    assert.equal(failures.error.code, want, codes.join());
    assert.equal(failures.error.message, codes.map((_, i) => `failure ${i}`).join("; "));
  };
  f(["unavailable", "timeout"], "unavailable");
  f(["unavailable", "corrupt"], "internal");
  f(["unavailable", "canceled"], "canceled");
  f(["corrupt", "canceled"], "canceled");
  const failures = new Failures();
  failures.add(new StrataError("canceled", "over"));
  failures.add(new HaltError("stop here"));
  assert.ok(failures.error instanceof HaltError);
});
