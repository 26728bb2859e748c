import assert from "node:assert/strict";
import {test} from "node:test";
import {errorCode, errorText, StrataError} from "@strata/base";
import {proxyError} from "./proxy-error.ts";

test("errors of endpoints name the steps they went through and keep their code", () => {
  const fetch = proxyError(new StrataError("unavailable", "fetch series for {} a:1: refused"), "Series", "outer: ");
  assert.equal(errorText(fetch), "outer: proxy Series(): fetch series for {} a:1: refused");
  assert.equal(errorCode(fetch), "unavailable");
  const receive = proxyError(new StrataError("execution", "receive series from a:1: reset"), "Series");
  assert.equal(errorText(receive), "proxy Series(): rpc error: code = Aborted desc = receive series from a:1: reset");
  const names = proxyError(new StrataError("unavailable", "fetch label names from store a:1: refused"), "LabelNames");
  assert.equal(errorText(names), "proxy LabelNames(): fetch label names from store a:1: refused");
});

test("other errors stay as they are", () => {
  const limit = new StrataError("limit", "cannot read series of a:1: too many bytes");
  assert.equal(proxyError(limit, "Series"), limit);
  const plain = new Error("fetch series for a");
  assert.equal(proxyError(plain, "Series"), plain);
});
