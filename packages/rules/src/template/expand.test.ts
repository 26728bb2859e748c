import assert from "node:assert/strict";
import {test} from "node:test";
import {Labels} from "@strata/model";
import {Expander, RuleTemplate, type TemplateSample} from "./expand.ts";

const sample = {labels: Labels.fromObject({__name__: "m", job: "api"}), value: 1234.5678};
const up: TemplateSample[] = [
  {labels: Labels.fromObject({__name__: "up", instance: "b:1"}), value: 1.5},
  {labels: Labels.fromObject({__name__: "up", instance: "a:1", __value__: "sv"}), value: 2},
];

function newExpander(functionUrl: string | undefined = "http://prom:9090/base"): {expander: Expander; asked: string[]} {
  const asked: string[] = [];
  const expander = new Expander({
    t: 1_700_000_000_123,
    externalLabels: Labels.fromObject({cluster: "c1"}),
    externalUrl: "http://prom:9090/base",
    functionUrl,
    query: async (expr) => {
      asked.push(expr);
      if (expr === "fails") throw new Error("boom");
      return expr === "none" ? [] : up;
    },
  });
  return {expander, asked};
}

const expand = (text: string): Promise<string> => new RuleTemplate("X", text).expand(newExpander().expander, sample);
const f = async (text: string, want: string): Promise<void> => assert.equal(await expand(text), want, text);
/** What stands after the place of a fault at run time. */
const failsAt = (text: string, want: string): Promise<void> =>
  f(text, `<error expanding template: error executing template __alert_X: template: __alert_X:1:${want}>`);
const unparsable = (text: string, want: string): Promise<void> =>
  f(text, `<error expanding template: error parsing template __alert_X: template: __alert_X:${want}>`);

test("actions, variables and pipelines", async () => {
  await f("plain", "plain");
  await f('{{ $value }} {{ .Value }} {{ $value | printf "%.2f" }}', "1234.5678 1234.5678 1234.57");
  await f("{{ $labels }} {{ $labels.job }} {{ $labels.nope }}|", "map[__name__:m job:api] api |");
  await f("{{ $externalLabels.cluster }} {{ $externalURL }}", "c1 http://prom:9090/base");
  await f("{{ $x := 5 }}{{ if true }}{{ $x = 7 }}{{ end }}{{ $x }}", "7");
  await f("{{ 'a' }} {{ 0x10 }} {{ 1_000 }} {{ 1e3 }} {{ .5 }} {{ -3 }} {{ +4.50 }}", "97 16 1000 1000 0.5 -3 4.5");
  await f("a {{- /* gone */ -}} b{{/* gone */}} {{- `raw` }}", "abraw");
});

test("controls", async () => {
  await f("{{ if gt $value 5.0 }}a{{ else if lt $value 2.0 }}b{{ else }}c{{ end }}", "a");
  await f("{{ range $k, $v := $labels }}{{ $k }}={{ $v }};{{ end }}", "__name__=m;job=api;");
  await f(
    "{{ range 5 }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ if eq . 3 }}{{ break }}{{ end }}{{ . }}{{ end }}",
    "02",
  );
  await f(
    "{{ with $labels.nope }}x{{ else }}none{{ end }}{{ with $y := $labels.job }}{{ $y }}{{ . }}{{ end }}",
    "noneapiapi",
  );
  await f(
    '{{ define "x" }}[{{ . }}]{{ end }}{{ template "x" $value }}{{ block "b" 5 }}<{{ . }}>{{ end }}',
    "[1234.5678]<5>",
  );
});

test("functions of Prometheus", async () => {
  await f(
    '{{ humanize 1234567 }} {{ humanize 0.00001234 }} {{ humanize -999.99 }} {{ humanize "Inf" }}',
    "1.235M 12.34u -1000 +Inf",
  );
  await f("{{ humanize1024 1048576 }} {{ humanizePercentage 0.1234567 }}", "1Mi 12.35%");
  await f(
    "{{ humanizeDuration 0.0032 }} {{ humanizeDuration 93784 }} {{ humanizeDuration -61.5 }}",
    "3.2ms 1d 2h 3m 4s -1m 1s",
  );
  await f("{{ humanizeTimestamp 1435065584.128 }} {{ now }}", "2015-06-23 13:19:44.128 +0000 UTC 1.700000000123e+09");
  await f(
    '{{ (toTime 1700000000).Format "Mon Jan _2 15:04:05 2006" }} {{ toDuration 90.5 }}',
    "Tue Nov 14 22:13:20 2023 1m30.5s",
  );
  await f('{{ parseDuration "-1h30m" }} {{ stripPort "[::1]:90" }} {{ stripDomain "a.b.c:80" }}', "-5400 ::1 a:80");
  await f('{{ match "^a" "abc" }} {{ reReplaceAll "a(b)" "$1$1" "xabx" }}', "true xbbx");
  await f(
    '{{ title "hello wOrld-foo" }} {{ urlQueryEscape "a b/é" }} {{ args 1 "x" }}',
    "Hello WOrld-Foo a+b%2F%C3%A9 map[arg0:1 arg1:x]",
  );
  await f(
    '{{ graphLink "up == 1" }} {{ externalURL }} {{ pathPrefix }}',
    "/graph?g0.expr=up+%3D%3D+1&g0.tab=0 http://prom:9090/base /base",
  );
});

test("queries are asked once an evaluation, and their samples can be looked into", async () => {
  const {expander, asked} = newExpander();
  const template = new RuleTemplate(
    "X",
    '{{ query "x" | first | value }} {{ range query "x" | sortByLabel "instance" }}{{ .Labels.instance }}:{{ .Value }};{{ end }}',
  );
  for (let i = 0; i < 3; i++) assert.equal(await template.expand(expander, sample), "1.5 a:1:2;b:1:1.5;");
  assert.deepEqual(asked, ["x"]);
  await f(
    '{{ query "x" | sortByLabel "instance" | first | strvalue }} {{ query "x" | first | label "instance" }}',
    "sv b:1",
  );
  await f('{{ with query "none" }}x{{ else }}none{{ end }}', "none");
  await failsAt('{{ query "fails" }}', '115: executing "__alert_X" at <query "fails">: error calling query: boom');
  await failsAt(
    '{{ first (query "none") }}',
    '115: executing "__alert_X" at <first (query "none")>: error calling first: first() called on vector with no elements',
  );
});

test("printf is Go's", async () => {
  await f(
    '{{ printf "%6.3f|%-6s|%05d|%x|%+.2e|%v|%T|%%" 3.14159 "hi" 42 255 1234.5 true 5 }}',
    " 3.142|hi    |00042|ff|+1.23e+03|true|int|%",
  );
  await f(
    '{{ printf "%d" $value }} {{ printf "%s" }} {{ printf "%d" 1 2 }}',
    "%!d(float64=1234.5678) %!s(MISSING) 1%!(EXTRA int=2)",
  );
  await f('{{ printf "%.4g %g %v" 100000.0 1234567.0 0.00001 }}', "1e+05 1.234567e+06 1e-05");
  await f('{{ print "a" "b" 1 2 true }}', "ab1 2 true");
});

test("faults are told as Prometheus tells them", async () => {
  await failsAt(
    "{{ .Nope }}",
    `115: executing "__alert_X" at <.Nope>: can't evaluate field Nope in type struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value interface {} }`,
  );
  await failsAt(
    "{{ gt $value 5 }}",
    '115: executing "__alert_X" at <gt $value 5>: error calling gt: incompatible types for comparison: float64 and int',
  );
  await failsAt(
    "{{ toUpper $value }}",
    '123: executing "__alert_X" at <$value>: wrong type for value; expected string; got float64',
  );
  await failsAt(
    '{{ "x" | humanize }}',
    '121: executing "__alert_X" at <humanize>: error calling humanize: strconv.ParseFloat: parsing "x": invalid syntax',
  );
  await unparsable("{{ nosuch }}", '1: function "nosuch" not defined');
  await unparsable("{{ $x }}", '1: undefined variable "$x"');
  await unparsable("{{ if true }}x\n", "2: unexpected EOF");
  await unparsable('{{ "open }}', "1: unterminated quoted string");
  await unparsable("{{ if }}x{{ end }}", "1: missing value for if");
  await unparsable("{{ 5 | 6 }}", "1: non executable command in pipeline stage 2");
});

test("without an URL object, externalURL fails as in Thanos", async () => {
  const {expander} = newExpander(undefined);
  const bare = new Expander({
    t: 0,
    externalLabels: Labels.EMPTY,
    externalUrl: "x",
    functionUrl: undefined,
    query: async () => [],
  });
  assert.ok(expander);
  const text = await new RuleTemplate("X", "{{ externalURL }}").expand(bare, sample);
  assert.match(text, /<externalURL>: error calling externalURL: runtime error: invalid memory address or nil pointer/);
});

test("a template cannot fill memory or recurse without end", async () => {
  assert.match(await expand("{{ range 1000000 }}0123456789{{ end }}"), /output exceeds/);
  assert.match(
    await expand('{{ define "r" }}{{ template "r" }}{{ end }}{{ template "r" }}'),
    /exceeded maximum template depth/,
  );
  assert.match(await expand(`{{ ${"(".repeat(5000)}1${")".repeat(5000)} }}`), /max expression depth/);
});
