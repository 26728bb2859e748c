import assert from "node:assert/strict";
import {test} from "node:test";
import {exposition, negotiate, newRegistry} from "@strata/telemetry";
import {rpcMetrics} from "./grpc-metrics.ts";
import {GRPC_CODE} from "./grpc-status.ts";
import {type RpcEvent, RpcReplay, relayedRpcMetrics} from "./rpc-relay.ts";

const METHOD = {grpc_method: "Series", grpc_service: "thanos.Store", grpc_type: "server_stream"};

test("calls of another thread are counted as if they were made here; those of one that is gone have ended", async () => {
  const registry = newRegistry();
  const replay = new RpcReplay(rpcMetrics(registry, "client"));
  const there = relayedRpcMetrics((event: RpcEvent) => replay.take(structuredClone(event)));
  const calls = [there.start(METHOD), there.start(METHOD)];
  calls[0]?.sent();
  for (let i = 0; i < 3; i++) calls[0]?.received();
  calls[0]?.end(GRPC_CODE.OK);
  calls[0]?.end(GRPC_CODE.Internal);
  replay.end(GRPC_CODE.Canceled);
  const text = await exposition(registry, negotiate(undefined));
  const value = (name: string): string | undefined => new RegExp(`^${name}\\S* (\\d+)$`, "m").exec(text)?.[1];
  assert.equal(value("grpc_client_started_total"), "2");
  assert.equal(value("grpc_client_msg_sent_total"), "1");
  assert.equal(value("grpc_client_msg_received_total"), "3");
  assert.equal(value('grpc_client_handled_total\\{grpc_code="OK"'), "1");
  assert.equal(value('grpc_client_handled_total\\{grpc_code="Canceled"'), "1");
  assert.equal(value("grpc_client_handling_seconds_count"), "2");
});
