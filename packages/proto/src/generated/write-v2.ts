// Written by src/generator.ts from proto/*.proto. Do not edit.
import {type Codec, codec, type Init} from "../codec.ts";
import type {WireReader} from "../wire-reader.ts";
import type {WireWriter} from "../wire-writer.ts";

export const MetricType = {
  METRIC_TYPE_UNSPECIFIED: 0,
  METRIC_TYPE_COUNTER: 1,
  METRIC_TYPE_GAUGE: 2,
  METRIC_TYPE_HISTOGRAM: 3,
  METRIC_TYPE_GAUGEHISTOGRAM: 4,
  METRIC_TYPE_SUMMARY: 5,
  METRIC_TYPE_INFO: 6,
  METRIC_TYPE_STATESET: 7,
} as const;

export const ResetHint = {
  RESET_HINT_UNSPECIFIED: 0,
  RESET_HINT_YES: 1,
  RESET_HINT_NO: 2,
  RESET_HINT_GAUGE: 3,
} as const;

export type Request = {
  symbols: string[];
  timeseries: TimeSeries[];
};

export function writeRequest(m: Init<Request>, w: WireWriter): void {
  if (m.symbols !== undefined) for (const x of m.symbols) {
    w.uint32(34);
    w.string(x);
  }
  if (m.timeseries !== undefined) for (const x of m.timeseries) {
    w.uint32(42);
    const mark = w.open();
    writeTimeSeries(x, w);
    w.close(mark);
  }
}

export function readRequest(r: WireReader): Request {
  const m: Request = {
    symbols: [],
    timeseries: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 34:
        m.symbols.push(r.string());
        break;
      case 42: {
        const outer = r.enter();
        m.timeseries.push(readTimeSeries(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Request: Codec<Request> = codec("io.prometheus.write.v2.Request", writeRequest, readRequest);

export type TimeSeries = {
  labelsRefs: number[];
  samples: Sample[];
  histograms: Histogram[];
  exemplars: Exemplar[];
  metadata: Metadata | undefined;
};

export function writeTimeSeries(m: Init<TimeSeries>, w: WireWriter): void {
  if (m.labelsRefs !== undefined && m.labelsRefs.length > 0) {
    w.uint32(10);
    const mark = w.open();
    for (const x of m.labelsRefs) w.uint32(x);
    w.close(mark);
  }
  if (m.samples !== undefined) for (const x of m.samples) {
    w.uint32(18);
    const mark = w.open();
    writeSample(x, w);
    w.close(mark);
  }
  if (m.histograms !== undefined) for (const x of m.histograms) {
    w.uint32(26);
    const mark = w.open();
    writeHistogram(x, w);
    w.close(mark);
  }
  if (m.exemplars !== undefined) for (const x of m.exemplars) {
    w.uint32(34);
    const mark = w.open();
    writeExemplar(x, w);
    w.close(mark);
  }
  if (m.metadata !== undefined) {
    w.uint32(42);
    const mark = w.open();
    writeMetadata(m.metadata, w);
    w.close(mark);
  }
}

export function readTimeSeries(r: WireReader): TimeSeries {
  const m: TimeSeries = {
    labelsRefs: [],
    samples: [],
    histograms: [],
    exemplars: [],
    metadata: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.labelsRefs.push(r.uint32());
        break;
      case 10: {
        const outer = r.enter();
        while (r.pos < r.end) m.labelsRefs.push(r.uint32());
        r.leave(outer);
        break;
      }
      case 18: {
        const outer = r.enter();
        m.samples.push(readSample(r));
        r.leave(outer);
        break;
      }
      case 26: {
        const outer = r.enter();
        m.histograms.push(readHistogram(r));
        r.leave(outer);
        break;
      }
      case 34: {
        const outer = r.enter();
        m.exemplars.push(readExemplar(r));
        r.leave(outer);
        break;
      }
      case 42: {
        const outer = r.enter();
        m.metadata = readMetadata(r);
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const TimeSeries: Codec<TimeSeries> = codec("io.prometheus.write.v2.TimeSeries", writeTimeSeries, readTimeSeries);

export type Sample = {
  value: number;
  timestamp: number;
  startTimestamp: number;
};

export function writeSample(m: Init<Sample>, w: WireWriter): void {
  if (m.value !== undefined && !Object.is(m.value, 0)) {
    w.uint32(9);
    w.double(m.value);
  }
  if (m.timestamp) {
    w.uint32(16);
    w.int64(m.timestamp);
  }
  if (m.startTimestamp) {
    w.uint32(24);
    w.int64(m.startTimestamp);
  }
}

export function readSample(r: WireReader): Sample {
  const m: Sample = {
    value: 0,
    timestamp: 0,
    startTimestamp: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 9:
        m.value = r.double();
        break;
      case 16:
        m.timestamp = r.int64();
        break;
      case 24:
        m.startTimestamp = r.int64();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Sample: Codec<Sample> = codec("io.prometheus.write.v2.Sample", writeSample, readSample);

export type Exemplar = {
  labelsRefs: number[];
  value: number;
  timestamp: number;
};

export function writeExemplar(m: Init<Exemplar>, w: WireWriter): void {
  if (m.labelsRefs !== undefined && m.labelsRefs.length > 0) {
    w.uint32(10);
    const mark = w.open();
    for (const x of m.labelsRefs) w.uint32(x);
    w.close(mark);
  }
  if (m.value !== undefined && !Object.is(m.value, 0)) {
    w.uint32(17);
    w.double(m.value);
  }
  if (m.timestamp) {
    w.uint32(24);
    w.int64(m.timestamp);
  }
}

export function readExemplar(r: WireReader): Exemplar {
  const m: Exemplar = {
    labelsRefs: [],
    value: 0,
    timestamp: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.labelsRefs.push(r.uint32());
        break;
      case 10: {
        const outer = r.enter();
        while (r.pos < r.end) m.labelsRefs.push(r.uint32());
        r.leave(outer);
        break;
      }
      case 17:
        m.value = r.double();
        break;
      case 24:
        m.timestamp = r.int64();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Exemplar: Codec<Exemplar> = codec("io.prometheus.write.v2.Exemplar", writeExemplar, readExemplar);

export type Metadata = {
  type: number;
  helpRef: number;
  unitRef: number;
};

export function writeMetadata(m: Init<Metadata>, w: WireWriter): void {
  if (m.type) {
    w.uint32(8);
    w.int32(m.type);
  }
  if (m.helpRef) {
    w.uint32(24);
    w.uint32(m.helpRef);
  }
  if (m.unitRef) {
    w.uint32(32);
    w.uint32(m.unitRef);
  }
}

export function readMetadata(r: WireReader): Metadata {
  const m: Metadata = {
    type: 0,
    helpRef: 0,
    unitRef: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.type = r.int32();
        break;
      case 24:
        m.helpRef = r.uint32();
        break;
      case 32:
        m.unitRef = r.uint32();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Metadata: Codec<Metadata> = codec("io.prometheus.write.v2.Metadata", writeMetadata, readMetadata);

export type Histogram = {
  countInt: number | undefined;
  countFloat: number | undefined;
  sum: number;
  schema: number;
  zeroThreshold: number;
  zeroCountInt: number | undefined;
  zeroCountFloat: number | undefined;
  negativeSpans: BucketSpan[];
  negativeDeltas: number[];
  negativeCounts: number[];
  positiveSpans: BucketSpan[];
  positiveDeltas: number[];
  positiveCounts: number[];
  resetHint: number;
  timestamp: number;
  customValues: number[];
  startTimestamp: number;
};

export function writeHistogram(m: Init<Histogram>, w: WireWriter): void {
  if (m.countInt !== undefined) {
    w.uint32(8);
    w.uint64(m.countInt);
  }
  if (m.countFloat !== undefined) {
    w.uint32(17);
    w.double(m.countFloat);
  }
  if (m.sum !== undefined && !Object.is(m.sum, 0)) {
    w.uint32(25);
    w.double(m.sum);
  }
  if (m.schema) {
    w.uint32(32);
    w.sint32(m.schema);
  }
  if (m.zeroThreshold !== undefined && !Object.is(m.zeroThreshold, 0)) {
    w.uint32(41);
    w.double(m.zeroThreshold);
  }
  if (m.zeroCountInt !== undefined) {
    w.uint32(48);
    w.uint64(m.zeroCountInt);
  }
  if (m.zeroCountFloat !== undefined) {
    w.uint32(57);
    w.double(m.zeroCountFloat);
  }
  if (m.negativeSpans !== undefined) for (const x of m.negativeSpans) {
    w.uint32(66);
    const mark = w.open();
    writeBucketSpan(x, w);
    w.close(mark);
  }
  if (m.negativeDeltas !== undefined && m.negativeDeltas.length > 0) {
    w.uint32(74);
    const mark = w.open();
    for (const x of m.negativeDeltas) w.sint64(x);
    w.close(mark);
  }
  if (m.negativeCounts !== undefined && m.negativeCounts.length > 0) {
    w.uint32(82);
    const mark = w.open();
    for (const x of m.negativeCounts) w.double(x);
    w.close(mark);
  }
  if (m.positiveSpans !== undefined) for (const x of m.positiveSpans) {
    w.uint32(90);
    const mark = w.open();
    writeBucketSpan(x, w);
    w.close(mark);
  }
  if (m.positiveDeltas !== undefined && m.positiveDeltas.length > 0) {
    w.uint32(98);
    const mark = w.open();
    for (const x of m.positiveDeltas) w.sint64(x);
    w.close(mark);
  }
  if (m.positiveCounts !== undefined && m.positiveCounts.length > 0) {
    w.uint32(106);
    const mark = w.open();
    for (const x of m.positiveCounts) w.double(x);
    w.close(mark);
  }
  if (m.resetHint) {
    w.uint32(112);
    w.int32(m.resetHint);
  }
  if (m.timestamp) {
    w.uint32(120);
    w.int64(m.timestamp);
  }
  if (m.customValues !== undefined && m.customValues.length > 0) {
    w.uint32(130);
    const mark = w.open();
    for (const x of m.customValues) w.double(x);
    w.close(mark);
  }
  if (m.startTimestamp) {
    w.uint32(136);
    w.int64(m.startTimestamp);
  }
}

export function readHistogram(r: WireReader): Histogram {
  const m: Histogram = {
    countInt: undefined,
    countFloat: undefined,
    sum: 0,
    schema: 0,
    zeroThreshold: 0,
    zeroCountInt: undefined,
    zeroCountFloat: undefined,
    negativeSpans: [],
    negativeDeltas: [],
    negativeCounts: [],
    positiveSpans: [],
    positiveDeltas: [],
    positiveCounts: [],
    resetHint: 0,
    timestamp: 0,
    customValues: [],
    startTimestamp: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.countFloat = undefined; m.countInt = r.uint64();
        break;
      case 17:
        m.countInt = undefined; m.countFloat = r.double();
        break;
      case 25:
        m.sum = r.double();
        break;
      case 32:
        m.schema = r.sint32();
        break;
      case 41:
        m.zeroThreshold = r.double();
        break;
      case 48:
        m.zeroCountFloat = undefined; m.zeroCountInt = r.uint64();
        break;
      case 57:
        m.zeroCountInt = undefined; m.zeroCountFloat = r.double();
        break;
      case 66: {
        const outer = r.enter();
        m.negativeSpans.push(readBucketSpan(r));
        r.leave(outer);
        break;
      }
      case 72:
        m.negativeDeltas.push(r.sint64());
        break;
      case 74: {
        const outer = r.enter();
        while (r.pos < r.end) m.negativeDeltas.push(r.sint64());
        r.leave(outer);
        break;
      }
      case 81:
        m.negativeCounts.push(r.double());
        break;
      case 82: {
        const outer = r.enter();
        while (r.pos < r.end) m.negativeCounts.push(r.double());
        r.leave(outer);
        break;
      }
      case 90: {
        const outer = r.enter();
        m.positiveSpans.push(readBucketSpan(r));
        r.leave(outer);
        break;
      }
      case 96:
        m.positiveDeltas.push(r.sint64());
        break;
      case 98: {
        const outer = r.enter();
        while (r.pos < r.end) m.positiveDeltas.push(r.sint64());
        r.leave(outer);
        break;
      }
      case 105:
        m.positiveCounts.push(r.double());
        break;
      case 106: {
        const outer = r.enter();
        while (r.pos < r.end) m.positiveCounts.push(r.double());
        r.leave(outer);
        break;
      }
      case 112:
        m.resetHint = r.int32();
        break;
      case 120:
        m.timestamp = r.int64();
        break;
      case 129:
        m.customValues.push(r.double());
        break;
      case 130: {
        const outer = r.enter();
        while (r.pos < r.end) m.customValues.push(r.double());
        r.leave(outer);
        break;
      }
      case 136:
        m.startTimestamp = r.int64();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Histogram: Codec<Histogram> = codec("io.prometheus.write.v2.Histogram", writeHistogram, readHistogram);

export type BucketSpan = {
  offset: number;
  length: number;
};

export function writeBucketSpan(m: Init<BucketSpan>, w: WireWriter): void {
  if (m.offset) {
    w.uint32(8);
    w.sint32(m.offset);
  }
  if (m.length) {
    w.uint32(16);
    w.uint32(m.length);
  }
}

export function readBucketSpan(r: WireReader): BucketSpan {
  const m: BucketSpan = {
    offset: 0,
    length: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.offset = r.sint32();
        break;
      case 16:
        m.length = r.uint32();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const BucketSpan: Codec<BucketSpan> = codec("io.prometheus.write.v2.BucketSpan", writeBucketSpan, readBucketSpan);
