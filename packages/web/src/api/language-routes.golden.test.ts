import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {describe, test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";
import type {ParseOptions} from "@strata/promql";
import {nullLogger} from "@strata/telemetry";
import {listen} from "../http-server.ts";
import {Router} from "../router.ts";
import {Api} from "./envelope.ts";
import {addLanguageRoutes} from "./language-routes.ts";

type Capture = {
  readonly id: string;
  readonly server: string;
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  readonly body?: string;
  readonly request_headers?: Record<string, string>;
  readonly status: number;
  readonly response: string;
};

const captures = gunzipSync(readFileSync(goldenDir("query", "api", "captures.jsonl.gz")))
  .toString()
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Capture)
  .filter((c) => /\/(format|parse)_query$/.test(c.path));

/** The servers that were recorded, by what of the language they had switched on. */
const LANGUAGES: Readonly<Record<string, ParseOptions>> = {
  prometheus: {},
  prometheus_features: {experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true},
};

describe("format_query and parse_query", () => {
  for (const [name, language] of Object.entries(LANGUAGES)) {
    test(`answer as ${name}`, async (t) => {
      const router = new Router();
      addLanguageRoutes(new Api(router, {routePrefix: "", cors: true, log: nullLogger()}), language);
      const server = await listen({address: "127.0.0.1:0", router, log: nullLogger()});
      t.after(() => server.close(0));
      const own = captures.filter((c) => c.server === name);
      assert.ok(own.length > 0);
      for (const c of own) {
        const response = await fetch(`${server.url}${c.path}${c.query ? `?${c.query}` : ""}`, {
          method: c.method,
          headers: c.request_headers ?? {},
          ...(c.method === "POST" ? {body: c.body ?? ""} : {}),
        });
        assert.equal(await response.text(), c.response, c.id);
        assert.equal(response.status, c.status, c.id);
      }
    });
  }
});
