// Written by src/generator.ts from proto/*.proto. Do not edit.
import {type Codec, codec, type Init} from "../codec.ts";
import type {WireReader} from "../wire-reader.ts";
import type {WireWriter} from "../wire-writer.ts";

export const MetricType = {
  METRIC_TYPE_UNKNOWN: 0,
  METRIC_TYPE_COUNTER: 1,
  METRIC_TYPE_GAUGE: 2,
  METRIC_TYPE_HISTOGRAM: 3,
  METRIC_TYPE_GAUGEHISTOGRAM: 4,
  METRIC_TYPE_SUMMARY: 5,
  METRIC_TYPE_INFO: 6,
  METRIC_TYPE_STATESET: 7,
} as const;

export const ResetHint = {
  RESET_HINT_UNKNOWN: 0,
  RESET_HINT_YES: 1,
  RESET_HINT_NO: 2,
  RESET_HINT_GAUGE: 3,
} as const;

export const MatcherType = {
  MATCHER_EQ: 0,
  MATCHER_NEQ: 1,
  MATCHER_RE: 2,
  MATCHER_NRE: 3,
} as const;

export const ReadResponseType = {
  READ_SAMPLES: 0,
  READ_STREAMED_XOR_CHUNKS: 1,
} as const;

export const ReadChunkEncoding = {
  READ_CHUNK_UNKNOWN: 0,
  READ_CHUNK_XOR: 1,
  READ_CHUNK_HISTOGRAM: 2,
  READ_CHUNK_FLOAT_HISTOGRAM: 3,
} as const;

export type WriteRequest = {
  timeseries: TimeSeries[];
  metadata: MetricMetadata[];
};

export function writeWriteRequest(m: Init<WriteRequest>, w: WireWriter): void {
  if (m.timeseries !== undefined) for (const x of m.timeseries) {
    w.uint32(10);
    const mark = w.open();
    writeTimeSeries(x, w);
    w.close(mark);
  }
  if (m.metadata !== undefined) for (const x of m.metadata) {
    w.uint32(26);
    const mark = w.open();
    writeMetricMetadata(x, w);
    w.close(mark);
  }
}

export function readWriteRequest(r: WireReader): WriteRequest {
  const m: WriteRequest = {
    timeseries: [],
    metadata: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.timeseries.push(readTimeSeries(r));
        r.leave(outer);
        break;
      }
      case 26: {
        const outer = r.enter();
        m.metadata.push(readMetricMetadata(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const WriteRequest: Codec<WriteRequest> = codec("prometheus.WriteRequest", writeWriteRequest, readWriteRequest);

export type MetricMetadata = {
  type: number;
  metricFamilyName: string;
  help: string;
  unit: string;
};

export function writeMetricMetadata(m: Init<MetricMetadata>, w: WireWriter): void {
  if (m.type) {
    w.uint32(8);
    w.int32(m.type);
  }
  if (m.metricFamilyName) {
    w.uint32(18);
    w.string(m.metricFamilyName);
  }
  if (m.help) {
    w.uint32(34);
    w.string(m.help);
  }
  if (m.unit) {
    w.uint32(42);
    w.string(m.unit);
  }
}

export function readMetricMetadata(r: WireReader): MetricMetadata {
  const m: MetricMetadata = {
    type: 0,
    metricFamilyName: "",
    help: "",
    unit: "",
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.type = r.int32();
        break;
      case 18:
        m.metricFamilyName = r.string();
        break;
      case 34:
        m.help = r.string();
        break;
      case 42:
        m.unit = r.string();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const MetricMetadata: Codec<MetricMetadata> = codec("prometheus.MetricMetadata", writeMetricMetadata, readMetricMetadata);

export type TimeSeries = {
  labels: Label[];
  samples: Sample[];
  exemplars: Exemplar[];
  histograms: Histogram[];
};

export function writeTimeSeries(m: Init<TimeSeries>, w: WireWriter): void {
  if (m.labels !== undefined) for (const x of m.labels) {
    w.uint32(10);
    const mark = w.open();
    writeLabel(x, w);
    w.close(mark);
  }
  if (m.samples !== undefined) for (const x of m.samples) {
    w.uint32(18);
    const mark = w.open();
    writeSample(x, w);
    w.close(mark);
  }
  if (m.exemplars !== undefined) for (const x of m.exemplars) {
    w.uint32(26);
    const mark = w.open();
    writeExemplar(x, w);
    w.close(mark);
  }
  if (m.histograms !== undefined) for (const x of m.histograms) {
    w.uint32(34);
    const mark = w.open();
    writeHistogram(x, w);
    w.close(mark);
  }
}

export function readTimeSeries(r: WireReader): TimeSeries {
  const m: TimeSeries = {
    labels: [],
    samples: [],
    exemplars: [],
    histograms: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.labels.push(readLabel(r));
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
        m.exemplars.push(readExemplar(r));
        r.leave(outer);
        break;
      }
      case 34: {
        const outer = r.enter();
        m.histograms.push(readHistogram(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const TimeSeries: Codec<TimeSeries> = codec("prometheus.TimeSeries", writeTimeSeries, readTimeSeries);

export type Label = {
  name: string;
  value: string;
};

export function writeLabel(m: Init<Label>, w: WireWriter): void {
  if (m.name) {
    w.uint32(10);
    w.string(m.name);
  }
  if (m.value) {
    w.uint32(18);
    w.string(m.value);
  }
}

export function readLabel(r: WireReader): Label {
  const m: Label = {
    name: "",
    value: "",
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.name = r.string();
        break;
      case 18:
        m.value = r.string();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Label: Codec<Label> = codec("prometheus.Label", writeLabel, readLabel);

export type Sample = {
  value: number;
  timestamp: number;
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
}

export function readSample(r: WireReader): Sample {
  const m: Sample = {
    value: 0,
    timestamp: 0,
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
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Sample: Codec<Sample> = codec("prometheus.Sample", writeSample, readSample);

export type Exemplar = {
  labels: Label[];
  value: number;
  timestamp: number;
};

export function writeExemplar(m: Init<Exemplar>, w: WireWriter): void {
  if (m.labels !== undefined) for (const x of m.labels) {
    w.uint32(10);
    const mark = w.open();
    writeLabel(x, w);
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
    labels: [],
    value: 0,
    timestamp: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.labels.push(readLabel(r));
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

export const Exemplar: Codec<Exemplar> = codec("prometheus.Exemplar", writeExemplar, readExemplar);

/** A native histogram: integer (counts and deltas) or float (absolute counts). */
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
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Histogram: Codec<Histogram> = codec("prometheus.Histogram", writeHistogram, readHistogram);

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

export const BucketSpan: Codec<BucketSpan> = codec("prometheus.BucketSpan", writeBucketSpan, readBucketSpan);

export type LabelMatcher = {
  type: number;
  name: string;
  value: string;
};

export function writeLabelMatcher(m: Init<LabelMatcher>, w: WireWriter): void {
  if (m.type) {
    w.uint32(8);
    w.int32(m.type);
  }
  if (m.name) {
    w.uint32(18);
    w.string(m.name);
  }
  if (m.value) {
    w.uint32(26);
    w.string(m.value);
  }
}

export function readLabelMatcher(r: WireReader): LabelMatcher {
  const m: LabelMatcher = {
    type: 0,
    name: "",
    value: "",
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.type = r.int32();
        break;
      case 18:
        m.name = r.string();
        break;
      case 26:
        m.value = r.string();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const LabelMatcher: Codec<LabelMatcher> = codec("prometheus.LabelMatcher", writeLabelMatcher, readLabelMatcher);

export type ReadRequest = {
  queries: Query[];
  acceptedResponseTypes: number[];
};

export function writeReadRequest(m: Init<ReadRequest>, w: WireWriter): void {
  if (m.queries !== undefined) for (const x of m.queries) {
    w.uint32(10);
    const mark = w.open();
    writeQuery(x, w);
    w.close(mark);
  }
  if (m.acceptedResponseTypes !== undefined && m.acceptedResponseTypes.length > 0) {
    w.uint32(18);
    const mark = w.open();
    for (const x of m.acceptedResponseTypes) w.int32(x);
    w.close(mark);
  }
}

export function readReadRequest(r: WireReader): ReadRequest {
  const m: ReadRequest = {
    queries: [],
    acceptedResponseTypes: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.queries.push(readQuery(r));
        r.leave(outer);
        break;
      }
      case 16:
        m.acceptedResponseTypes.push(r.int32());
        break;
      case 18: {
        const outer = r.enter();
        while (r.pos < r.end) m.acceptedResponseTypes.push(r.int32());
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ReadRequest: Codec<ReadRequest> = codec("prometheus.ReadRequest", writeReadRequest, readReadRequest);

export type Query = {
  startTimestampMs: number;
  endTimestampMs: number;
  matchers: LabelMatcher[];
  hints: ReadHints | undefined;
};

export function writeQuery(m: Init<Query>, w: WireWriter): void {
  if (m.startTimestampMs) {
    w.uint32(8);
    w.int64(m.startTimestampMs);
  }
  if (m.endTimestampMs) {
    w.uint32(16);
    w.int64(m.endTimestampMs);
  }
  if (m.matchers !== undefined) for (const x of m.matchers) {
    w.uint32(26);
    const mark = w.open();
    writeLabelMatcher(x, w);
    w.close(mark);
  }
  if (m.hints !== undefined) {
    w.uint32(34);
    const mark = w.open();
    writeReadHints(m.hints, w);
    w.close(mark);
  }
}

export function readQuery(r: WireReader): Query {
  const m: Query = {
    startTimestampMs: 0,
    endTimestampMs: 0,
    matchers: [],
    hints: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.startTimestampMs = r.int64();
        break;
      case 16:
        m.endTimestampMs = r.int64();
        break;
      case 26: {
        const outer = r.enter();
        m.matchers.push(readLabelMatcher(r));
        r.leave(outer);
        break;
      }
      case 34: {
        const outer = r.enter();
        m.hints = readReadHints(r);
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Query: Codec<Query> = codec("prometheus.Query", writeQuery, readQuery);

export type ReadHints = {
  stepMs: number;
  func: string;
  startMs: number;
  endMs: number;
  grouping: string[];
  by: boolean;
  rangeMs: number;
};

export function writeReadHints(m: Init<ReadHints>, w: WireWriter): void {
  if (m.stepMs) {
    w.uint32(8);
    w.int64(m.stepMs);
  }
  if (m.func) {
    w.uint32(18);
    w.string(m.func);
  }
  if (m.startMs) {
    w.uint32(24);
    w.int64(m.startMs);
  }
  if (m.endMs) {
    w.uint32(32);
    w.int64(m.endMs);
  }
  if (m.grouping !== undefined) for (const x of m.grouping) {
    w.uint32(42);
    w.string(x);
  }
  if (m.by) {
    w.uint32(48);
    w.bool(m.by);
  }
  if (m.rangeMs) {
    w.uint32(56);
    w.int64(m.rangeMs);
  }
}

export function readReadHints(r: WireReader): ReadHints {
  const m: ReadHints = {
    stepMs: 0,
    func: "",
    startMs: 0,
    endMs: 0,
    grouping: [],
    by: false,
    rangeMs: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.stepMs = r.int64();
        break;
      case 18:
        m.func = r.string();
        break;
      case 24:
        m.startMs = r.int64();
        break;
      case 32:
        m.endMs = r.int64();
        break;
      case 42:
        m.grouping.push(r.string());
        break;
      case 48:
        m.by = r.bool();
        break;
      case 56:
        m.rangeMs = r.int64();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ReadHints: Codec<ReadHints> = codec("prometheus.ReadHints", writeReadHints, readReadHints);

export type ReadResponse = {
  results: QueryResult[];
};

export function writeReadResponse(m: Init<ReadResponse>, w: WireWriter): void {
  if (m.results !== undefined) for (const x of m.results) {
    w.uint32(10);
    const mark = w.open();
    writeQueryResult(x, w);
    w.close(mark);
  }
}

export function readReadResponse(r: WireReader): ReadResponse {
  const m: ReadResponse = {
    results: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.results.push(readQueryResult(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ReadResponse: Codec<ReadResponse> = codec("prometheus.ReadResponse", writeReadResponse, readReadResponse);

export type QueryResult = {
  timeseries: TimeSeries[];
};

export function writeQueryResult(m: Init<QueryResult>, w: WireWriter): void {
  if (m.timeseries !== undefined) for (const x of m.timeseries) {
    w.uint32(10);
    const mark = w.open();
    writeTimeSeries(x, w);
    w.close(mark);
  }
}

export function readQueryResult(r: WireReader): QueryResult {
  const m: QueryResult = {
    timeseries: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
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

export const QueryResult: Codec<QueryResult> = codec("prometheus.QueryResult", writeQueryResult, readQueryResult);

export type ChunkedReadResponse = {
  chunkedSeries: ChunkedSeries[];
  queryIndex: number;
};

export function writeChunkedReadResponse(m: Init<ChunkedReadResponse>, w: WireWriter): void {
  if (m.chunkedSeries !== undefined) for (const x of m.chunkedSeries) {
    w.uint32(10);
    const mark = w.open();
    writeChunkedSeries(x, w);
    w.close(mark);
  }
  if (m.queryIndex) {
    w.uint32(16);
    w.int64(m.queryIndex);
  }
}

export function readChunkedReadResponse(r: WireReader): ChunkedReadResponse {
  const m: ChunkedReadResponse = {
    chunkedSeries: [],
    queryIndex: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.chunkedSeries.push(readChunkedSeries(r));
        r.leave(outer);
        break;
      }
      case 16:
        m.queryIndex = r.int64();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ChunkedReadResponse: Codec<ChunkedReadResponse> = codec("prometheus.ChunkedReadResponse", writeChunkedReadResponse, readChunkedReadResponse);

export type ChunkedSeries = {
  labels: Label[];
  chunks: ReadChunk[];
};

export function writeChunkedSeries(m: Init<ChunkedSeries>, w: WireWriter): void {
  if (m.labels !== undefined) for (const x of m.labels) {
    w.uint32(10);
    const mark = w.open();
    writeLabel(x, w);
    w.close(mark);
  }
  if (m.chunks !== undefined) for (const x of m.chunks) {
    w.uint32(18);
    const mark = w.open();
    writeReadChunk(x, w);
    w.close(mark);
  }
}

export function readChunkedSeries(r: WireReader): ChunkedSeries {
  const m: ChunkedSeries = {
    labels: [],
    chunks: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.labels.push(readLabel(r));
        r.leave(outer);
        break;
      }
      case 18: {
        const outer = r.enter();
        m.chunks.push(readReadChunk(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ChunkedSeries: Codec<ChunkedSeries> = codec("prometheus.ChunkedSeries", writeChunkedSeries, readChunkedSeries);

export type ReadChunk = {
  minTimeMs: number;
  maxTimeMs: number;
  type: number;
  data: Uint8Array;
};

export function writeReadChunk(m: Init<ReadChunk>, w: WireWriter): void {
  if (m.minTimeMs) {
    w.uint32(8);
    w.int64(m.minTimeMs);
  }
  if (m.maxTimeMs) {
    w.uint32(16);
    w.int64(m.maxTimeMs);
  }
  if (m.type) {
    w.uint32(24);
    w.int32(m.type);
  }
  if (m.data !== undefined && m.data.length > 0) {
    w.uint32(34);
    w.bytes(m.data);
  }
}

export function readReadChunk(r: WireReader): ReadChunk {
  const m: ReadChunk = {
    minTimeMs: 0,
    maxTimeMs: 0,
    type: 0,
    data: new Uint8Array(0),
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.minTimeMs = r.int64();
        break;
      case 16:
        m.maxTimeMs = r.int64();
        break;
      case 24:
        m.type = r.int32();
        break;
      case 34:
        m.data = r.view();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ReadChunk: Codec<ReadChunk> = codec("prometheus.ReadChunk", writeReadChunk, readReadChunk);
