import assert from "node:assert/strict";
import {describe, test} from "node:test";
import {random} from "@strata/base/testing";
import {snappyEncode} from "@strata/bytes";
import {SERIES_FIELD, SERIES_WORDS, type WriteWindow, writeWindow} from "@strata/kernels";
import {prompb, writeV2} from "@strata/proto";
import {openParcel, parcelOf, tupleOf, unpacked} from "./parcel.ts";
import {FORM, PLACED, parcelPieces, readPeerRequest} from "./peer-request.ts";
import {HARD_LIMITS} from "./write-handler.ts";

const rand = random();
const series = Array.from({length: 40}, (_, i) => ({
  labels: [
    {name: "__name__", value: `m${i}`},
    {name: "pod", value: "p".repeat(Math.floor(rand() * 200))},
  ],
  samples: [{value: rand(), timestamp: 1000 + i}],
}));

const bodyV1 = snappyEncode(prompb.WriteRequest.encode({timeseries: series}));
const symbols = ["", ...series.flatMap(({labels}) => labels.flatMap(({name, value}) => [name, value]))];
const bodyV2 = snappyEncode(
  writeV2.Request.encode({
    symbols,
    timeseries: series.map(({samples}, i) => ({labelsRefs: [1, 2, 3, 4].map((k) => 4 * i + k), samples})),
  }),
);

/** The fields of all series in the window, which are the same bytes whatever way they came. */
function fields(window: WriteWindow): Uint8Array[] {
  const u32 = window.kernel.u32();
  return Array.from({length: window.series}, (_, i) => {
    const entry = (window.entries >>> 2) + SERIES_WORDS * i;
    return window.bytes(u32[entry + SERIES_FIELD.from] as number, u32[entry + SERIES_FIELD.to] as number);
  });
}

/** What a peer finds in a request of these pieces. */
function received(pieces: readonly Uint8Array[]): {tenant: string; form: number; series: Uint8Array[]} {
  const {parcels, placed} = readPeerRequest(Buffer.concat(pieces));
  const [parcel] = parcels;
  assert.ok(parcel !== undefined && parcels.length === 1 && placed);
  using window = writeWindow();
  openParcel(window, parcel, false);
  return {tenant: parcel.tenant, form: parcel.form, series: fields(window)};
}

function loaded(version: 1 | 2): WriteWindow {
  const window = writeWindow();
  window.loadSnappy(version === 1 ? bodyV1 : bodyV2, HARD_LIMITS);
  if (version === 2) window.fromV2(HARD_LIMITS);
  window.walk(HARD_LIMITS);
  return window;
}

describe("a parcel", () => {
  for (const version of [1, 2] as const) {
    test(`is the whole body of remote write ${version}.0, and holds its series`, () => {
      using window = loaded(version);
      const want = fields(window);
      const parcel = parcelOf(window, {tenant: "a", list: undefined}, true);
      assert.equal(parcel.body, version === 1 ? bodyV1 : bodyV2);
      assert.deepEqual(received(parcelPieces(parcel)).series, want);
    });
  }

  test("holds the listed series of a part, packed where asked", () => {
    using window = loaded(2);
    const list = Uint32Array.from([0, 3, 4, 17, 39]);
    const want = [...list].map((i) => fields(window)[i]);
    for (const [pack, form] of [
      [true, FORM.packed],
      [false, FORM.plain],
    ] as const) {
      const got = received(parcelPieces(parcelOf(window, {tenant: "b", list}, pack)));
      assert.deepEqual(got, {tenant: "b", form, series: want});
    }
  });

  test("is no copy of the body once the request was changed", () => {
    using window = loaded(1);
    const kept = fields(window).slice(0, 7);
    window.load(Buffer.concat(kept));
    window.walk(HARD_LIMITS);
    const got = received(parcelPieces(parcelOf(window, {tenant: "a", list: undefined}, true)));
    assert.deepEqual(got.series, kept);
  });

  test("says the same to receivers that do not know parcels", () => {
    for (const form of [FORM.packed, FORM.packedV2]) {
      using window = loaded(form === FORM.packed ? 1 : 2);
      const want = Buffer.concat(tupleOf(window, {tenant: "a", list: undefined}, PLACED));
      const parcel = parcelOf(window, {tenant: "a", list: undefined}, true);
      assert.equal(parcel.form, form);
      assert.deepEqual(Buffer.concat(unpacked(parcel, PLACED)), want);
    }
  });

  test("of an unknown form is refused", () => {
    const pieces = parcelPieces({tenant: "a", form: 3 as never, body: bodyV1});
    assert.throws(() => readPeerRequest(Buffer.concat(pieces)), /form 3 is not known/);
  });
});
