import assert from "node:assert/strict";
import {test} from "node:test";
import {setImmediate as turn} from "node:timers/promises";
import {STREAM_CREDIT_BYTES, type ToWorker, type WireSelect} from "./messages.ts";
import {SelectServer} from "./select-server.ts";

const FRAME = 64 * 1024;
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
  const state = {read: 0, closed: false};
  const server = new SelectServer(
    () => [
      {
        options: {what: "test", source: 0, stripLabels: [], shard: undefined, partialResponse: false},
        groups: (async function* () {
          try {
            for (;;) {
              state.read++;
              yield [new Uint8Array(FRAME)];
            }
          } finally {
            state.closed = true;
          }
        })(),
      },
    ],
    (message) => sent.push(message),
    new AbortController().signal,
  );
  return {server, sent, state};
}

async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await turn();
}

test("no more is read than the worker gave credit for", async () => {
  const {server, state} = endless();
  server.open(0, q);
  await settle();
  assert.equal(state.read, STREAM_CREDIT_BYTES / FRAME);
  server.credit(0, 0, 3 * FRAME);
  await settle();
  assert.equal(state.read, STREAM_CREDIT_BYTES / FRAME + 3);
  server.closeAll();
});

test("closing a selection ends its streams and says nothing more", async () => {
  const {server, sent, state} = endless();
  server.open(0, q);
  await settle();
  const before = sent.length;
  server.close(0);
  await settle();
  assert.ok(state.closed);
  assert.equal(sent.length, before);
});
