import assert from "node:assert/strict";
import {readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";
import {thanos} from "@strata/proto";
import {SeriesFrameParser} from "./frame-parser.ts";
import {SeriesFrameWriter} from "./frame-writer.ts";

type Exchange = {id: string; service: string; method: string; responses_base64?: string[]};

/** Thanos sends a chunk without any column where a downsampled block lacks what was asked; it says nothing. */
function withoutEmptyChunks(frame: Buffer): Buffer {
  const m = thanos.SeriesResponse.decode(frame);
  for (const s of m.batch?.series ?? (m.series === undefined ? [] : [m.series])) {
    s.chunks = s.chunks.filter((c) => c.raw ?? c.count ?? c.sum ?? c.min ?? c.max ?? c.counter);
  }
  return thanos.SeriesResponse.encode(m);
}

const dir = goldenDir("query", "storeapi");
for (const file of readdirSync(dir).filter((f) => f.endsWith(".jsonl.gz"))) {
  const lines = gunzipSync(readFileSync(join(dir, file)))
    .toString()
    .trimEnd()
    .split("\n");
  const exchanges = lines.map((l) => JSON.parse(l) as Exchange).filter((x) => x.method === "Series");
  if (exchanges.length === 0) continue;
  test(`series frames of ${file} are written byte for byte as they were read, hashes too`, () => {
    let compared = 0;
    for (const x of exchanges) {
      for (const [i, base64] of (x.responses_base64 ?? []).entries()) {
        const frame = withoutEmptyChunks(Buffer.from(base64, "base64"));
        const parser = new SeriesFrameParser(x.id);
        const batches = [...parser.push(Buffer.from(frame)), parser.finish()].filter((b) => b !== undefined);
        if (parser.hints !== undefined) continue;
        assert.equal(batches.length, 1, `${x.id} #${i}`);
        const single = frame[0] === 0x0a;
        const writer = new SeriesFrameWriter({batchSeries: single ? 1 : 1000, hashes: true});
        const [again] = [...writer.frames(batches[0]!)];
        if (!again!.equals(frame)) assert.equal(again!.toString("hex"), frame.toString("hex"), `${x.id} #${i}`);
        compared++;
      }
    }
    assert.ok(compared > 100, `${compared} frames`);
  });
}
