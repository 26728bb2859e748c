import assert from "node:assert/strict";
import {test} from "node:test";
import {random, repeat} from "@strata/base/testing";
import {Labels} from "@strata/model";
import {openMetricsLine} from "./dump-samples.ts";
import {OpenMetricsParser} from "./openmetrics-parser.ts";

/** The samples of a text as `{labels} value t`, pushed in pieces of `size` bytes. */
function read(text: string | Buffer, size = 7): string[] {
  const lines: string[] = [];
  const names: string[] = [];
  const parser = new OpenMetricsParser("in.om", {
    series: (labels) => names.push(String(labels)) - 1,
    sample: (series, t, value) => void lines.push(`${names[series]} ${value} ${t}`),
  });
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) parser.push(bytes.subarray(at, at + size));
  parser.end();
  return lines;
}

const good = (text: string, want: readonly string[]) => assert.deepEqual(read(text), want, text);
const bad = (text: string | Buffer, line: number, what: RegExp) => {
  assert.throws(
    () => read(text),
    (err: Error & {code?: string}) => {
      assert.equal(err.code, "bad_data", String(err));
      assert.match(err.message, new RegExp(`^cannot read in\\.om:${line}: `));
      assert.match(err.message, what);
      return true;
    },
    JSON.stringify(String(text)),
  );
};

test("samples are read with labels in order, times in whole ms", () => {
  good('b{y="2",x="1"} 5 1609954636.1239\nb{x="1",y="2"} 6 -1.5\n# EOF\n', [
    '{__name__="b", x="1", y="2"} 5 1609954636123',
    '{__name__="b", x="1", y="2"} 6 -1500',
  ]);
  good('a{} +Inf 1e3\na{b=""} nan 2\na -1.5e-3 0\n# EOF', [
    '{__name__="a"} Infinity 1000000',
    '{__name__="a"} NaN 2000',
    '{__name__="a"} -0.0015 0',
  ]);
});

test("escapes and quoted names", () => {
  good('a{b="x\\n\\"\\\\\\q }# 1"} 1 1\n# EOF\n', ['{__name__="a", b="x\\n\\"\\\\\\\\q }# 1"} 1 1000']);
  good('{"a.b","c.d"="é",e="f"} 1 1\n# EOF\n', ['{__name__="a.b", "c.d"="é", e="f"} 1 1000']);
});

test("metadata and exemplars are checked and dropped", () => {
  const text = [
    "# HELP x_total Some \\n text.",
    "# TYPE x_total counter",
    "# UNIT x_seconds seconds",
    'x_total 1 1 # {trace="a b"} 0.5 1.25',
    "x_bucket 2 2 # {} 1",
    "# EOF\n",
  ].join("\n");
  good(text, ['{__name__="x_total"} 1 1000', '{__name__="x_bucket"} 2 2000']);
});

test("what is wrong is said with its line", () => {
  bad("", 0, /does not end with # EOF/);
  bad("a 1 1\n", 1, /does not end with # EOF/);
  bad("a 1 1\n\n# EOF\n", 2, /empty/);
  bad("# EOF\na 1 1\n", 2, /more after # EOF/);
  bad("# EOF\n# EOF", 2, /more after # EOF/);
  bad("a 1\n# EOF\n", 1, /no timestamp/);
  bad("a_total 1 # {} 1\n# EOF\n", 1, /no timestamp/);
  bad("a  1 1\n# EOF\n", 1, /no value after "a"/);
  bad("a\n# EOF\n", 1, /no value/);
  bad("a 1 1 \n# EOF\n", 1, /unexpected " "/);
  bad("a 1 1\r\n# EOF\n", 1, /timestamp "1\\r" is not a number/);
  bad("a 0x1p3 1\n# EOF\n", 1, /value "0x1p3"/);
  bad("a 1_0 1\n# EOF\n", 1, /value "1_0"/);
  bad("a 1e999 1\n# EOF\n", 1, /value "1e999"/);
  bad("a 1 NaN\n# EOF\n", 1, /timestamp "NaN" is out of range/);
  bad("a 1 1\n1a 1 1\n# EOF\n", 2, /"1a" is no metric name/);
  bad(" a 1 1\n# EOF\n", 1, /no metric name/);
  bad('{a="b"} 1 1\n# EOF\n', 1, /no metric name/);
  bad('a{b="c",} 1 1\n# EOF\n', 1, /want a label name, got "}"/);
  bad('a{b="c" ,d="e"} 1 1\n# EOF\n', 1, /want "," or "}" after label "b", got " "/);
  bad('a{b="c",b="d"} 1 1\n# EOF\n', 1, /label "b" is given twice/);
  bad('a{__name__="c"} 1 1\n# EOF\n', 1, /label "__name__" is given twice/);
  bad('a{b="c 1 1\n# EOF\n', 1, /does not end/);
  bad("a{b=c} 1 1\n# EOF\n", 1, /needs double quotes/);
  bad("a{b} 1 1\n# EOF\n", 1, /needs a =/);
  bad('a{b="c"}x 1 1\n# EOF\n', 1, /no value/);
  bad(Buffer.from('a{b="\xff"} 1 1\n# EOF\n', "latin1"), 1, /not UTF-8/);
  bad("# nothing\n# EOF\n", 1, /want # HELP/);
  bad("# TYPE a banana\n# EOF\n", 1, /unknown metric type "banana"/);
  bad("# UNIT a seconds\n# EOF\n", 1, /unit "seconds"/);
  bad("a 1 1 # {} 1\n# EOF\n", 1, /cannot have exemplars/);
  bad('a_total 1 1 # {b="c"}\n# EOF\n', 1, /exemplar has no value/);
});

test("any bytes are read or refused by bad_data, wherever pieces end", () => {
  const next = random();
  const pick = (n: number): number => Math.floor(next() * n);
  const sound = '# TYPE a counter\na_total{b="c\\n",d="é"} 1.5 1609954636.123 # {t="x"} 1 2\n{"q.r"} NaN 5\n# EOF\n';
  const text = (bytes: Buffer, size: number): string => {
    try {
      return read(bytes, size).join("\n");
    } catch (err) {
      assert.equal((err as {code?: string}).code, "bad_data", JSON.stringify(bytes.toString("latin1")));
      return (err as Error).message;
    }
  };
  for (let round = repeat(20_000); round > 0; round--) {
    const bytes = Buffer.from(sound);
    for (let edits = 1 + pick(4); edits > 0; edits--) {
      bytes[pick(bytes.length)] = pick(2) === 0 ? pick(256) : (bytes[pick(bytes.length)] as number);
    }
    assert.equal(text(bytes, 1 + pick(20)), text(bytes, bytes.length));
  }
});

test("what dump-openmetrics prints is read back, odd names and values too", () => {
  const f = (object: Record<string, string>, line: string) => {
    const labels = Labels.fromObject(object);
    assert.equal(openMetricsLine(labels, "1", 1_500), line);
    good(`${line}\n# EOF\n`, [`${labels} 1 1500`]);
  };
  f({__name__: "a"}, "a{} 1 1.500");
  f({__name__: "a:b", x: '"\\\n', y: "\t\u0000é"}, 'a:b{x="\\"\\\\\\n",y="\t\u0000é"} 1 1.500');
  f({__name__: "a.b", "c d": "e", f: "g"}, '{"a.b","c d"="e",f="g"} 1 1.500');
});
