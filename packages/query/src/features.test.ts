import assert from "node:assert/strict";
import {test} from "node:test";
import type {Logger} from "@strata/telemetry";
import {featuresFrom} from "./features.ts";

const said: string[] = [];
const logger = {
  info: (text: string) => void said.push(text),
  warn: (text: string) => void said.push(text),
} as unknown as Logger;

test("each feature switches on what it names; promql-all what extends the language, and no more", () => {
  const all = {experimentalFunctions: true, extendedRangeSelectors: true, binopFillModifiers: true};
  assert.deepEqual(featuresFrom(["promql-all"], logger), {parse: all, engine: {}, perStepStats: false});
  assert.deepEqual(featuresFrom(["promql-binop-fill-modifiers"], logger).parse, {binopFillModifiers: true});
  assert.deepEqual(featuresFrom(["promql-delayed-name-removal"], logger).engine, {delayedNameRemoval: true});
  assert.deepEqual(featuresFrom(["use-start-timestamps"], logger).engine, {startTimestamps: true});
  assert.equal(featuresFrom(["promql-per-step-stats"], logger).perStepStats, true);
  assert.deepEqual(said, []);
});

test("old names are told to be on, unknown ones to be unknown; neither changes anything", () => {
  assert.deepEqual(featuresFrom(["promql-at-modifier", "nosuch", ""], logger), {
    parse: {},
    engine: {},
    perStepStats: false,
  });
  assert.deepEqual(said, ["this feature is always on", "unknown feature, ignored"]);
});
