import assert from "node:assert/strict";
import {test} from "node:test";
import type {FromWorker} from "./messages.ts";
import {Outbox} from "./outbox.ts";

const empty = (query: number): FromWorker => ({kind: "empty", query});

function outbox() {
  const posts: (readonly FromWorker[])[] = [];
  const moved: number[] = [];
  const box = new Outbox((messages, transfer) => {
    posts.push(messages);
    moved.push(transfer.length);
  });
  return {box, posts, moved};
}

test("what can wait goes along with what cannot, in the order in which it was said", () => {
  const {box, posts} = outbox();
  box.later(empty(1));
  box.hold(empty(2));
  assert.deepEqual(posts, []);
  box.send(empty(3));
  box.flush();
  assert.deepEqual(posts, [[empty(1), empty(2), empty(3)]]);
});

test("what can wait goes by itself when nothing else comes", async (t) => {
  t.mock.timers.enable({apis: ["setTimeout"]});
  const {box, posts} = outbox();
  box.later(empty(1));
  box.later(empty(2));
  t.mock.timers.tick(1000);
  assert.deepEqual(posts, [[empty(1), empty(2)]]);
  box.later(empty(3));
  t.mock.timers.tick(1000);
  assert.equal(posts.length, 2);
});

test("small pieces of an answer are gathered, large ones are not kept back", () => {
  const {box, moved} = outbox();
  const piece = (bytes: number) => {
    const piece = new Uint8Array(bytes);
    box.hold({kind: "piece", query: 1, piece}, piece.buffer);
  };
  for (let i = 0; i < 3; i++) piece(1000);
  assert.deepEqual(moved, []);
  piece(256 * 1024);
  assert.deepEqual(moved, [4]);
  piece(1);
  assert.deepEqual(moved, [4]);
  box.flush();
  assert.deepEqual(moved, [4, 1]);
});
