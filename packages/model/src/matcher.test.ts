import assert from "node:assert/strict";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import fc from "fast-check";
import {matcher} from "./matcher.ts";
import {compileRegex} from "./re2.ts";

const re = (pattern: string) => matcher("l", "=~", pattern);

test("equality matchers compare the whole value", () => {
  assert.equal(matcher("l", "=", "a").matches("a"), true);
  assert.equal(matcher("l", "=", "a").matches("ab"), false);
  assert.equal(matcher("l", "!=", "a").matches(""), true);
  assert.equal(matcher("l", "!=", "a").matches("a"), false);
});

test("a negative regular expression is the opposite of the positive one", () => {
  for (const value of ["", "a", "b", "ab"]) {
    assert.notEqual(re("a|b.*").matches(value), matcher("l", "!~", "a|b.*").matches(value), value);
  }
});

test("finite expressions give the set of their values", () => {
  const f = (pattern: string, want: string[] | undefined) => assert.deepEqual(re(pattern).set, want, pattern);
  f("", [""]);
  f("a", ["a"]);
  f("a|b|c", ["a", "b", "c"]);
  f("a|a|", ["a", ""]);
  f("a(b|c)d", ["abd", "acd"]);
  f("(?:x|y)[12]", ["x1", "x2", "y1", "y2"]);
  f("10\\.0\\.0\\.1:9100|h-2\\.x", ["10.0.0.1:9100", "h-2.x"]);
  f("colou?r", ["color", "colour"]);
  f("^a$|^b$", ["a", "b"]);
  f("a{", ["a{"]);
  f("[]a]", ["]", "a"]);
  f("[a-]", ["a", "-"]);
  f("a.b", undefined);
  f("a.*", undefined);
  f("a+", undefined);
  f("(?i)a", undefined);
  f("[^a]", undefined);
  f("[a-c]", undefined);
  f("\\d", undefined);
  f("a^b", undefined);
});

test("the prefix is what every matching value starts with", () => {
  const f = (pattern: string, want: string) => assert.equal(re(pattern).prefix, want, pattern);
  f("node_.*", "node_");
  f("node_(cpu|cpx).*", "node_cp");
  f("node_[a-z]+_total", "node_");
  f("ab+c", "ab");
  f("ab*c", "a");
  f("ab?c", "a");
  f(".*a", "");
  f("a|b.*", "");
  f("(?i)abc.*", "");
  f("ab|abc", "ab");
});

test("anchoring, newlines and the Kelvin sign behave as in RE2", () => {
  assert.equal(re("b").matches("abc"), false);
  assert.equal(re("a.c").matches("a\nc"), true);
  assert.equal(re("a.*c").matches("a\n\nc"), true);
  assert.equal(re("(?i)abK").matches("ABk"), true);
  assert.equal(re("(?i)k").matches("\u212a"), true);
  assert.equal(re(".+").matches(""), false);
  assert.equal(re(".+.+").matches("😀"), false);
  assert.equal(re(".+.+").matches("😀a"), true);
  assert.equal(re(".+.*").matches(""), false);
  assert.equal(re("a.+.*").matches("a"), false);
  assert.equal(re("a.+b").matches("ab"), false);
  assert.equal(re("aa.*aa").matches("aaa"), false);
});

test("a faulty expression is bad_data with Go's message", () => {
  const f = (pattern: string, message: string) =>
    assert.throws(
      () => re(pattern),
      (err) => err instanceof StrataError && err.code === "bad_data" && err.message === message,
      pattern,
    );
  f("(", "error parsing regexp: missing closing ): `(`");
  f("a)", "error parsing regexp: unexpected ): `a)`");
  f("a**", "error parsing regexp: invalid nested repetition operator: `**`");
  f("*a", "error parsing regexp: missing argument to repetition operator: `*`");
  f("[a", "error parsing regexp: missing closing ]: `[a`");
});

test("a nested repetition that makes other engines hang is decided at once", () => {
  assert.equal(re("(a+)+b").matches("a".repeat(20_000)), false);
});

test("analysed expressions decide as the engine does", () => {
  const piece = fc.constantFrom(
    "a",
    "b",
    "é",
    "😀",
    ".",
    ".*",
    ".+",
    "a?",
    "b*",
    "(a|b)",
    "(a|)",
    "[ab]",
    "[^a]",
    "a+",
    "|",
    "^",
    "$",
    "\\.",
    "\\w",
    "{",
    "(b.*|a)",
    ".?",
    "a{2}",
    "[^]]",
    "(?:ab)+",
    "x",
    "(?i)",
    "[a-b]",
    "\\b",
  );
  const pattern = fc.array(piece, {maxLength: 7}).map((parts) => parts.join(""));
  const value = fc
    .array(fc.constantFrom("a", "b", "x", "é", "😀", ".", "\n", "{", "A", "]", ""), {maxLength: 8})
    .map((p) => p.join(""));
  fc.assert(
    fc.property(pattern, fc.array(value, {minLength: 4, maxLength: 10}), (text, values) => {
      let engine: {test(text: string): boolean};
      try {
        engine = compileRegex(text);
      } catch {
        fc.pre(false);
        return;
      }
      const m = re(text);
      for (const v of values) {
        assert.equal(m.matches(v), engine.test(v), JSON.stringify([text, v]));
        if (m.set !== undefined) assert.equal(m.set.includes(v), m.matches(v), JSON.stringify([text, v]));
        if (m.matches(v)) assert.ok(v.startsWith(m.prefix), JSON.stringify([text, v, m.prefix]));
      }
    }),
    {numRuns: 2000},
  );
});
