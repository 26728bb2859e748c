import assert from "node:assert/strict";
import {readdirSync, readFileSync} from "node:fs";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {errorCode, unlimited} from "@strata/base";
import {goldenDir} from "@strata/base/testing";
import {FilesystemBucket} from "@strata/objstore";
import {type google, hints, info, thanos} from "@strata/proto";
import type {LabelAnswer, SeriesBatch} from "@strata/series";
import {labelQueryOf, selectOf} from "@strata/storeapi";
import type {BucketStore} from "./bucket-store.ts";
import {LOCAL_TUNING, REMOTE_TUNING, type ReadTuning} from "./read-context.ts";
import {openStore} from "./testing/open-store.ts";

type Exchange = {
  readonly id: string;
  readonly method: string;
  readonly request_base64: string;
  readonly responses_base64: readonly string[] | null;
  readonly status: {readonly code: string; readonly message?: string};
};

/** One series as text: its labels, then a line a chunk with all columns. */
type Shown = string;

const never = new AbortController().signal;
const caller = {tenant: "", requestId: "", traceparent: undefined};
const COLUMNS = ["raw", "count", "sum", "min", "max", "counter"] as const;

const folder = goldenDir("query", "storeapi");
const exchanges = gunzipSync(readFileSync(goldenDir("query", "storeapi", "store.jsonl.gz")))
  .toString()
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Exchange);

test("there are exchanges and blocks", () => {
  assert.ok(exchanges.length > 0);
  assert.ok(readdirSync(`${folder}/bucket`).length > 0);
});

const tunings: Record<string, ReadTuning> = {
  local: LOCAL_TUNING,
  remote: REMOTE_TUNING,
  "tiny reads": {
    ...REMOTE_TUNING,
    gap: 0,
    seriesBytes: 16,
    chunkBytes: 16,
    parallel: 2,
    unitBytes: 1,
    heldRows: 1000,
    cacheSeries: false,
  },
};

for (const [name, tuning] of Object.entries(tunings)) {
  test(`store gateway, ${name}`, async (t) => {
    const bucket = new FilesystemBucket(goldenDir("query", "storeapi", "bucket"));
    const {store} = await openStore(t, bucket, {tuning});
    // Twice: the second time from the index cache.
    for (const exchange of [...exchanges, ...exchanges]) {
      await t.test(`${exchange.method} ${exchange.id}`, async () => {
        if (exchange.status.code !== "OK") {
          await assert.rejects(answer(store, exchange), (err) => {
            assert.ok(["bad_data", "execution"].includes(errorCode(err)), String(err));
            return true;
          });
          return;
        }
        assert.deepEqual(await answer(store, exchange), wanted(exchange));
      });
    }
  });
}

async function answer(store: BucketStore, exchange: Exchange): Promise<unknown> {
  const request = Buffer.from(exchange.request_base64, "base64");
  switch (exchange.method) {
    case "Info": {
      const {labelSets, minTime, maxTime, ranges} = store.info();
      return {
        labelSets: labelSets.map((labels) => labels.toObject()),
        minTime,
        maxTime,
        ranges: ranges.map((r) => JSON.stringify([r.labels.toObject(), r.minTime, r.maxTime])).sort(),
      };
    }
    case "Series": {
      const q = selectOf(thanos.StoreService.Series.request.decode(request), unlimited(), caller);
      const out: Shown[] = [];
      for await (const batch of store.select(q, never)) showBatch(batch, out);
      return joined(out);
    }
    case "LabelNames": {
      const q = labelQueryOf(thanos.StoreService.LabelNames.request.decode(request), caller);
      return named(await store.labelNames(q, never));
    }
    case "LabelValues": {
      const decoded = thanos.StoreService.LabelValues.request.decode(request);
      return named(await store.labelValues(decoded.label, labelQueryOf(decoded, caller), never));
    }
    default:
      throw new Error(`unknown method ${exchange.method}`);
  }
}

function wanted(exchange: Exchange): unknown {
  const responses = (exchange.responses_base64 ?? []).map((text) => Buffer.from(text, "base64"));
  const [first = Buffer.alloc(0)] = responses;
  switch (exchange.method) {
    case "Info": {
      const decoded = info.InfoService.Info.response.decode(first);
      const labelsOf = (labels: readonly {name: string; value: string}[]) =>
        Object.fromEntries(labels.map((label) => [label.name, label.value]));
      return {
        labelSets: decoded.labelSets.map((set) => labelsOf(set.labels)),
        minTime: decoded.store?.minTime,
        maxTime: decoded.store?.maxTime,
        ranges: (decoded.store?.tsdbInfos ?? [])
          .map((i) => JSON.stringify([labelsOf(i.labels?.labels ?? []), i.minTime, i.maxTime]))
          .sort(),
      };
    }
    case "Series": {
      const out: Shown[] = [];
      for (const bytes of responses) {
        const response = thanos.StoreService.Series.response.decode(bytes);
        for (const series of response.series === undefined ? (response.batch?.series ?? []) : [response.series]) {
          out.push(showSeries(series));
        }
      }
      return joined(out);
    }
    case "LabelNames": {
      const {names, hints: any} = thanos.StoreService.LabelNames.response.decode(first);
      return {values: names, blocks: queriedBlocks(any)};
    }
    default: {
      const {values, hints: any} = thanos.StoreService.LabelValues.response.decode(first);
      return {values, blocks: queriedBlocks(any)};
    }
  }
}

const named = ({values, warnings, queriedBlocks: blocks}: LabelAnswer) => {
  assert.deepEqual(warnings, []);
  return {values, blocks: [...(blocks ?? [])].sort()};
};

const queriedBlocks = (any: google.Any | undefined): string[] =>
  any === undefined
    ? []
    : hints.LabelNamesResponseHints.decode(any.value)
        .queriedBlocks.map((block) => block.id)
        .sort();

/** A series may come in several messages; its chunks then follow each other. */
function joined(series: readonly Shown[]): Shown[] {
  const out: Shown[] = [];
  for (const text of series) {
    const labels = text.split("\n")[0] as string;
    const last = out.at(-1);
    if (last?.split("\n")[0] === labels) out[out.length - 1] = last + text.slice(labels.length);
    else out.push(text);
  }
  return out;
}

function showSeries(series: thanos.Series): Shown {
  const lines = [JSON.stringify(series.labels.map(({name, value}) => [name, value]))];
  for (const chunk of series.chunks) {
    const columns = COLUMNS.flatMap((column) => {
      const data = chunk[column];
      return data === undefined ? [] : [`${column}:${data.type + 1}:${Buffer.from(data.data).toString("hex")}`];
    });
    // A downsampled chunk none of whose columns was asked for carries nothing.
    if (columns.length > 0) lines.push(`${chunk.minTime} ${chunk.maxTime} ${columns.join(" ")}`);
  }
  return lines.join("\n");
}

function showBatch(batch: SeriesBatch, out: Shown[]): void {
  assert.deepEqual(batch.warnings, []);
  for (let row = 0; row < batch.labels.length; row++) {
    const lines = [JSON.stringify([...(batch.labels[row] ?? [])])];
    let open = "";
    for (let i = batch.firstChunk[row] as number; i < (batch.firstChunk[row + 1] as number); i++) {
      const times = `${batch.mint[i]} ${batch.maxt[i]}`;
      const from = batch.offset[i] as number;
      const data = Buffer.from(batch.bytes.subarray(from, from + (batch.length[i] as number))).toString("hex");
      const aggregate = batch.aggregate[i] as number;
      const column = `${COLUMNS[aggregate]}:${batch.encoding[i]}:${data}`;
      const goesOn =
        i > (batch.firstChunk[row] as number) && open === times && aggregate > (batch.aggregate[i - 1] as number);
      if (goesOn) lines[lines.length - 1] += ` ${column}`;
      else lines.push(`${times} ${column}`);
      open = times;
    }
    out.push(lines.join("\n"));
  }
}
