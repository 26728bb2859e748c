import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";
import {parseGoDuration} from "@strata/model";
import {type Asked, type Reply, startDownstream, startFrontend, type TestOptions} from "./testing/start-frontend.ts";

/** One request to a front end of the original, its answer, and what it asked downstream for it. */
type Capture = {
  readonly id: string;
  readonly frontend: string;
  readonly flags: readonly string[];
  readonly request: {
    readonly method: string;
    readonly path: string;
    readonly params: Readonly<Record<string, string | number | readonly string[]>>;
    readonly headers: Readonly<Record<string, string>>;
  };
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly response: string;
  readonly downstream: readonly {
    readonly method: string;
    readonly path: string;
    readonly status: number;
    readonly params: Readonly<Record<string, readonly string[]>>;
    readonly headers: Readonly<Record<string, string>>;
  }[];
  readonly transport_error?: string;
};

const captures = gunzipSync(readFileSync(goldenDir("query", "frontend", "captures.jsonl.gz")))
  .toString("utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Capture);

const byFrontend = Map.groupBy(captures, ({frontend}) => frontend);

test("there are captures to replay", () => assert.ok(byFrontend.size > 0));

for (const [name, lines] of byFrontend) {
  test(`${name}: the original's requests downstream and its answers`, async (t) => {
    const clock = {now: Date.now()};
    let current = lines[0] as Capture;
    let tries = 0;
    const downstream = await startDownstream(t, (asked) => answerFor(current, asked, tries++));
    const url = await startFrontend(t, downstream.url, {
      ...optionsOf((lines[0] as Capture).flags),
      now: () => clock.now,
    });
    for (current of lines) {
      tries = 0;
      downstream.asked.length = 0;
      clock.now = timeOf(current);
      const {status, type, body} = await send(url, current);
      const wanted = current.downstream.map(comparable).sort();
      assert.deepEqual(downstream.asked.map(askedText).sort(), wanted, `${current.id}: requests downstream`);
      if (current.transport_error !== undefined) {
        // The original broke off: only that there is an answer can be compared.
        assert.equal(status, current.status, current.id);
        continue;
      }
      if (isOurs(current)) continue;
      assert.deepEqual({status, type, body}, wantedAnswer(current), current.id);
    }
  });
}

/** Answers whose text is of the program itself, or of the downstream that only the original had. */
const isOurs = ({id, response}: Capture): boolean =>
  response.startsWith("error decoding response") || id === "unknown-path";

const wantedAnswer = ({status, headers, response}: Capture) => ({
  status,
  type: headers["content-type"],
  body: response,
});

async function send(url: string, {request}: Capture): Promise<{status: number; type: string; body: string}> {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(request.params)) {
    for (const one of Array.isArray(value) ? value : [value]) form.append(name, String(one));
  }
  const isPost = request.method === "POST";
  const answer = await fetch(isPost ? url + request.path : `${url}${request.path}?${form}`, {
    method: request.method,
    headers: request.headers,
    ...(isPost ? {body: form} : {}),
  });
  return {status: answer.status, type: answer.headers.get("content-type") ?? "", body: await answer.text()};
}

/** The moment at which a capture was made, as far as it matters: what was recent then is so now. */
function timeOf({request, downstream}: Capture): number {
  const end = Number(request.params.end ?? downstream[downstream.length - 1]?.params.end?.[0]);
  return Number.isFinite(end) && end > 1_750_000_000 ? Math.ceil(end * 1000) : Date.now();
}

const KEPT_HEADERS = ["thanos-tenant", "x-scope-orgid", "x-keep", "x-drop"];

const text = (
  method: string,
  path: string,
  params: URLSearchParams,
  headers: Readonly<Record<string, unknown>>,
): string => {
  const sorted = new URLSearchParams([...params].filter(([, value]) => value !== ""));
  sorted.sort();
  const kept = KEPT_HEADERS.flatMap((key) => (headers[key] === undefined ? [] : [`${key}: ${String(headers[key])}`]));
  return [method, path, decodeURIComponent(sorted.toString().replaceAll("+", " ")), ...kept].join(" ");
};

const askedText = ({method, path, params, headers}: Asked): string => text(method, path, params, headers);

function comparable({method, path, params, headers}: Capture["downstream"][number]): string {
  const form = new URLSearchParams();
  for (const [name, values] of Object.entries(params)) for (const value of values) form.append(name, value);
  const lower = Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value]));
  return text(method, path, form, lower);
}

/** What the downstream must have answered for the capture's answer to come about. */
function answerFor(capture: Capture, asked: Asked, attempt: number): Reply {
  const scripted = capture.downstream.length > 0 && capture.downstream.some(({status}) => status >= 300);
  if (scripted) {
    const status = capture.downstream[Math.min(attempt, capture.downstream.length - 1)]?.status ?? 200;
    if (status >= 300) return {status, body: capture.status >= 300 ? capture.response : "scripted"};
  }
  if (capture.status >= 300) return {status: capture.status, body: capture.response};
  const whole = capture.response === "" ? undefined : (JSON.parse(capture.response) as Answer);
  if (whole === undefined)
    return {status: 200, body: '{"status":"success","data":{"resultType":"matrix","result":[]}}'};
  if (Array.isArray(whole.data)) return {status: 200, body: capture.response};
  return {status: 200, body: JSON.stringify({...whole, data: partOf(whole.data as QueryData, asked)})};
}

type Series = {metric: object; values?: [number, string][]; histograms?: [number, object][]; value?: unknown};
type QueryData = {resultType: string; result: Series[]; analysis?: object};
type Answer = {data: QueryData | unknown[]};

/** Of the whole result what belongs to one part of the query: its times, and its shard. */
function partOf(data: QueryData, {params}: Asked): QueryData {
  const {total_shards: total = 1, shard_index: index = 0} = JSON.parse(params.get("shard_info") ?? "{}") as {
    total_shards?: number;
    shard_index?: number;
  };
  if (data.resultType !== "matrix" && data.resultType !== "vector") return data;
  const mine = data.result.filter((_, i) => i % total === index);
  if (params.get("start") === null) return {...data, result: mine};
  const [start, end] = [Number(params.get("start")), Number(params.get("end"))];
  const within = <T extends [number, unknown]>(points: T[] | undefined): T[] | undefined => {
    const kept = points?.filter(([t]) => t >= start && t <= end);
    return kept === undefined || kept.length === 0 ? undefined : kept;
  };
  const result = mine
    .map((series) => ({...series, values: within(series.values), histograms: within(series.histograms)}))
    .filter(({values, histograms}) => values !== undefined || histograms !== undefined);
  return {resultType: data.resultType, result: result as Series[]};
}

/** The options that the captured process' flags stand for. */
function optionsOf(flags: readonly string[]): TestOptions {
  const value = (name: string): string | undefined =>
    flags.find((flag) => flag.startsWith(`--${name}=`))?.slice(name.length + 3);
  const has = (name: string): boolean => flags.some((flag) => flag.split(/[= ]/, 1)[0] === name);
  const ms = (name: string, fallback: number): number => {
    const given = value(name);
    return given === undefined ? fallback : parseGoDuration(given);
  };
  const tries = Number(value("query-range.max-retries-per-request") ?? 5);
  const partialResponse = !has("--no-query-range.partial-response");
  return {
    range: {
      maxLengthMs: ms("query-range.max-query-length", 0),
      alignWithStep: !has("--no-query-range.align-range-with-step"),
      split: {
        intervalMs: ms("query-range.split-interval", 86_400_000),
        minMs: ms("query-range.min-split-interval", 0),
        maxMs: ms("query-range.max-split-interval", 0),
        shards: Number(value("query-range.horizontal-shards") ?? 0),
      },
      tries,
      partialResponse,
    },
    labels: {
      intervalMs: ms("labels.split-interval", 86_400_000),
      timeRangeMs: ms("labels.default-time-range", 86_400_000),
    },
    instantTries: Number(value("query.max-retries-per-request") ?? 5),
    shards: Number(value("query-frontend.vertical-shards") ?? 0),
    orgHeaders: [value("query-frontend.org-id-header")].filter((name) => name !== undefined),
    forwardHeaders: [value("query-frontend.forward-header")].filter((name) => name !== undefined),
    compression: flags.includes("--cache-compression-type=snappy") ? "snappy" : "none",
    cacheRange: has("--query-range.response-cache-config"),
    cacheLabels: has("--labels.response-cache-config"),
  };
}
