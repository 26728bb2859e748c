import assert from "node:assert/strict";
import {existsSync, readdirSync, readFileSync} from "node:fs";
import {test} from "node:test";
import {StrataError} from "@strata/base";
import fc from "fast-check";
import protobuf from "protobufjs";
import {generate} from "./generator.ts";
import * as proto from "./index.ts";
import {type Codec, FILE_DESCRIPTORS, prompb, thanos} from "./index.ts";

test("the committed modules are what the generator writes", () => {
  const dir = new URL("./generated/", import.meta.url);
  const want = generate();
  assert.deepEqual(readdirSync(dir).sort(), [...want.keys()].sort());
  for (const [name, source] of want) assert.equal(readFileSync(new URL(name, dir), "utf8"), source, name);
});

/** protobufjs reads the same .proto files: a second implementation to hold ours against. */
const root = new protobuf.Root();
root.resolvePath = (_origin, target) => new URL(`../proto/${target}`, import.meta.url).pathname;
root.loadSync(readdirSync(new URL("../proto/", import.meta.url)), {keepCase: false}).resolveAll();

const codecs = [proto.google, proto.health, proto.hints, proto.info, prompb, thanos, proto.writeV2]
  .concat([proto.reflectionV1, proto.reflectionV1Alpha] as never[])
  .flatMap((module) => Object.values(module) as unknown[])
  .filter((x): x is Codec<object> => typeof (x as Codec<object>).decode === "function");

/** Random plain objects of a message type, as protobufjs wants them. */
function arbitrary(type: protobuf.Type, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const fields: Record<string, fc.Arbitrary<unknown>> = {};
  const oneofs = new Set<string>();
  for (const f of type.fieldsArray) {
    if (f.partOf) {
      if (oneofs.has(f.partOf.name)) continue;
      oneofs.add(f.partOf.name);
    }
    const sub = f.resolvedType instanceof protobuf.Type ? f.resolvedType : undefined;
    if (sub && depth === 0) continue;
    const one = sub ? arbitrary(sub, depth - 1) : scalar(f);
    if (f instanceof protobuf.MapField) fields[f.name] = fc.dictionary(fc.string(), one, {maxKeys: 3});
    else fields[f.name] = f.repeated ? fc.array(one, {maxLength: 3}) : one;
  }
  return fc.record(fields, {requiredKeys: []});
}

const int64 = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({min: -200, max: 200}),
  fc.constantFrom(2 ** 31, 2 ** 32, -(2 ** 31), -(2 ** 32), 2 ** 53, -(2 ** 53)),
);

function scalar(f: protobuf.Field): fc.Arbitrary<unknown> {
  if (f.resolvedType instanceof protobuf.Enum) return fc.constantFrom(...Object.values(f.resolvedType.values));
  switch (f.type) {
    case "double":
      return fc.double();
    case "bool":
      return fc.boolean();
    case "string":
      return fc.string({unit: "binary", maxLength: 40});
    case "bytes":
      return fc.uint8Array({maxLength: 300});
    case "int64":
    case "sint64":
      return int64;
    case "uint64":
      return int64.map(Math.abs);
    case "uint32":
      return fc.nat(0xffffffff);
    default:
      return fc.integer();
  }
}

const typeOf = (codec: Codec<object>): protobuf.Type => root.lookupType(codec.typeName);

/** The message as bytes of protobufjs, with its Long values turned into what `from` understands. */
const theirs = (type: protobuf.Type, bytes: Uint8Array): unknown =>
  type.toObject(type.decode(bytes), {longs: String, bytes: String, defaults: true, arrays: true, objects: true});

test("every message decodes what protobufjs encodes, and encodes what protobufjs decodes as the same", () => {
  assert.ok(codecs.length > 100, `${codecs.length} messages`);
  for (const codec of codecs) {
    const type = typeOf(codec);
    fc.assert(
      fc.property(arbitrary(type, 3), (value) => {
        const bytes = type.encode(type.fromObject(value)).finish();
        const ours = codec.decode(bytes);
        const again = codec.encode(ours);
        assert.deepEqual(theirs(type, again), theirs(type, bytes), codec.typeName);
        assert.deepEqual(codec.decode(again), ours, codec.typeName);
      }),
      {numRuns: 25},
    );
  }
});

test("the extremes of int64 survive both ways", () => {
  const extremes = root.lookupType("thanos.info.StoreInfo").encode({minTime: min64, maxTime: max64}).finish();
  const info = proto.info.StoreInfo.decode(extremes);
  assert.equal(info.minTime, -(2 ** 63));
  assert.equal(info.maxTime, 2 ** 63);
  assert.deepEqual(Buffer.from(proto.info.StoreInfo.encode(info)), Buffer.from(extremes));
  const infinite = proto.info.StoreInfo.encode({minTime: -Infinity, maxTime: Infinity});
  assert.deepEqual(Buffer.from(infinite), Buffer.from(extremes));
});

const min64 = {low: 0, high: -0x80000000, unsigned: false};
const max64 = {low: -1, high: 0x7fffffff, unsigned: false};

test("a 64-bit hash keeps all its bits", () => {
  for (const hash of [0n, 1n, 0xffffffffffffffffn, 0x8000000000000001n, 12065836757388945933n]) {
    assert.equal(thanos.Chunk.decode(thanos.Chunk.encode({hash})).hash, hash);
  }
});

test("defaults are left out, explicit members of a oneof are not", () => {
  assert.equal(thanos.SeriesRequest.encode({minTime: 0, matchers: [], skipChunks: false}).length, 0);
  assert.equal(prompb.Histogram.encode({countInt: 0}).length, 2);
  assert.equal(prompb.Histogram.decode(prompb.Histogram.encode({countFloat: 0})).countFloat, 0);
  assert.ok(Object.is(prompb.Sample.decode(prompb.Sample.encode({value: -0})).value, -0));
});

test("of the members of a oneof the last one wins", () => {
  const both = Buffer.concat([
    thanos.SeriesResponse.encode({warning: "w"}),
    thanos.SeriesResponse.encode({batch: {series: []}}),
  ]);
  const m = thanos.SeriesResponse.decode(both);
  assert.equal(m.warning, undefined);
  assert.deepEqual(m.batch, {series: []});
});

test("unknown fields of every wire type are passed over", () => {
  const unknown = Buffer.from([0xf8, 0x06, 0x96, 0x01, 0xf9, 0x06, 1, 2, 3, 4, 5, 6, 7, 8, 0xfa, 0x06, 2, 9, 9]);
  const known = thanos.Label.encode({name: "a", value: "b"});
  const fixed32 = Buffer.from([0xfd, 0x06, 1, 2, 3, 4]);
  assert.deepEqual(thanos.Label.decode(Buffer.concat([unknown, known, fixed32])), {name: "a", value: "b"});
});

test("any bytes give a message or a corrupt error that names the message", () => {
  const check = (codec: Codec<object>, bytes: Uint8Array): void => {
    try {
      codec.decode(bytes);
    } catch (err) {
      assert.ok(err instanceof StrataError, String(err));
      assert.equal(err.code, "corrupt");
      assert.match(err.message, /^cannot decode \S+: .* at offset \d+$/);
    }
  };
  const good = thanos.SeriesRequest.encode({matchers: [{name: "a", value: "b"}], aggregates: [1, 2], limit: 2 ** 40});
  for (let cut = 0; cut < good.length; cut++) check(thanos.SeriesRequest, good.subarray(0, cut));
  fc.assert(
    fc.property(fc.uint8Array({maxLength: 64}), fc.constantFrom(...codecs), (bytes, codec) => check(codec, bytes)),
    {numRuns: 3000},
  );
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => {
      const bad = Buffer.from(good);
      bad[at] = byte;
      check(thanos.SeriesRequest, bad);
    }),
  );
});

test("every service's messages are described for reflection, with their dependencies", () => {
  const names = new Set(FILE_DESCRIPTORS.map((f) => f.name));
  const symbols = new Set(FILE_DESCRIPTORS.flatMap((f) => f.symbols));
  for (const codec of codecs) assert.ok(symbols.has(codec.typeName), codec.typeName);
  for (const f of FILE_DESCRIPTORS) {
    for (const d of f.dependencies) assert.ok(names.has(d), `${f.name} needs ${d}`);
    assert.ok(Buffer.from(f.base64, "base64").includes(f.name));
  }
  assert.ok(symbols.has("thanos.Store.Series"));
  assert.ok(existsSync(new URL("../proto/store.proto", import.meta.url)));
});
