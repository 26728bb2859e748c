import assert from "node:assert/strict";
import {mkdirSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {errorCode, StrataError} from "@strata/base";
import {freePort, httpReady, random, repeat, requireTool, seed, spawnServer, tempDir} from "@strata/base/testing";
import {type Bucket, bucketFromConfig, type ObjectEntry} from "@strata/objstore";
import {FaultyBucket} from "@strata/objstore/testing";
import {assertFinished, assertNothingLost, compactOnce, fillBucket, finishWork} from "./testing/kill-scenario.ts";
import {HistoryReader} from "./testing/made-history.ts";

const moto = requireTool("moto");
const never = new AbortController().signal;
/** Two hundred in a soak; fewer than in proportion otherwise, as each goes over HTTP many times. */
const STOPS = Math.max(6, Math.round(repeat(200) ** 2 / 200));

/** `inner` whose listings are now and then those of before: an eventually consistent store. */
class StaleLists extends FaultyBucket {
  readonly #before = new Map<string, ObjectEntry[]>();
  readonly #next: () => number;
  readonly #own: Bucket;

  constructor(inner: Bucket, next: () => number) {
    super(inner);
    this.#own = inner;
    this.#next = next;
  }

  override async *list(
    dir: string,
    options: {recursive?: boolean | undefined},
    signal: AbortSignal,
  ): AsyncGenerator<ObjectEntry> {
    const key = `${dir} ${options.recursive}`;
    const before = this.#before.get(key);
    if (before !== undefined && this.#next() < 0.1) {
      yield* before;
      return;
    }
    const entries: ObjectEntry[] = [];
    for await (const entry of this.#own.list(dir, options, signal)) entries.push(entry);
    this.#before.set(key, entries);
    yield* entries;
  }
}

test("stopped at any moment over S3 with faults and stale lists, nothing is lost", {skip: moto.skip}, async (t) => {
  const next = random(seed());
  const root = tempDir(t);
  const port = await freePort();
  const endpoint = `127.0.0.1:${port}`;
  await spawnServer(t, {
    command: moto.path,
    args: ["-H", "127.0.0.1", "-p", String(port)],
    ready: httpReady(`http://${endpoint}/moto-api/`),
  });
  let buckets = 0;
  const open = async (): Promise<Bucket> => {
    const name = `history-${buckets++}`;
    const response = await fetch(`http://${endpoint}/${name}`, {method: "PUT"});
    assert.ok(response.ok, `cannot make bucket: ${response.status}`);
    const account = "access_key: test, secret_key: test, insecure: true, region: us-east-1";
    const bucket = await bucketFromConfig(`type: S3\nconfig: {bucket: ${name}, endpoint: "${endpoint}", ${account}}`);
    await fillBucket(bucket, root, never);
    return bucket;
  };
  const begin = async () => {
    const bucket = await open();
    return {bucket, reader: new HistoryReader(bucket, join(root, "read"))};
  };
  mkdirSync(join(root, "read"));
  let {bucket, reader} = await begin();
  const dataDir = join(root, "data");
  for (let stop = 0; stop < STOPS; stop++) {
    const abort = new AbortController();
    const faulty = new StaleLists(bucket, next);
    let left = Math.floor(next() * 600);
    faulty.before = () => {
      if (left-- === 0) abort.abort(new StrataError("canceled", "the process ends here"));
      if (next() < 0.01) throw new StrataError("unavailable", "503 Slow Down");
      if (next() < 0.005) throw new StrataError("timeout", "no answer within 10 s");
      return undefined;
    };
    try {
      await compactOnce(faulty, dataDir, abort.signal);
    } catch (err) {
      // Faults and the end are what was asked for; anything else is a fault of ours.
      assert.match(errorCode(err), /^(canceled|unavailable|timeout|not_found)$/, String(err));
    }
    await assertNothingLost(bucket, reader, never);
    if (next() < 0.7) continue;
    await finishWork(bucket, dataDir, never);
    await assertFinished(bucket, reader, never);
    await bucket.close();
    ({bucket, reader} = await begin());
  }
  await finishWork(bucket, dataDir, never);
  await assertFinished(bucket, reader, never);
  await bucket.close();
});
