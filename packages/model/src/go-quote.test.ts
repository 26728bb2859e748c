import assert from "node:assert/strict";
import {test} from "node:test";
import fc from "fast-check";
import {goQuote, goUnquote} from "./go-quote.ts";
import {Labels} from "./labels.ts";

test("goQuote escapes as Go's %q", () => {
  const f = (text: string, want: string) => assert.equal(goQuote(text), want);
  f("plain", '"plain"');
  f('a"b\\c', '"a\\"b\\\\c"');
  f("\n\t\r\x07\b\f\v", '"\\n\\t\\r\\a\\b\\f\\v"');
  f("\x00\x7f", '"\\x00\\x7f"');
  f("été 😀", '"été 😀"');
  f("\u00a0\u200b\u2028", '"\\u00a0\\u200b\\u2028"');
  f("\u{10ffff}", '"\\U0010ffff"');
  f("<&>", '"<&>"');
});

test("goUnquote reads what goQuote writes", () => {
  fc.assert(
    fc.property(fc.string({unit: "binary"}), (text) => assert.equal(goUnquote(goQuote(text)), text.toWellFormed())),
  );
});

test("goUnquote reads the other escapes and refuses what is no literal", () => {
  assert.equal(goUnquote('"\\xc3\\xa9\\u00e9\\303\\251"'), "ééé");
  assert.equal(goUnquote('`a\\n"b`'), 'a\\n"b');
  for (const bad of [
    "",
    '"',
    '"a',
    "a",
    '"a"b"',
    '"\\q"',
    '"\\x1"',
    '"\\400"',
    "'a'",
    '"\\ud800"',
    '"a\nb"',
    '"\\\'"',
  ]) {
    assert.throws(() => goUnquote(bad), {code: "bad_data"}, bad);
  }
});

test("label sets print as Prometheus prints them", () => {
  const labels = Labels.fromObject({__name__: "up", "http.code": "200", q: 'say "hi"\n', é: "ü"});
  assert.equal(labels.toString(), '{__name__="up", "http.code"="200", q="say \\"hi\\"\\n", "é"="ü"}');
});
