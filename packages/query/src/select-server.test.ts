import assert from "node:assert/strict";
import {test} from "node:test";
import {setImmediate as turn} from "node:timers/promises";
import type {ToWorker, WireSelect} from "./messages.ts";
import {SelectServer} from "./select-server.ts";

const q: WireSelect = {
  matchers: [],
  mint: 0,
  maxt: 1,
  step: 0,
  range: 0,
  func: "",
  maxResolution: 0,
  aggregates: [0],
  withoutReplicaLabels: [],
  skipChunks: false,
  limit: 0,
  partialResponse: false,
};

/** A server over one endless endpoint, and what it did. */
function endless() {
  const sent: ToWorker[] = [];
  const state = {read: 0, signal: undefined as AbortSignal | undefined};
  const server = new SelectServer(
    (_, signal) => {
      state.signal = signal;
      const groups = (async function* () {
        for (;;) {
          state.read++;
          yield [new Uint8Array(64)];
        }
      })();
      const options = {what: "test", source: 0, stripLabels: [], shard: undefined, partialResponse: false};
      return [{options, groups}];
    },
    (message) => sent.push(message),
    new AbortController().signal,
  );
  return {server, sent, state};
}

test("nothing is read of an endpoint before the worker asks for it", async (t) => {
  const {server, sent, state} = endless();
  server.open(0, q);
  for (let i = 0; i < 20; i++) await turn();
  const [message] = sent;
  assert.equal(message?.kind, "opened");
  assert.equal(state.read, 0);
  t.after(() => message?.kind === "opened" && message.streams[0]?.port.close());
});

test("closing a selection aborts its calls", () => {
  const {server, sent, state} = endless();
  server.open(0, q);
  assert.equal(state.signal?.aborted, false);
  server.close(0);
  assert.equal(state.signal?.aborted, true);
  for (const m of sent) if (m.kind === "opened") for (const s of m.streams) s.port.close();
});
