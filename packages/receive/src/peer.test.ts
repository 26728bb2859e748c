import assert from "node:assert/strict";
import {describe, test} from "node:test";
import {StrataError} from "@strata/base";
import type {Transport} from "@strata/storeapi";
import {newRegistry} from "@strata/telemetry";
import {Peer} from "./peer.ts";
import {PLACED, parcelPieces, readPeerRequest} from "./peer-request.ts";

type Call = {
  readonly message: Uint8Array;
  readonly answer: (error?: StrataError) => void;
};

/** A peer whose calls are answered by hand. */
function fixture(workers = 1) {
  const calls: Call[] = [];
  const transport: Pick<Transport, "unary" | "close"> = {
    unary: (_method, message) =>
      new Promise((resolve, reject) => {
        const answer = (error?: StrataError): void =>
          error === undefined ? resolve({takesParcels: false} as never) : reject(error);
        calls.push({message: message as Uint8Array, answer});
      }),
    close() {},
  };
  const clock = {now: 0};
  const registry = newRegistry();
  const peer = new Peer({
    endpoint: {address: "peer:1", capnprotoAddress: "peer:19391", az: ""},
    transport,
    workers,
    timeoutMs: 5000,
    maxBackoffMs: 5000,
    artificialDelayMs: 0,
    delay: registry.histogram({name: "delay", help: "x", buckets: [1]}),
    forwards: {success: registry.counter({name: "a", help: "x"}), error: registry.counter({name: "b", help: "x"})},
    now: () => clock.now,
  });
  return {peer, calls, clock};
}

/** A tuple for a tenant without series, field 4 with its name in field 2, and the number of the replica. */
const tuple = (tenant: string, replica = 1): Buffer =>
  Buffer.concat([
    Buffer.from([0x22, tenant.length + 2, 0x12, tenant.length]),
    Buffer.from(tenant),
    Buffer.from([0x18, replica]),
  ]);
const tenants = (call: Call | undefined): string[] =>
  readPeerRequest(call?.message as Uint8Array).parcels.map((t) => t.tenant);
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a peer", () => {
  test("is sent together what waited for a worker, replica by replica", async () => {
    const {peer, calls} = fixture();
    const writes = [
      peer.write({pieces: [tuple("a")]}, 1),
      peer.write({pieces: [tuple("b")]}, 1),
      peer.write({pieces: [tuple("c")]}, 1),
      peer.write({pieces: [tuple("d", 2)]}, 2),
    ];
    assert.deepEqual(tenants(calls[0]), ["a"]);
    calls[0]?.answer();
    await settled();
    assert.deepEqual(tenants(calls[1]), ["b", "c"]);
    assert.equal(readPeerRequest(calls[1]?.message as Uint8Array).replica, 1);
    calls[1]?.answer();
    await settled();
    assert.deepEqual(tenants(calls[2]), ["d"]);
    assert.equal(readPeerRequest(calls[2]?.message as Uint8Array).replica, 2);
    calls[2]?.answer();
    assert.deepEqual(await Promise.all(writes), [undefined, undefined, undefined, undefined]);
  });

  test("tells each of a batch its own conflict", async () => {
    const {peer, calls} = fixture();
    const writes = ["a", "b", "c"].map((name) => peer.write({pieces: [tuple(name)]}, 1));
    calls[0]?.answer();
    await settled();
    assert.deepEqual(tenants(calls[1]), ["b", "c"]);
    calls[1]?.answer(new StrataError("conflict", "out of order"));
    await settled();
    calls[2]?.answer();
    await settled();
    calls[3]?.answer(new StrataError("conflict", "out of order"));
    const [a, b, c] = await Promise.all(writes);
    assert.deepEqual([a, b, c?.code], [undefined, undefined, "conflict"]);
  });

  test("that is away is left alone for longer and longer", async () => {
    const {peer, calls, clock} = fixture();
    const pauses: number[] = [];
    for (let round = 0; round < 8; round++) {
      const write = peer.write({pieces: [tuple("a")]}, 1);
      calls.at(-1)?.answer(new StrataError("unavailable", "gone"));
      assert.equal((await write)?.code, "unavailable");
      const refusal = await peer.write({pieces: [tuple("a")]}, 1);
      assert.match(
        refusal?.message ?? "",
        /^backing off forward request for endpoint addr: peer:1, .*: target not available$/,
      );
      const from = clock.now;
      while (peer.isAway) clock.now++;
      pauses.push(clock.now - from);
    }
    assert.equal(calls.length, 8);
    assert.ok((pauses[0] as number) >= 50 && (pauses[0] as number) <= 100, String(pauses));
    assert.ok((pauses[7] as number) >= 2500 && (pauses[7] as number) <= 5000, String(pauses));
    const write = peer.write({pieces: [tuple("a")]}, 1);
    calls.at(-1)?.answer();
    assert.equal(await write, undefined);
    assert.equal(peer.isAway, false);
  });

  test("that passed over parcels, as a program that knows none does, is sent the same without", async () => {
    const {peer, calls} = fixture();
    const pieces = parcelPieces({tenant: "a", form: 0, body: Buffer.alloc(0)});
    const write = peer.write({pieces, unpacked: () => [tuple("instead")]}, PLACED);
    calls[0]?.answer();
    await settled();
    assert.deepEqual(tenants(calls[1]), ["instead"]);
    assert.equal(peer.takesParcels, false);
    calls[1]?.answer(new StrataError("conflict", "out of order"));
    assert.equal((await write)?.code, "conflict");
  });

  test("is not sent what waited for too long, nor more than may wait", async () => {
    const {peer, calls, clock} = fixture();
    const first = peer.write({pieces: [tuple("a")]}, 1);
    const late = peer.write({pieces: [tuple("b")]}, 1);
    const large = peer.write({pieces: [Buffer.alloc(64 << 20)]}, 1);
    assert.match((await large)?.message ?? "", /bytes wait for peer:1 already/);
    clock.now = 6000;
    calls[0]?.answer();
    assert.equal(await first, undefined);
    assert.equal((await late)?.code, "timeout");
    assert.equal(calls.length, 1);
    peer.close();
  });
});
