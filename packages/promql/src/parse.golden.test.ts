import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {StrataError} from "@strata/base";
import {goldenDir} from "@strata/base/testing";
import type {Expr} from "./ast.ts";
import {format} from "./format.ts";
import {parseExpr, parseMatchParam, parseSelector} from "./parse.ts";
import type {ParseOptions} from "./parse-options.ts";
import {prettify} from "./prettify.ts";
import {resolveDurations} from "./resolve-durations.ts";
import {toJson} from "./to-json.ts";

type Answer = {readonly status: string; readonly error?: string; readonly errorType?: string; readonly data?: unknown};

const ALL: ParseOptions = {experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true};
const PREFIX = 'invalid parameter "query": ';

/** Cases that are known to differ, by id; it may only shrink. */
const known = new Set<string>(
  JSON.parse(readFileSync(new URL("../golden-differences.json", import.meta.url), "utf8")) as string[],
);

const lines = <T>(...path: string[]): T[] =>
  gunzipSync(readFileSync(goldenDir(...path)))
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);

/** Runs every case and compares those that fail with the list of known differences. */
function compare<T>(cases: readonly T[], id: (c: T) => string, run: (c: T) => void): void {
  assert.notEqual(cases.length, 0, "no cases found");
  const failures: string[] = [];
  for (const c of cases) {
    let failed: unknown;
    try {
      run(c);
    } catch (err) {
      failed = err;
    }
    if (failed !== undefined && !known.has(id(c))) failures.push(`${id(c)}: ${String(failed)}`);
    if (failed === undefined && known.has(id(c))) failures.push(`${id(c)}: agrees now, take it off the list`);
  }
  assert.equal(
    failures.length,
    0,
    `${failures.length} of ${cases.length} differ:\n${failures.slice(0, 40).join("\n")}`,
  );
}

/** The error that parsing, or resolving the durations of a parsed query, ends with. */
function outcome(query: string, options: ParseOptions, step: number, range: number): string | Expr {
  try {
    const expr = parseExpr(query, options);
    resolveDurations(expr, {step, range});
    return expr;
  } catch (err) {
    assert.ok(err instanceof StrataError, String(err));
    assert.equal(err.code, "bad_data");
    return err.message;
  }
}

/** What of an answer the parser is responsible for. */
function expectedError(answer: Answer): string | undefined {
  const error = answer.status === "error" ? (answer.error as string).replace(PREFIX, "") : "";
  return /parse error:|^\d+:\d+: /.test(error) ? error : undefined;
}

function agree(query: string, answer: Answer, options: ParseOptions, step = 0, range = 0): void {
  const got = outcome(query, options, step, range);
  const want = expectedError(answer);
  if (want !== undefined || typeof got === "string") {
    assert.equal(got, want, query);
    return;
  }
  // Whatever parses also prints and parses again.
  const printed = format(got);
  const again = parseExpr(printed, ALL);
  assert.equal(format(again), printed);
  assert.deepEqual(withSortedMatchers(again), withSortedMatchers(got), `${query} printed as ${printed}`);
}

/** The tree as JSON, with matchers in an order that does not depend on how they were written. */
const withSortedMatchers = (expr: Expr): unknown =>
  JSON.parse(JSON.stringify(toJson(expr)), (key, value) =>
    key === "matchers" ? (value as object[]).map((m) => JSON.stringify(m)).sort() : value,
  );

test("queries of the result corpus parse, or fail with the message of the original", () => {
  type Query = {
    readonly id: string;
    readonly query: string;
    readonly kind: string;
    readonly start?: string;
    readonly end?: string;
    readonly step?: string;
    readonly response: Answer;
    readonly response_features?: Answer;
  };
  const seconds = (text: string | undefined): number => (text === undefined ? 0 : Number(text));
  compare(
    lines<Query>("query", "results", "queries.jsonl.gz"),
    (q) => q.id,
    (q) => {
      const range = q.kind === "range" ? Math.round((seconds(q.end) - seconds(q.start)) * 1000) : 0;
      const step = q.kind === "range" ? Math.round(seconds(q.step) * 1000) || 60_000 : 0;
      agree(q.query, q.response, {}, step, range);
      agree(q.query, q.response_features ?? q.response, ALL, step, range);
    },
  );
});

type Capture = {
  readonly id: string;
  readonly server: string;
  readonly path: string;
  readonly query?: string;
  readonly body?: string;
  readonly response: string;
  readonly status: number;
};

test("match[] selectors fail with the message of the original", () => {
  const captures = lines<Capture>("query", "api", "captures.jsonl.gz").filter(
    (c) => c.status >= 400 && c.response.includes("parse error") && (c.query ?? c.body ?? "").includes("match"),
  );
  compare(
    captures,
    (c) => c.id,
    (c) => {
      const params = new URLSearchParams(c.body || c.query);
      const error = String((JSON.parse(c.response) as Answer).error);
      const messages = [...params]
        .filter(([name]) => /match|Match/.test(name))
        .map(([, selector]) =>
          // Of Thanos' answers, the one about rules comes from a sidecar's Prometheus-like reading.
          failure(
            selector,
            c.server.startsWith("thanos") && !c.path.endsWith("/rules") ? parseMatchParam : parseSelector,
          ),
        );
      assert.ok(
        messages.some((message) => message !== undefined && error.endsWith(message)),
        `${error}, not ${messages.join(" or ")}`,
      );
    },
  );
});

function failure(selector: string, parse: (source: string) => unknown): string | undefined {
  try {
    parse(selector);
    return undefined;
  } catch (err) {
    return err instanceof StrataError ? err.message : assert.fail(String(err));
  }
}

test("format_query and parse_query answer as the original", () => {
  const captures = lines<Capture>("query", "api", "captures.jsonl.gz").filter(
    (c) => /\/(format|parse)_query$/.test(c.path) && c.server.startsWith("prometheus"),
  );
  compare(
    captures,
    (c) => c.id,
    (c) => {
      const query = new URLSearchParams(c.body || c.query || "").get("query") ?? "";
      const answer = JSON.parse(c.response) as Answer;
      const options = c.server.endsWith("_features") ? ALL : {};
      const want = expectedError(answer);
      if (want !== undefined) {
        assert.equal(outcome(query, options, 0, 0), want);
        return;
      }
      const expr = parseExpr(query, options);
      if (c.path.endsWith("format_query")) assert.equal(prettify(expr), answer.data);
      else assert.deepEqual(JSON.parse(JSON.stringify(toJson(expr))), answer.data);
    },
  );
});
