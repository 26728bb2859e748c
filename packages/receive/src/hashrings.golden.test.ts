import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {describe, test} from "node:test";
import {gunzipSync} from "node:zlib";
import {errorText} from "@strata/base";
import {goldenDir} from "@strata/base/testing";
import {kernel, writeWindow} from "@strata/kernels";
import {prompb} from "@strata/proto";
import {newRegistry} from "@strata/telemetry";
import {GoRandom} from "./go-random.ts";
import {KetamaRing} from "./hashring.ts";
import {Hashrings} from "./hashrings.ts";
import {type Algorithm, parseRings} from "./ring-config.ts";
import {ringHashes} from "./ring-hashes.ts";
import {shuffleMetrics, shuffleSeed} from "./shuffle-ring.ts";

type Case = {
  readonly name: string;
  readonly algorithm_flag: string;
  readonly config: unknown;
  readonly replication_factor: number;
  readonly assignment?: readonly (readonly string[])[];
  readonly nodes?: readonly {address: string; az: string; capnproto_address: string}[];
  readonly error?: string;
  readonly parse_error?: string;
};
type Series = {readonly tenant: string; readonly labels: readonly (readonly [string, string])[]};

const file = (...parts: string[]): Buffer => readFileSync(goldenDir("storage", "hash", ...parts));
const cases = JSON.parse(gunzipSync(file("hashrings.json.gz")).toString()) as Case[];
const series = JSON.parse(gunzipSync(file("hashring-series.json.gz")).toString()) as Series[];
const LIMITS = {bytes: 1 << 24, entries: 1000};

/** Addresses of all replicas of one series; the error's text where there is none. */
function owners(rings: Hashrings, {tenant, labels}: Series, replication: number): string[] {
  using window = writeWindow();
  window.load(prompb.WriteRequest.encode({timeseries: [{labels: labels.map(([name, value]) => ({name, value}))}]}));
  window.walk(LIMITS);
  const out: string[] = [];
  for (let replica = 0; replica < replication; replica++) {
    try {
      const ring = rings.ringOf(tenant);
      const at = ringHashes(window, tenant);
      ring.place(at, 1, replica, at + 8);
      out.push(ring.nodes[kernel().u32()[(at + 8) >>> 2] as number]?.address ?? "");
    } catch (err) {
      out.push(`error: ${errorText(err)}`);
    }
  }
  return out;
}

describe("hashrings", () => {
  for (const c of cases) {
    test(`${c.name} gives every series its owners`, () => {
      const create = (): Hashrings => {
        const algorithm = (c.algorithm_flag === "ketama" ? "ketama" : "hashmod") satisfies Algorithm;
        const {rings} = parseRings(JSON.stringify(c.config), algorithm);
        return Hashrings.create(rings, c.replication_factor, shuffleMetrics(newRegistry()));
      };
      const error = c.error ?? c.parse_error;
      if (error !== undefined) {
        assert.throws(create, (err) => errorText(err) === error);
        return;
      }
      const rings = create();
      const sorted = <T extends {address: string}>(nodes: readonly T[]): T[] =>
        [...nodes].sort((a, b) => (a.address < b.address ? -1 : 1));
      const nodes = rings.nodes.map(({address, az, capnprotoAddress}) => ({
        address,
        az,
        capnproto_address: capnprotoAddress,
      }));
      assert.deepEqual(sorted(nodes), sorted(c.nodes ?? []));
      const assignment = c.assignment ?? [];
      assert.ok(assignment.length > 0);
      assignment.forEach((want, i) => {
        assert.deepEqual(owners(rings, series[i] as Series, c.replication_factor), want, `series ${i}`);
      });
      rings.close();
    });
  }

  test("the points of the ring and the draws of shuffle sharding are the original's", () => {
    const internals = JSON.parse(file("ring-internals.json").toString()) as {
      ring_points: {address: string; hash: string; section: number}[];
      shuffle_draws: {tenant: string; zone: string; seed: string; draws: string[]}[];
    };
    assert.ok(internals.ring_points.length > 0 && internals.shuffle_draws.length > 0);
    for (const {address, hash} of internals.ring_points) {
      const ring = new KetamaRing([{address, capnprotoAddress: "", az: ""}], 1);
      assert.ok(ring.hashes.includes(BigInt(`0x${hash}`)), `${address} ${hash}`);
      ring.close();
    }
    for (const {tenant, zone, seed, draws} of internals.shuffle_draws) {
      assert.equal(String(shuffleSeed(tenant, zone)), seed);
      const random = new GoRandom(BigInt(seed));
      assert.deepEqual(
        draws.map(() => random.uint64().toString(16).padStart(16, "0")),
        draws,
      );
    }
  });

  test("zones that cannot take the replicas are refused", () => {
    const endpoint = (i: number, az: string) => ({address: `n${i}:1`, capnprotoAddress: "", az});
    const zones = [endpoint(0, "a"), endpoint(1, "a"), endpoint(2, "a"), endpoint(3, "b")];
    assert.throws(() => new KetamaRing(zones, 4), /cannot spread 4 replicas evenly over the zones; .*a: 3, b: 1/);
    new KetamaRing(zones, 3).close();
  });
});
