import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import http from "node:http";
import type {AddressInfo} from "node:net";
import {after, before, describe, test} from "node:test";
import {gunzipSync} from "node:zlib";
import {StrataError, unlimited} from "@strata/base";
import {goldenDir} from "@strata/base/testing";
import {snappyDecode} from "@strata/bytes";
import {HttpClient} from "@strata/http-client";
import {Labels, type MatchOp, matcher, shardOf} from "@strata/model";
import {prompb, thanos} from "@strata/proto";
import type {Aggregate, LabelQuery, Select} from "@strata/series";
import {PrometheusApi} from "./prometheus-api.ts";
import {SidecarStore} from "./sidecar-store.ts";

const OPS: readonly MatchOp[] = ["=", "!=", "=~", "!~"];

type Exchange = {
  readonly id: string;
  readonly method: string;
  readonly request_base64: string;
  readonly responses_base64: readonly string[] | null;
  readonly status: {readonly code: string; readonly message?: string};
};
type Recorded = {
  readonly method: string;
  readonly path: string;
  readonly rawQuery?: string;
  readonly body_base64?: string;
  readonly status: number;
  readonly response_headers: Readonly<Record<string, string>>;
  readonly response_base64?: string;
};

const lines = <T>(name: string): T[] =>
  gunzipSync(readFileSync(goldenDir("query", "storeapi", name)))
    .toString("utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as T);

const STORE_METHODS = ["Series", "LabelNames", "LabelValues"];
const exchanges = lines<Exchange>("sidecar.jsonl.gz").filter((e) => STORE_METHODS.includes(e.method));

describe("sidecar over a recorded Prometheus", () => {
  const recorded = new Map<string, Recorded>();
  for (const r of lines<Recorded>("sidecar-http.jsonl.gz")) recorded.set(keyOf(r), r);
  const server = http.createServer((req, res) => {
    const parts: Buffer[] = [];
    req.on("data", (part: Buffer) => parts.push(part));
    req.on("end", () => {
      const url = new URL(req.url as string, "http://x");
      const body = Buffer.concat(parts).toString("base64");
      const key = keyOf({
        method: req.method as string,
        path: url.pathname,
        rawQuery: url.search.slice(1),
        body_base64: body,
      });
      const answer = recorded.get(key) ?? fromSeries(recorded, url);
      if (answer === undefined) return void res.writeHead(599).end(`not recorded: ${key}`);
      const headers = {...answer.response_headers};
      delete headers["Content-Length"];
      res.writeHead(answer.status, headers).end(Buffer.from(answer.response_base64 ?? "", "base64"));
    });
  });
  let store: SidecarStore;
  let client: HttpClient;

  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    client = new HttpClient(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
    const api = new PrometheusApi(client);
    const signal = new AbortController().signal;
    const state = {
      externalLabels: await api.externalLabels(signal),
      mint: (await api.lowestTimestamp(signal)) as number,
      ownLabelNames: new Set<string>(),
    };
    store = new SidecarStore(
      api,
      client,
      () => state,
      () => {},
    );
  });
  after(() => {
    client.close();
    server.close();
  });

  for (const e of exchanges.filter(endsInTime)) test(`${e.method} ${e.id}`, async () => answers(store, e));
});

/** The original's end of time overflows on its way to Prometheus and finds nothing; ours is not in the recording. */
function endsInTime(e: Exchange): boolean {
  const bytes = Buffer.from(e.request_base64, "base64");
  return e.method !== "Series" || thanos.SeriesRequest.decode(bytes).maxTime < 2 ** 62;
}

/** What a request asks for, whatever its bytes: snappy may pack the same message in many ways. */
function keyOf(r: Pick<Recorded, "method" | "path" | "rawQuery" | "body_base64">): string {
  const query = new URLSearchParams(r.rawQuery ?? "");
  query.sort();
  if (r.path !== "/api/v1/read") return `${r.method} ${r.path}?${query}`;
  const message = prompb.ReadRequest.decode(snappyDecode(Buffer.from(r.body_base64 ?? "", "base64"), 1 << 20));
  const q = message.queries[0];
  return `read ${q?.startTimestampMs} ${q?.endTimestampMs} ${JSON.stringify(q?.matchers)}`;
}

/**
 * The recorded server hid its version, so the recording sidecar asked it for series where it wanted the label names or
 * values of a selector. Those series answer our question too.
 */
function fromSeries(recorded: ReadonlyMap<string, Recorded>, url: URL): Recorded | undefined {
  const name = /^\/api\/v1\/label\/(\w+)\/values$/.exec(url.pathname)?.[1];
  if (url.pathname !== "/api/v1/labels" && name === undefined) return undefined;
  const r = recorded.get(keyOf({method: "GET", path: "/api/v1/series", rawQuery: url.search.slice(1)}));
  if (r === undefined || r.status !== 200) return r;
  const body = Buffer.from(r.response_base64 ?? "", "base64");
  const text = (r.response_headers["Content-Encoding"] === "gzip" ? gunzipSync(body) : body).toString("utf8");
  const series = (JSON.parse(text) as {data: Record<string, string>[]}).data;
  const found = new Set(series.flatMap((s) => (name === undefined ? Object.keys(s) : [s[name] ?? ""])));
  found.delete("");
  const answer = Buffer.from(JSON.stringify({status: "success", data: [...found]}));
  return {...r, response_headers: {}, response_base64: answer.toString("base64")};
}

async function answers(store: SidecarStore, e: Exchange): Promise<void> {
  const bytes = Buffer.from(e.request_base64, "base64");
  const run = e.method === "Series" ? series(store, bytes) : labels(store, e.method, bytes);
  if (e.status.code === "InvalidArgument") {
    await assert.rejects(run, (err) => err instanceof StrataError && err.code === "bad_data");
    return;
  }
  assert.equal(e.status.code, "OK", `no expectation for status ${e.status.code}`);
  const responses = (e.responses_base64 ?? []).map((text) => Buffer.from(text, "base64"));
  const want = e.method === "Series" ? wantedSeries(responses, bytes) : wantedLabels(e.method, responses, bytes);
  assert.deepEqual(await run, want);
}

type Row = {labels: string; chunks: string[]};

async function series(store: SidecarStore, bytes: Uint8Array): Promise<Row[]> {
  const m = thanos.SeriesRequest.decode(bytes);
  const q: Select = {
    matchers: m.matchers.map((x) => matcher(x.name, OPS[x.type] as MatchOp, x.value)),
    mint: m.minTime,
    maxt: m.maxTime,
    step: 0,
    range: 0,
    func: "",
    maxResolution: m.maxResolutionWindow,
    aggregates: m.aggregates as Aggregate[],
    withoutReplicaLabels: m.withoutReplicaLabels,
    shard:
      m.shardInfo === undefined
        ? undefined
        : {
            index: m.shardInfo.shardIndex,
            total: m.shardInfo.totalShards,
            by: m.shardInfo.by,
            labels: m.shardInfo.labels,
          },
    skipChunks: m.skipChunks,
    limit: m.limit,
    partialResponse: true,
    budget: unlimited(),
  };
  const out: Row[] = [];
  for await (const batch of store.select(q, new AbortController().signal)) {
    for (const [i, set] of batch.labels.entries()) {
      const row: Row = {labels: set.toString(), chunks: []};
      for (let c = batch.firstChunk[i] as number; c < (batch.firstChunk[i + 1] as number); c++) {
        const from = batch.offset[c] as number;
        const data = batch.bytes.subarray(from, from + (batch.length[c] as number));
        row.chunks.push(chunkText(batch.mint[c] as number, batch.maxt[c] as number, batch.encoding[c] as number, data));
      }
      out.push(row);
    }
  }
  assert.equal(q.budget.used, 0, "the budget is given back");
  return out;
}

function wantedSeries(responses: readonly Uint8Array[], request: Uint8Array): Row[] {
  const {skipChunks, shardInfo} = thanos.SeriesRequest.decode(request);
  const out: Row[] = [];
  for (const bytes of responses) {
    const m = thanos.SeriesResponse.decode(bytes);
    for (const s of m.batch?.series ?? (m.series === undefined ? [] : [m.series])) {
      const labels = Labels.fromPairs(s.labels.map((l) => [l.name, l.value] as const));
      // Compat: asked for labels only, the original forgets the shard and sends all series to each of them.
      if (skipChunks && shardInfo !== undefined && shardInfo.totalShards > 0) {
        const shard = {total: shardInfo.totalShards, by: shardInfo.by, labels: shardInfo.labels};
        if (shardOf(labels, shard) !== shardInfo.shardIndex) continue;
      }
      const set = labels.toString();
      const chunks = s.chunks.map((c) => {
        assert.ok(c.raw);
        return chunkText(c.minTime, c.maxTime, c.raw.type + 1, c.raw.data);
      });
      const last = out.at(-1);
      if (last?.labels === set) last.chunks.push(...chunks);
      else out.push({labels: set, chunks});
    }
  }
  return out;
}

const chunkText = (mint: number, maxt: number, encoding: number, data: Uint8Array): string =>
  `${mint} ${maxt} ${encoding} ${Buffer.from(data).toString("hex")}`;

async function labels(store: SidecarStore, method: string, bytes: Uint8Array): Promise<readonly string[]> {
  const m = method === "LabelNames" ? thanos.LabelNamesRequest.decode(bytes) : thanos.LabelValuesRequest.decode(bytes);
  const q: LabelQuery = {
    matchers: m.matchers.map((x) => matcher(x.name, OPS[x.type] as MatchOp, x.value)),
    mint: m.start,
    maxt: m.end,
    withoutReplicaLabels: m.withoutReplicaLabels,
    limit: m.limit,
    partialResponse: true,
  };
  const signal = new AbortController().signal;
  const answer = await ("label" in m ? store.labelValues(m.label as string, q, signal) : store.labelNames(q, signal));
  return answer.values;
}

function wantedLabels(method: string, responses: readonly Uint8Array[], request: Uint8Array): readonly string[] {
  const [bytes] = responses;
  assert.ok(bytes);
  if (method === "LabelValues") return thanos.LabelValuesResponse.decode(bytes).values;
  const {names} = thanos.LabelNamesResponse.decode(bytes);
  // Compat: the original cuts before it adds the names of external labels and then sends more than asked for.
  const {limit} = thanos.LabelNamesRequest.decode(request);
  return limit > 0 ? names.slice(0, limit) : names;
}
