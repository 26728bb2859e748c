import assert from "node:assert/strict";
import {readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";
import {info, type MethodDef, thanos} from "./index.ts";

const SERVICES: Record<string, Record<string, MethodDef<never, never>>> = {
  "thanos.Store": thanos.StoreService as never,
  "thanos.Rules": thanos.RulesService as never,
  "thanos.Targets": thanos.TargetsService as never,
  "thanos.Metadata": thanos.MetadataService as never,
  "thanos.Exemplars": thanos.ExemplarsService as never,
  "thanos.Status": thanos.StatusService as never,
  "thanos.Query": thanos.QueryService as never,
  "thanos.info.Info": info.InfoService as never,
};

type Exchange = {id: string; service: string; method: string; request_base64: string; responses_base64?: string[]};

const dir = goldenDir("query", "storeapi");
for (const file of readdirSync(dir).filter((f) => f.endsWith(".jsonl.gz"))) {
  const lines = gunzipSync(readFileSync(join(dir, file)))
    .toString()
    .trimEnd()
    .split("\n");
  const exchanges = lines.map((l) => JSON.parse(l) as Exchange).filter((x) => x.service !== undefined);
  if (exchanges.length === 0) continue;
  test(`messages of ${file} are written as they were read`, () => {
    for (const x of exchanges) {
      const method = SERVICES[x.service]?.[x.method];
      assert.ok(method !== undefined, `${x.id}: ${x.service}/${x.method}`);
      const request = Buffer.from(x.request_base64, "base64");
      assert.deepEqual(method.request.encode(method.request.decode(request)), request, x.id);
      for (const [i, text] of (x.responses_base64 ?? []).entries()) {
        const response = Buffer.from(text, "base64");
        const again = method.response.encode(method.response.decode(response));
        if (!again.equals(response)) assert.equal(again.toString("hex"), response.toString("hex"), `${x.id} #${i}`);
      }
    }
  });
}
