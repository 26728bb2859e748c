import assert from "node:assert/strict";
import {describe, test} from "node:test";
import {type Logger, nullLogger} from "@strata/telemetry";
import {checkFlags, keepsStartTimes, type ReceiveFlags} from "./receive-parts.ts";

const flags = (changes: Partial<ReceiveFlags> = {}): ReceiveFlags =>
  ({
    label: [{name: "replica", value: "a"}],
    "enable-feature": [],
    "receive.grpc-service-config": "",
    ...changes,
  }) as never;

/** Warnings of `use`. */
function warnings(use: (log: Logger) => void): string[] {
  const lines: string[] = [];
  use({...nullLogger(), warn: (text: string) => void lines.push(text)} as Logger);
  return lines;
}

describe("flags of the receiver", () => {
  test("that change nothing are told of when they are given", () => {
    const given = new Set(["tsdb.write-queue-size", "tsdb.head.expanded-postings-cache-size", "tsdb.path"]);
    const lines = warnings((log) => checkFlags(flags(), given, log));
    assert.equal(lines.length, 2);
    for (const line of lines) assert.match(line, /^--tsdb\.\S+ has no effect: /);
  });

  test("a service configuration that is none ends the start", () => {
    for (const text of ["{", '{"methodConfig":[{"name":[{}],"retryPolicy":{}}]}']) {
      assert.throws(() => checkFlags(flags({"receive.grpc-service-config": text}), new Set(), nullLogger()), {
        code: "bad_data",
        message: /^cannot use gRPC service configuration: /,
      });
    }
    const good = '{"loadBalancingConfig":[{"round_robin":{}}]}';
    checkFlags(flags({"receive.grpc-service-config": good}), new Set(), nullLogger());
  });

  test("features are known, told of, or ignored", () => {
    const read = (...features: string[]) => {
      let keeps = false;
      const lines = warnings((log) => {
        keeps = keepsStartTimes(flags({"enable-feature": features}), log);
      });
      return {keeps, lines: lines.length};
    };
    assert.deepEqual(read("st-storage"), {keeps: true, lines: 0});
    assert.deepEqual(read("metric-names-filter,st-storage"), {keeps: true, lines: 1});
    assert.deepEqual(read("other"), {keeps: false, lines: 1});
  });
});
