import assert from "node:assert/strict";
import {before, describe, test} from "node:test";
import {errorCode} from "@strata/base";
import {anySkip, requireTool} from "@strata/base/testing";
import {decodeChunk} from "@strata/chunkenc";
import {compareLabels, type Labels, type Matcher, type MatchOp, matcher} from "@strata/model";
import type {LabelQuery, Queryable, Select} from "@strata/series";
import {connectStore, type SampleSeries, SampleStore, selectAll} from "@strata/storeapi/testing";
import {gcsBucket, gcsServer, s3Bucket, s3Server} from "./bucket-servers.ts";
import {database, memory, proxy, receive, type Subject, sidecar, storeGateway, withExternal} from "./store-subjects.ts";
import {suiteScope} from "./strata.ts";

/**
 * What every store answers to the same requests over the same series: a table of requests, each answer compared with that
 * of a plain model in memory, for every store that Strata has.
 */

const START = Math.floor(Date.now() / 7_200_000) * 7_200_000 - 7_200_000;
const STEP = 15_000;
const SAMPLES = 40;
const END = START + (SAMPLES - 1) * STEP;

const samples = (first: number, count = SAMPLES): SampleSeries["samples"] =>
  Array.from({length: count}, (_, i) => [START + i * STEP, first + i] as const);

const SERIES: readonly SampleSeries[] = [
  {labels: {__name__: "foo", job: "a", host: "h1"}, samples: samples(0)},
  {labels: {__name__: "foo", job: "a", host: "h2"}, samples: samples(100)},
  {labels: {__name__: "foo", job: "b", zone: "z"}, samples: samples(200)},
  // Its own label of an external name loses; the order among the others changes with it.
  {labels: {__name__: "foo", job: "b", region: "own", zone: "a"}, samples: samples(300)},
  // Replicas from within: they are one series once `shard` is left out.
  {labels: {__name__: "foo", job: "c", shard: "0"}, samples: samples(400)},
  {labels: {__name__: "foo", job: "c", shard: "1"}, samples: samples(400)},
  {labels: {__name__: "foo", job: "d", weird: 'q"\\\n<b>é'}, samples: samples(500)},
  {labels: {__name__: "bar", Upper: "x", job: "a"}, samples: samples(600, 10)},
  {labels: {__name__: "up", job: "a"}, samples: samples(700)},
];

const m = (name: string, op: MatchOp, value: string): Matcher => matcher(name, op, value);
const FOO = m("__name__", "=", "foo");
const ALL = m("__name__", "=~", ".+");

type Request =
  | {readonly call: "series"; readonly q: Partial<Select>}
  | {readonly call: "names"; readonly q: Partial<LabelQuery>}
  | {readonly call: "values"; readonly label: string; readonly q: Partial<LabelQuery>};

const series = (matchers: readonly Matcher[], q: Partial<Select> = {}): Request => ({
  call: "series",
  q: {matchers, ...q},
});
const names = (q: Partial<LabelQuery> = {}): Request => ({call: "names", q});
const values = (label: string, q: Partial<LabelQuery> = {}): Request => ({call: "values", label, q});

const TABLE: Readonly<Record<string, Request>> = {
  "one name": series([FOO]),
  "a name and a value": series([FOO, m("job", "=", "a")]),
  "a value that is not there": series([FOO, m("job", "=", "nope")]),
  "another value": series([FOO, m("job", "!=", "a")]),
  "a pattern": series([FOO, m("job", "=~", "a|c")]),
  "not a pattern": series([FOO, m("job", "!~", "a|c")]),
  "a prefix and a suffix": series([ALL, m("host", "=~", "h.*"), m("__name__", "=~", ".*oo")]),
  "a label that is missing, by its empty value": series([FOO, m("host", "=", "")]),
  "a label that is missing, by a pattern": series([FOO, m("host", "=~", "h1|")]),
  "a label that is there": series([FOO, m("zone", "!=", "")]),
  "a pattern over a newline": series([FOO, m("weird", "=~", 'q"\\\\\\n<b>.')]),
  "a value with quotes, newline, markup and UTF-8": series([m("weird", "=", 'q"\\\n<b>é')]),
  "an external label that matches": series([FOO, m("region", "=", "eu-west")]),
  "an external label that does not": series([FOO, m("region", "=", "us")]),
  "an external label by a pattern": series([FOO, m("region", "=~", "eu.*"), m("replica", "!=", "r2")]),
  "an external label's value that a series had itself": series([FOO, m("region", "=", "own")]),
  "without chunks": series([ALL], {skipChunks: true}),
  "without chunks and an external label": series([FOO, m("replica", "=", "r1")], {skipChunks: true}),
  "without the replica label": series([FOO], {withoutReplicaLabels: ["replica"]}),
  "without two external labels": series([ALL], {withoutReplicaLabels: ["region", "replica"]}),
  "without a label from within": series([FOO], {withoutReplicaLabels: ["shard"]}),
  "without labels from within that order series": series([ALL], {withoutReplicaLabels: ["Upper", "job"]}),
  "without a label that is nowhere": series([FOO], {withoutReplicaLabels: ["nope"]}),
  "without replica labels and chunks": series([FOO], {withoutReplicaLabels: ["replica", "shard"], skipChunks: true}),
  "a part of the time": series([ALL], {mint: START + 5 * STEP, maxt: START + 9 * STEP}),
  "one moment": series([FOO], {mint: START, maxt: START}),
  "the last moment": series([FOO], {mint: END, maxt: END + 1}),
  "before all": series([ALL], {mint: START - 1000, maxt: START - 1}),
  "after all": series([ALL], {mint: END + 1, maxt: END + 1000}),
  "after the end of some": series([ALL], {mint: START + 10 * STEP, maxt: END}),
  "half of two shards": series([ALL], {shard: {index: 0, total: 2, by: true, labels: ["job"]}}),
  "the other half": series([ALL], {shard: {index: 1, total: 2, by: true, labels: ["job"]}}),
  "a shard without labels": series([ALL], {shard: {index: 1, total: 3, by: false, labels: ["host", "__name__"]}}),
  "a shard of what is left without replicas": series([ALL], {
    withoutReplicaLabels: ["replica"],
    shard: {index: 0, total: 2, by: false, labels: ["zone"]},
  }),
  "all label names": names(),
  "label names of some series": names({matchers: [m("job", "=", "b")]}),
  "label names under an external label": names({matchers: [m("region", "=", "eu-west")]}),
  "label names under another external label": names({matchers: [m("region", "=", "us")]}),
  "label names of nothing": names({matchers: [m("job", "=", "nope")]}),
  "label names without replicas": names({withoutReplicaLabels: ["replica"]}),
  "label names before all": names({mint: START - 1000, maxt: START - 1}),
  "three label names": names({limit: 3}),
  "values of a label": values("job"),
  "values of the name": values("__name__"),
  "values of a label of some series": values("host", {matchers: [m("job", "=", "a")]}),
  "values of an external label": values("region"),
  "values of an external label of some series": values("region", {matchers: [FOO]}),
  "values of an external label of nothing": values("region", {matchers: [m("job", "=", "nope")]}),
  "values under an external label": values("job", {matchers: [m("replica", "=", "r1")]}),
  "values under another external label": values("job", {matchers: [m("replica", "=", "r9")]}),
  "values of a label that is nowhere": values("nope"),
  "values of a replica label": values("replica", {withoutReplicaLabels: ["replica"]}),
  "two values of a label": values("job", {limit: 2}),
  "values with markup": values("weird"),
};

/** Flags of a store gateway that change how it reads and must not change what it answers. */
const OTHER_FLAGS = [
  "--no-cache-index-header",
  "--store.enable-lazy-expanded-postings",
  "--store.posting-group-max-key-series-ratio=1",
  "--debug.series-batch-size=2",
  "--debug.estimated-max-series-size=64",
  "--debug.estimated-max-chunk-size=64",
  "--matcher-cache-size=3",
];

const prometheus = requireTool("prometheus");

describe("every store", {skip: anySkip(prometheus, s3Server, gcsServer)}, () => {
  const scope = suiteScope();
  const subjects = new Map<string, Subject>();

  before(async () => {
    const plain = await memory(scope, SERIES);
    const old = await memory(scope, SERIES, false);
    const gateway = storeGateway(scope, SERIES, START);
    const started: readonly [string, Promise<Subject>][] = [
      ["the store gateway", gateway],
      ["the store gateway over S3", storeGateway(scope, SERIES, START, s3Bucket)],
      ["the store gateway over GCS", storeGateway(scope, SERIES, START, gcsBucket, OTHER_FLAGS)],
      ["the sidecar", sidecar(scope, SERIES, START, prometheus)],
      ["a database", database(scope, SERIES)],
      ["receive", receive(scope, SERIES)],
      ["a querier", gateway.then((below) => proxy(scope, below))],
      ["a querier over a store that cannot leave out labels", proxy(scope, old)],
      ["a querier over a querier", proxy(scope, plain).then((below) => proxy(scope, below, "query"))],
    ];
    subjects.set("the wire", plain);
    await Promise.all(started.map(async ([name, subject]) => subjects.set(name, await subject)));
  });

  for (const [name, request] of Object.entries(TABLE)) {
    test(`answers: ${name}`, async () => {
      for (const [subject, {address, external}] of subjects) {
        const model = new SampleStore(withExternal(SERIES, external));
        const want = await answer(model, request);
        const got = await answer(connectStore(scope, address), request);
        assert.deepEqual(got, want, subject);
      }
    });
  }

  test("refuses a request without matchers where it must", async () => {
    for (const [subject, {address}] of subjects) {
      if (["the wire", "a database"].includes(subject) || subject.startsWith("the store gateway")) continue;
      const only = series([m("region", "=", "eu-west")]);
      const refused = subject === "the sidecar" ? only : series([]);
      await assert.rejects(
        answer(connectStore(scope, address), refused),
        (err) => errorCode(err) === "bad_data",
        subject,
      );
    }
  });

  test("gives series in order, however it is asked", async () => {
    for (const [subject, {address}] of subjects) {
      for (const withoutReplicaLabels of [[], ["replica"], ["shard", "Upper"], ["job"], ["__name__"]]) {
        const seen: Labels[] = [];
        const q = selectAll({matchers: [ALL], withoutReplicaLabels});
        for await (const batch of connectStore(scope, address).select(q, never)) seen.push(...batch.labels);
        const sorted = [...seen].sort(compareLabels);
        assert.deepEqual(seen.map(String), sorted.map(String), `${subject} without ${withoutReplicaLabels}`);
      }
    }
  });

  test("a limit leaves the first series in order", async () => {
    for (const [subject, {address}] of subjects) {
      if (subject === "the sidecar") continue;
      const rows = (await answer(connectStore(scope, address), series([FOO], {limit: 2}))) as unknown[];
      const every = (await answer(connectStore(scope, address), series([FOO]))) as unknown[];
      assert.deepEqual(rows, every.slice(0, 2), subject);
    }
  });
});

const never = new AbortController().signal;

/** What a store answers in a form of which two are equal when nothing that matters differs. */
async function answer(store: Queryable, request: Request): Promise<unknown> {
  const range = {mint: START, maxt: END};
  if (request.call === "series") return rows(store, selectAll({...range, ...request.q}));
  const q: LabelQuery = {
    matchers: [],
    ...range,
    withoutReplicaLabels: [],
    limit: 0,
    partialResponse: false,
    ...request.q,
  };
  if (request.call === "names") return (await store.labelNames(q, never)).values;
  return (await store.labelValues(request.label, q, never)).values;
}

/** Labels, and samples in the range of the request, each once; what comes as several rows of equal labels is one. */
async function rows(store: Queryable, q: Select): Promise<unknown[]> {
  const found = new Map<string, Map<number, number>>();
  for await (const batch of store.select({...q, partialResponse: false}, never)) {
    for (const [row, labels] of batch.labels.entries()) {
      const points = found.get(labels.toString()) ?? new Map<number, number>();
      found.set(labels.toString(), points);
      for (let i = batch.firstChunk[row]!; i < batch.firstChunk[row + 1]!; i++) {
        const chunk = decodeChunk(batch.encoding[i]!, batch.bytes, batch.offset[i]!, batch.length[i]!);
        assert.ok(chunk.kind === "floats");
        for (const [k, t] of chunk.columns.t.subarray(0, chunk.columns.n).entries()) {
          if (t >= q.mint && t <= q.maxt) points.set(t, chunk.columns.v[k]!);
        }
      }
    }
  }
  return [...found].map(([labels, points]) => [labels, [...points].sort(([a], [b]) => a - b)]);
}
