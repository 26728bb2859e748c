import {errorText, StrataError} from "@strata/base";
import {WireReader} from "@strata/proto";
import {readKeyValue, valueText} from "./any-value.ts";
import type {AttributeCache} from "./attribute-cache.ts";
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
export function decodeOtlp(bytes: Uint8Array, cache: AttributeCache): Resource[] {
  const r = new WireReader(bytes, "OTLP request");
  const known = new PointAttributes(bytes, cache);
  const resources: Resource[] = [];
  try {
    fields(r, (tag) => (tag === 0x0a ? void resources.push(message(r, () => readResource(r, known))) : r.skip(tag)));
  } catch (err) {
    throw new StrataError("bad_data", protobufText(err), {cause: err});
  }
  return resources;
}

/** The attributes of the point that is being read, as the bytes of their fields, which mostly lie side by side. */
class PointAttributes {
  readonly #bytes: Buffer;
  readonly #cache: AttributeCache;
  #from = 0;
  #to = 0;
  readonly #scattered: Buffer[] = [];

  constructor(bytes: Uint8Array, cache: AttributeCache) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#cache = cache;
  }

  begin(): void {
    this.#from = 0;
    this.#to = 0;
    this.#scattered.length = 0;
  }

  /** Passes over an attribute, whose field begins at `from`. */
  skip(r: WireReader, from: number, tag: number): void {
    r.skip(tag);
    if (this.#to !== from) {
      if (this.#to > 0) this.#scattered.push(this.#bytes.subarray(this.#from, this.#to));
      this.#from = from;
    }
    this.#to = r.pos;
  }

  /** The point's attributes. */
  list(): readonly Attribute[] {
    let bytes = this.#bytes;
    let [from, to] = [this.#from, this.#to];
    if (this.#scattered.length > 0) {
      bytes = Buffer.concat([...this.#scattered, bytes.subarray(from, to)]);
      [from, to] = [0, bytes.length];
    }
    return this.#cache.of(bytes.toString("latin1", from, to), () => {
      const r = new WireReader(bytes.subarray(from, to), "OTLP request");
      const list: Attribute[] = [];
      fields(r, () => attribute(r, list));
      return list;
    });
  }
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

/** As `fields`, with the place where each begins. */
function pointFields(r: WireReader, field: (tag: number, from: number) => void): void {
  while (r.pos < r.end) {
    const from = r.pos;
    field(r.uint32(), from);
  }
}

function message<T>(r: WireReader, read: () => T): T {
  const outer = r.enter();
  const value = read();
  r.leave(outer);
  return value;
}

function readResource(r: WireReader, known: PointAttributes): Resource {
  const attributes: Attribute[] = [];
  const scopes: Scope[] = [];
  fields(r, (tag) => {
    if (tag === 0x0a) message(r, () => fields(r, (t) => (t === 0x0a ? attribute(r, attributes) : r.skip(t))));
    else if (tag === 0x12) scopes.push(message(r, () => readScope(r, known)));
    else r.skip(tag);
  });
  return {attributes, scopes};
}

function attribute(r: WireReader, into: Attribute[]): void {
  const [key, value] = readKeyValue(r);
  into.push({key, value: valueText(value)});
}

function readScope(r: WireReader, known: PointAttributes): Scope {
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
    } else if (tag === 0x12) scope.metrics.push(message(r, () => readMetric(r, known)));
    else if (tag === 0x1a) scope.schemaUrl = r.string();
    else r.skip(tag);
  });
  return scope;
}

function readMetric(r: WireReader, known: PointAttributes): Metric {
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
        metric.data = {kind: "gauge", points: readData(r, known, readNumber).points};
        return;
      case 0x3a:
        metric.data = {kind: "sum", ...readData(r, known, readNumber)};
        return;
      case 0x4a:
        metric.data = {kind: "histogram", ...readData(r, known, readHistogram)};
        return;
      case 0x52:
        metric.data = {kind: "exponential", ...readData(r, known, readExponential)};
        return;
      case 0x5a:
        metric.data = {kind: "summary", points: readData(r, known, readSummary).points};
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
  known: PointAttributes,
  read: (r: WireReader, known: PointAttributes) => P,
): {points: P[]; temporality: number; monotonic: boolean} {
  const data = {points: [] as P[], temporality: 0, monotonic: false};
  message(r, () =>
    fields(r, (tag) => {
      if (tag === 0x0a) {
        const outer = r.enter();
        known.begin();
        data.points.push(read(r, known));
        r.leave(outer);
      } else if (tag === 0x10) data.temporality = r.uint32();
      else if (tag === 0x18) data.monotonic = r.bool();
      else r.skip(tag);
    }),
  );
  return data;
}

const NO_EXEMPLARS: readonly Exemplar[] = [];

const common = () => ({
  attributes: [] as readonly Attribute[],
  t: 0,
  start: 0,
  stale: false,
  exemplars: [] as Exemplar[],
});

// PERF: a plain loop without closures, because most points are numbers.
function readNumber(r: WireReader, known: PointAttributes): NumberPoint {
  let t = 0;
  let start = 0;
  let value = 0;
  let stale = false;
  let exemplars: Exemplar[] | undefined;
  while (r.pos < r.end) {
    const from = r.pos;
    const tag = r.uint32();
    if (tag === 0x3a) known.skip(r, from, tag);
    else if (tag === 0x11) start = time(r);
    else if (tag === 0x19) t = time(r);
    else if (tag === 0x21) value = r.double();
    else if (tag === 0x31) value = signed64(r);
    else if (tag === 0x2a) {
      exemplars ??= [];
      exemplars.push(message(r, () => readExemplar(r)));
    } else if (tag === 0x40) stale = (r.uint32() & NO_RECORDED_VALUE) !== 0;
    else r.skip(tag);
  }
  return {attributes: known.list(), t, start, stale, exemplars: exemplars ?? NO_EXEMPLARS, value};
}

function readHistogram(r: WireReader, known: PointAttributes): HistogramPoint {
  const p = {
    ...common(),
    count: 0,
    sum: undefined as number | undefined,
    counts: [] as number[],
    bounds: [] as number[],
  };
  pointFields(r, (tag, from) => {
    if (tag === 0x4a) known.skip(r, from, tag);
    else if (tag === 0x11) p.start = time(r);
    else if (tag === 0x19) p.t = time(r);
    else if (tag === 0x21) p.count = unsigned64(r);
    else if (tag === 0x29) p.sum = r.double();
    else if (tag === 0x32 || tag === 0x31) repeated(r, tag, p.counts, () => unsigned64(r));
    else if (tag === 0x3a || tag === 0x39) repeated(r, tag, p.bounds, () => r.double());
    else if (tag === 0x42) p.exemplars.push(message(r, () => readExemplar(r)));
    else if (tag === 0x50) p.stale = (r.uint32() & NO_RECORDED_VALUE) !== 0;
    else r.skip(tag);
  });
  p.attributes = known.list();
  return p;
}

function readExponential(r: WireReader, known: PointAttributes): ExponentialPoint {
  const p = {
    ...common(),
    count: 0,
    sum: undefined as number | undefined,
    scale: 0,
    zeroCount: 0,
    positive: {offset: 0, counts: []} as Buckets,
    negative: {offset: 0, counts: []} as Buckets,
  };
  pointFields(r, (tag, from) => {
    if (tag === 0x0a) known.skip(r, from, tag);
    else if (tag === 0x11) p.start = time(r);
    else if (tag === 0x19) p.t = time(r);
    else if (tag === 0x21) p.count = unsigned64(r);
    else if (tag === 0x29) p.sum = r.double();
    else if (tag === 0x30) p.scale = r.sint32();
    else if (tag === 0x39) p.zeroCount = unsigned64(r);
    else if (tag === 0x42) p.positive = message(r, () => readBuckets(r));
    else if (tag === 0x4a) p.negative = message(r, () => readBuckets(r));
    else if (tag === 0x50) p.stale = (r.uint32() & NO_RECORDED_VALUE) !== 0;
    else if (tag === 0x5a) p.exemplars.push(message(r, () => readExemplar(r)));
    else r.skip(tag);
  });
  p.attributes = known.list();
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

function readSummary(r: WireReader, known: PointAttributes): SummaryPoint {
  const p = {...common(), count: 0, sum: 0, quantiles: [] as [number, number][]};
  pointFields(r, (tag, from) => {
    if (tag === 0x3a) known.skip(r, from, tag);
    else if (tag === 0x11) p.start = time(r);
    else if (tag === 0x19) p.t = time(r);
    else if (tag === 0x21) p.count = unsigned64(r);
    else if (tag === 0x29) p.sum = r.double();
    else if (tag === 0x32) p.quantiles.push(message(r, () => readQuantile(r)));
    else if (tag === 0x40) p.stale = (r.uint32() & NO_RECORDED_VALUE) !== 0;
    else r.skip(tag);
  });
  p.attributes = known.list();
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
    else if (tag === 0x31) e.value = signed64(r);
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

const TWO_32 = 2 ** 32;
const NS_PER_MS = 1_000_000;
let low = 0;
let high = 0;

/** Eight bytes, little-endian, into `low` and `high`; a double is one reading of them, so the reader checks that they are there. */
function words(r: WireReader): void {
  const {bytes, pos} = r;
  r.double();
  low = word(bytes, pos);
  high = word(bytes, pos + 4);
}

const word = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)) >>>
  0;

/** Rounded once, as the conversion of the whole number would be. */
function unsigned64(r: WireReader): number {
  words(r);
  return high * TWO_32 + low;
}

function signed64(r: WireReader): number {
  words(r);
  return (high | 0) * TWO_32 + low;
}

/** A time in ns as whole ms, exactly: a long division in two digits of 32 bits. */
function time(r: WireReader): number {
  words(r);
  const top = Math.floor(high / NS_PER_MS);
  return top * TWO_32 + Math.floor(((high - top * NS_PER_MS) * TWO_32 + low) / NS_PER_MS);
}
