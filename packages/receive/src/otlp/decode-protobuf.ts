import {errorText, StrataError} from "@strata/base";
import {WireReader} from "@strata/proto";
import {readKeyValue, valueText} from "./any-value.ts";
import type {
  Attribute,
  Buckets,
  Exemplar,
  ExponentialPoint,
  HistogramPoint,
  Metric,
  MetricData,
  NumberPoint,
  Resource,
  Scope,
  SummaryPoint,
} from "./otlp-metrics.ts";

/** Bit of a point's flags: nothing was recorded. */
export const NO_RECORDED_VALUE = 1;

/** Reads an ExportMetricsServiceRequest. Throws `bad_data`. */
export function decodeOtlp(bytes: Uint8Array): Resource[] {
  const r = new WireReader(bytes, "OTLP request");
  const resources: Resource[] = [];
  try {
    fields(r, (tag) => (tag === 0x0a ? void resources.push(message(r, () => readResource(r))) : r.skip(tag)));
  } catch (err) {
    throw new StrataError("bad_data", protobufText(err), {cause: err});
  }
  return resources;
}

/** Compat: the words of Go's library where it has such. */
function protobufText(err: unknown): string {
  const text = errorText(err);
  const wire = /wire type (\d) of field/.exec(text);
  return wire === null ? text : `proto: illegal wireType ${wire[1]}`;
}

/** Reads to the end of the message that the reader stands in. */
function fields(r: WireReader, field: (tag: number) => void): void {
  while (r.pos < r.end) field(r.uint32());
}

function message<T>(r: WireReader, read: () => T): T {
  const outer = r.enter();
  const value = read();
  r.leave(outer);
  return value;
}

function readResource(r: WireReader): Resource {
  const attributes: Attribute[] = [];
  const scopes: Scope[] = [];
  fields(r, (tag) => {
    if (tag === 0x0a) message(r, () => fields(r, (t) => (t === 0x0a ? attribute(r, attributes) : r.skip(t))));
    else if (tag === 0x12) scopes.push(message(r, () => readScope(r)));
    else r.skip(tag);
  });
  return {attributes, scopes};
}

function attribute(r: WireReader, into: Attribute[]): void {
  const [key, value] = readKeyValue(r);
  into.push({key, value: valueText(value)});
}

function readScope(r: WireReader): Scope {
  const scope = {name: "", version: "", schemaUrl: "", attributes: [] as Attribute[], metrics: [] as Metric[]};
  fields(r, (tag) => {
    if (tag === 0x0a) {
      message(r, () =>
        fields(r, (t) => {
          if (t === 0x0a) scope.name = r.string();
          else if (t === 0x12) scope.version = r.string();
          else if (t === 0x1a) attribute(r, scope.attributes);
          else r.skip(t);
        }),
      );
    } else if (tag === 0x12) scope.metrics.push(message(r, () => readMetric(r)));
    else if (tag === 0x1a) scope.schemaUrl = r.string();
    else r.skip(tag);
  });
  return scope;
}

function readMetric(r: WireReader): Metric {
  const metric = {name: "", unit: "", data: {kind: "empty"} as MetricData};
  fields(r, (tag) => {
    switch (tag) {
      case 0x0a:
        metric.name = r.string();
        return;
      case 0x1a:
        metric.unit = r.string();
        return;
      case 0x2a:
        metric.data = {kind: "gauge", points: readData(r, readNumber).points};
        return;
      case 0x3a:
        metric.data = {kind: "sum", ...readData(r, readNumber)};
        return;
      case 0x4a:
        metric.data = {kind: "histogram", ...readData(r, readHistogram)};
        return;
      case 0x52:
        metric.data = {kind: "exponential", ...readData(r, readExponential)};
        return;
      case 0x5a:
        metric.data = {kind: "summary", points: readData(r, readSummary).points};
        return;
      default:
        r.skip(tag);
    }
  });
  return metric;
}

/** { 1 points…   2 temporality   3 monotonic } */
function readData<P>(
  r: WireReader,
  read: (r: WireReader) => P,
): {points: P[]; temporality: number; monotonic: boolean} {
  const data = {points: [] as P[], temporality: 0, monotonic: false};
  message(r, () =>
    fields(r, (tag) => {
      if (tag === 0x0a) data.points.push(message(r, () => read(r)));
      else if (tag === 0x10) data.temporality = r.uint32();
      else if (tag === 0x18) data.monotonic = r.bool();
      else r.skip(tag);
    }),
  );
  return data;
}

const common = () => ({
  attributes: [] as Attribute[],
  t: 0,
  start: 0,
  stale: false,
  exemplars: [] as Exemplar[],
});

function readNumber(r: WireReader): NumberPoint {
  const p = {...common(), value: 0};
  fields(r, (tag) => {
    if (tag === 0x3a) attribute(r, p.attributes);
    else if (tag === 0x11) p.start = time(r);
    else if (tag === 0x19) p.t = time(r);
    else if (tag === 0x21) p.value = r.double();
    else if (tag === 0x31) p.value = Number(BigInt.asIntN(64, fixed64(r)));
    else if (tag === 0x2a) p.exemplars.push(message(r, () => readExemplar(r)));
    else if (tag === 0x40) p.stale = (r.uint32() & NO_RECORDED_VALUE) !== 0;
    else r.skip(tag);
  });
  return p;
}

function readHistogram(r: WireReader): HistogramPoint {
  const p = {
    ...common(),
    count: 0,
    sum: undefined as number | undefined,
    counts: [] as number[],
    bounds: [] as number[],
  };
  fields(r, (tag) => {
    if (tag === 0x4a) attribute(r, p.attributes);
    else if (tag === 0x11) p.start = time(r);
    else if (tag === 0x19) p.t = time(r);
    else if (tag === 0x21) p.count = Number(fixed64(r));
    else if (tag === 0x29) p.sum = r.double();
    else if (tag === 0x32 || tag === 0x31) repeated(r, tag, p.counts, () => Number(fixed64(r)));
    else if (tag === 0x3a || tag === 0x39) repeated(r, tag, p.bounds, () => r.double());
    else if (tag === 0x42) p.exemplars.push(message(r, () => readExemplar(r)));
    else if (tag === 0x50) p.stale = (r.uint32() & NO_RECORDED_VALUE) !== 0;
    else r.skip(tag);
  });
  return p;
}

function readExponential(r: WireReader): ExponentialPoint {
  const p = {
    ...common(),
    count: 0,
    sum: undefined as number | undefined,
    scale: 0,
    zeroCount: 0,
    positive: {offset: 0, counts: []} as Buckets,
    negative: {offset: 0, counts: []} as Buckets,
  };
  fields(r, (tag) => {
    if (tag === 0x0a) attribute(r, p.attributes);
    else if (tag === 0x11) p.start = time(r);
    else if (tag === 0x19) p.t = time(r);
    else if (tag === 0x21) p.count = Number(fixed64(r));
    else if (tag === 0x29) p.sum = r.double();
    else if (tag === 0x30) p.scale = r.sint32();
    else if (tag === 0x39) p.zeroCount = Number(fixed64(r));
    else if (tag === 0x42) p.positive = message(r, () => readBuckets(r));
    else if (tag === 0x4a) p.negative = message(r, () => readBuckets(r));
    else if (tag === 0x50) p.stale = (r.uint32() & NO_RECORDED_VALUE) !== 0;
    else if (tag === 0x5a) p.exemplars.push(message(r, () => readExemplar(r)));
    else r.skip(tag);
  });
  return p;
}

function readBuckets(r: WireReader): Buckets {
  const buckets = {offset: 0, counts: [] as number[]};
  fields(r, (tag) => {
    if (tag === 0x08) buckets.offset = r.sint32();
    else if (tag === 0x12 || tag === 0x10) repeated(r, tag, buckets.counts, () => r.uint64());
    else r.skip(tag);
  });
  return buckets;
}

function readSummary(r: WireReader): SummaryPoint {
  const p = {...common(), count: 0, sum: 0, quantiles: [] as [number, number][]};
  fields(r, (tag) => {
    if (tag === 0x3a) attribute(r, p.attributes);
    else if (tag === 0x11) p.start = time(r);
    else if (tag === 0x19) p.t = time(r);
    else if (tag === 0x21) p.count = Number(fixed64(r));
    else if (tag === 0x29) p.sum = r.double();
    else if (tag === 0x32) p.quantiles.push(message(r, () => readQuantile(r)));
    else if (tag === 0x40) p.stale = (r.uint32() & NO_RECORDED_VALUE) !== 0;
    else r.skip(tag);
  });
  return p;
}

function readQuantile(r: WireReader): [number, number] {
  const pair: [number, number] = [0, 0];
  fields(r, (tag) => {
    if (tag === 0x09) pair[0] = r.double();
    else if (tag === 0x11) pair[1] = r.double();
    else r.skip(tag);
  });
  return pair;
}

function readExemplar(r: WireReader): Exemplar {
  const e = {attributes: [] as Attribute[], t: 0, value: 0, traceId: "", spanId: ""};
  fields(r, (tag) => {
    if (tag === 0x3a) attribute(r, e.attributes);
    else if (tag === 0x11) e.t = time(r);
    else if (tag === 0x19) e.value = r.double();
    else if (tag === 0x31) e.value = Number(BigInt.asIntN(64, fixed64(r)));
    else if (tag === 0x22) e.spanId = Buffer.from(r.view()).toString("hex");
    else if (tag === 0x2a) e.traceId = Buffer.from(r.view()).toString("hex");
    else r.skip(tag);
  });
  return e;
}

/** A repeated number, packed or not. */
function repeated(r: WireReader, tag: number, into: number[], read: () => number): void {
  if ((tag & 7) !== 2) into.push(read());
  else message(r, () => fieldsOf(r, () => into.push(read())));
}

function fieldsOf(r: WireReader, read: () => void): void {
  while (r.pos < r.end) read();
}

const word = Buffer.alloc(8);

/** Eight bytes, little-endian, of which a double is one reading: so the reader checks that they are there. */
function fixed64(r: WireReader): bigint {
  const from = r.pos;
  r.double();
  word.set(r.bytes.subarray(from, from + 8));
  return word.readBigUInt64LE();
}

/** A time in ns as ms. */
const time = (r: WireReader): number => Number(fixed64(r) / 1_000_000n);
