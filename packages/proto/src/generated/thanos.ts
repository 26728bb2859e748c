// Written by src/generator.ts from proto/*.proto. Do not edit.
import {type Codec, codec, type Init, type MethodDef} from "../codec.ts";
import type {WireReader} from "../wire-reader.ts";
import type {WireWriter} from "../wire-writer.ts";
import * as googlePb from "./google.ts";
import * as prometheusPb from "./prometheus.ts";

export const MatcherType = {
  MATCHER_EQ: 0,
  MATCHER_NEQ: 1,
  MATCHER_RE: 2,
  MATCHER_NRE: 3,
} as const;

/** TSDB's encoding number minus one. */
export const ChunkEncoding = {
  CHUNK_XOR: 0,
  CHUNK_HISTOGRAM: 1,
  CHUNK_FLOAT_HISTOGRAM: 2,
} as const;

export const PartialResponseStrategy = {
  WARN: 0,
  ABORT: 1,
} as const;

export const Aggr = {
  AGGR_RAW: 0,
  AGGR_COUNT: 1,
  AGGR_SUM: 2,
  AGGR_MIN: 3,
  AGGR_MAX: 4,
  AGGR_COUNTER: 5,
} as const;

export const EngineType = {
  ENGINE_DEFAULT: 0,
  ENGINE_PROMETHEUS: 1,
  ENGINE_THANOS: 2,
} as const;

export const RulesType = {
  RULES_ALL: 0,
  RULES_ALERT: 1,
  RULES_RECORD: 2,
} as const;

export const AlertState = {
  ALERT_UNKNOWN: 0,
  ALERT_INACTIVE: 1,
  ALERT_PENDING: 2,
  ALERT_FIRING: 3,
} as const;

export const TargetState = {
  TARGET_ANY: 0,
  TARGET_ACTIVE: 1,
  TARGET_DROPPED: 2,
} as const;

export const TargetHealth = {
  TARGET_DOWN: 0,
  TARGET_UP: 1,
  TARGET_UNKNOWN: 2,
} as const;

export type ExemplarsRequest = {
  query: string;
  start: number;
  end: number;
  partialResponseStrategy: number;
};

export function writeExemplarsRequest(m: Init<ExemplarsRequest>, w: WireWriter): void {
  if (m.query) {
    w.uint32(10);
    w.string(m.query);
  }
  if (m.start) {
    w.uint32(16);
    w.int64(m.start);
  }
  if (m.end) {
    w.uint32(24);
    w.int64(m.end);
  }
  if (m.partialResponseStrategy) {
    w.uint32(32);
    w.int32(m.partialResponseStrategy);
  }
}

export function readExemplarsRequest(r: WireReader): ExemplarsRequest {
  const m: ExemplarsRequest = {
    query: "",
    start: 0,
    end: 0,
    partialResponseStrategy: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.query = r.string();
        break;
      case 16:
        m.start = r.int64();
        break;
      case 24:
        m.end = r.int64();
        break;
      case 32:
        m.partialResponseStrategy = r.int32();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ExemplarsRequest: Codec<ExemplarsRequest> = codec("thanos.ExemplarsRequest", writeExemplarsRequest, readExemplarsRequest);

export type ExemplarsResponse = {
  data: ExemplarData | undefined;
  warning: string | undefined;
};

export function writeExemplarsResponse(m: Init<ExemplarsResponse>, w: WireWriter): void {
  if (m.data !== undefined) {
    w.uint32(10);
    const mark = w.open();
    writeExemplarData(m.data, w);
    w.close(mark);
  }
  if (m.warning !== undefined) {
    w.uint32(18);
    w.string(m.warning);
  }
}

export function readExemplarsResponse(r: WireReader): ExemplarsResponse {
  const m: ExemplarsResponse = {
    data: undefined,
    warning: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.warning = undefined; m.data = readExemplarData(r);
        r.leave(outer);
        break;
      }
      case 18:
        m.data = undefined; m.warning = r.string();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ExemplarsResponse: Codec<ExemplarsResponse> = codec("thanos.ExemplarsResponse", writeExemplarsResponse, readExemplarsResponse);

export type ExemplarData = {
  seriesLabels: LabelSet | undefined;
  exemplars: Exemplar[];
};

export function writeExemplarData(m: Init<ExemplarData>, w: WireWriter): void {
  if (m.seriesLabels !== undefined) {
    w.uint32(10);
    const mark = w.open();
    writeLabelSet(m.seriesLabels, w);
    w.close(mark);
  }
  if (m.exemplars !== undefined) for (const x of m.exemplars) {
    w.uint32(18);
    const mark = w.open();
    writeExemplar(x, w);
    w.close(mark);
  }
}

export function readExemplarData(r: WireReader): ExemplarData {
  const m: ExemplarData = {
    seriesLabels: undefined,
    exemplars: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.seriesLabels = readLabelSet(r);
        r.leave(outer);
        break;
      }
      case 18: {
        const outer = r.enter();
        m.exemplars.push(readExemplar(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ExemplarData: Codec<ExemplarData> = codec("thanos.ExemplarData", writeExemplarData, readExemplarData);

export type Exemplar = {
  labels: LabelSet | undefined;
  value: number;
  ts: number;
};

export function writeExemplar(m: Init<Exemplar>, w: WireWriter): void {
  if (m.labels !== undefined) {
    w.uint32(10);
    const mark = w.open();
    writeLabelSet(m.labels, w);
    w.close(mark);
  }
  if (m.value !== undefined && !Object.is(m.value, 0)) {
    w.uint32(17);
    w.double(m.value);
  }
  if (m.ts) {
    w.uint32(24);
    w.int64(m.ts);
  }
}

export function readExemplar(r: WireReader): Exemplar {
  const m: Exemplar = {
    labels: undefined,
    value: 0,
    ts: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.labels = readLabelSet(r);
        r.leave(outer);
        break;
      }
      case 17:
        m.value = r.double();
        break;
      case 24:
        m.ts = r.int64();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Exemplar: Codec<Exemplar> = codec("thanos.Exemplar", writeExemplar, readExemplar);

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

export const Label: Codec<Label> = codec("thanos.Label", writeLabel, readLabel);

export type LabelSet = {
  labels: Label[];
};

export function writeLabelSet(m: Init<LabelSet>, w: WireWriter): void {
  if (m.labels !== undefined) for (const x of m.labels) {
    w.uint32(10);
    const mark = w.open();
    writeLabel(x, w);
    w.close(mark);
  }
}

export function readLabelSet(r: WireReader): LabelSet {
  const m: LabelSet = {
    labels: [],
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
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const LabelSet: Codec<LabelSet> = codec("thanos.LabelSet", writeLabelSet, readLabelSet);

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

export const LabelMatcher: Codec<LabelMatcher> = codec("thanos.LabelMatcher", writeLabelMatcher, readLabelMatcher);

export type Series = {
  labels: Label[];
  chunks: AggrChunk[];
};

export function writeSeries(m: Init<Series>, w: WireWriter): void {
  if (m.labels !== undefined) for (const x of m.labels) {
    w.uint32(10);
    const mark = w.open();
    writeLabel(x, w);
    w.close(mark);
  }
  if (m.chunks !== undefined) for (const x of m.chunks) {
    w.uint32(18);
    const mark = w.open();
    writeAggrChunk(x, w);
    w.close(mark);
  }
}

export function readSeries(r: WireReader): Series {
  const m: Series = {
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
        m.chunks.push(readAggrChunk(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Series: Codec<Series> = codec("thanos.Series", writeSeries, readSeries);

export type AggrChunk = {
  minTime: number;
  maxTime: number;
  raw: Chunk | undefined;
  count: Chunk | undefined;
  sum: Chunk | undefined;
  min: Chunk | undefined;
  max: Chunk | undefined;
  counter: Chunk | undefined;
};

export function writeAggrChunk(m: Init<AggrChunk>, w: WireWriter): void {
  if (m.minTime) {
    w.uint32(8);
    w.int64(m.minTime);
  }
  if (m.maxTime) {
    w.uint32(16);
    w.int64(m.maxTime);
  }
  if (m.raw !== undefined) {
    w.uint32(26);
    const mark = w.open();
    writeChunk(m.raw, w);
    w.close(mark);
  }
  if (m.count !== undefined) {
    w.uint32(34);
    const mark = w.open();
    writeChunk(m.count, w);
    w.close(mark);
  }
  if (m.sum !== undefined) {
    w.uint32(42);
    const mark = w.open();
    writeChunk(m.sum, w);
    w.close(mark);
  }
  if (m.min !== undefined) {
    w.uint32(50);
    const mark = w.open();
    writeChunk(m.min, w);
    w.close(mark);
  }
  if (m.max !== undefined) {
    w.uint32(58);
    const mark = w.open();
    writeChunk(m.max, w);
    w.close(mark);
  }
  if (m.counter !== undefined) {
    w.uint32(66);
    const mark = w.open();
    writeChunk(m.counter, w);
    w.close(mark);
  }
}

export function readAggrChunk(r: WireReader): AggrChunk {
  const m: AggrChunk = {
    minTime: 0,
    maxTime: 0,
    raw: undefined,
    count: undefined,
    sum: undefined,
    min: undefined,
    max: undefined,
    counter: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.minTime = r.int64();
        break;
      case 16:
        m.maxTime = r.int64();
        break;
      case 26: {
        const outer = r.enter();
        m.raw = readChunk(r);
        r.leave(outer);
        break;
      }
      case 34: {
        const outer = r.enter();
        m.count = readChunk(r);
        r.leave(outer);
        break;
      }
      case 42: {
        const outer = r.enter();
        m.sum = readChunk(r);
        r.leave(outer);
        break;
      }
      case 50: {
        const outer = r.enter();
        m.min = readChunk(r);
        r.leave(outer);
        break;
      }
      case 58: {
        const outer = r.enter();
        m.max = readChunk(r);
        r.leave(outer);
        break;
      }
      case 66: {
        const outer = r.enter();
        m.counter = readChunk(r);
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const AggrChunk: Codec<AggrChunk> = codec("thanos.AggrChunk", writeAggrChunk, readAggrChunk);

export type Chunk = {
  type: number;
  data: Uint8Array;
  /** xxHash64 of data; 0 when not computed. */
  hash: bigint;
};

export function writeChunk(m: Init<Chunk>, w: WireWriter): void {
  if (m.type) {
    w.uint32(8);
    w.int32(m.type);
  }
  if (m.data !== undefined && m.data.length > 0) {
    w.uint32(18);
    w.bytes(m.data);
  }
  if (m.hash) {
    w.uint32(24);
    w.uint64Exact(m.hash);
  }
}

export function readChunk(r: WireReader): Chunk {
  const m: Chunk = {
    type: 0,
    data: new Uint8Array(0),
    hash: 0n,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.type = r.int32();
        break;
      case 18:
        m.data = r.view();
        break;
      case 24:
        m.hash = r.uint64Exact();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Chunk: Codec<Chunk> = codec("thanos.Chunk", writeChunk, readChunk);

export type MetricMetadataRequest = {
  metric: string;
  limit: number;
  partialResponseStrategy: number;
};

export function writeMetricMetadataRequest(m: Init<MetricMetadataRequest>, w: WireWriter): void {
  if (m.metric) {
    w.uint32(10);
    w.string(m.metric);
  }
  if (m.limit) {
    w.uint32(16);
    w.int32(m.limit);
  }
  if (m.partialResponseStrategy) {
    w.uint32(24);
    w.int32(m.partialResponseStrategy);
  }
}

export function readMetricMetadataRequest(r: WireReader): MetricMetadataRequest {
  const m: MetricMetadataRequest = {
    metric: "",
    limit: 0,
    partialResponseStrategy: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.metric = r.string();
        break;
      case 16:
        m.limit = r.int32();
        break;
      case 24:
        m.partialResponseStrategy = r.int32();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const MetricMetadataRequest: Codec<MetricMetadataRequest> = codec("thanos.MetricMetadataRequest", writeMetricMetadataRequest, readMetricMetadataRequest);

export type MetricMetadataResponse = {
  metadata: MetricMetadata | undefined;
  warning: string | undefined;
};

export function writeMetricMetadataResponse(m: Init<MetricMetadataResponse>, w: WireWriter): void {
  if (m.metadata !== undefined) {
    w.uint32(10);
    const mark = w.open();
    writeMetricMetadata(m.metadata, w);
    w.close(mark);
  }
  if (m.warning !== undefined) {
    w.uint32(18);
    w.string(m.warning);
  }
}

export function readMetricMetadataResponse(r: WireReader): MetricMetadataResponse {
  const m: MetricMetadataResponse = {
    metadata: undefined,
    warning: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.warning = undefined; m.metadata = readMetricMetadata(r);
        r.leave(outer);
        break;
      }
      case 18:
        m.metadata = undefined; m.warning = r.string();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const MetricMetadataResponse: Codec<MetricMetadataResponse> = codec("thanos.MetricMetadataResponse", writeMetricMetadataResponse, readMetricMetadataResponse);

export type MetricMetadata = {
  metadata: Map<string, MetricMetadataEntry>;
};

export function writeMetricMetadata(m: Init<MetricMetadata>, w: WireWriter): void {
  if (m.metadata !== undefined) for (const [key, value] of m.metadata) {
    w.uint32(10);
    const entry = w.open();
    w.uint32(10);
    w.string(key);
    w.uint32(18);
    const mark = w.open();
    writeMetricMetadataEntry(value, w);
    w.close(mark);
    w.close(entry);
  }
}

export function readMetricMetadata(r: WireReader): MetricMetadata {
  const m: MetricMetadata = {
    metadata: new Map(),
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        let key = "";
        let value: MetricMetadataEntry | undefined;
        while (r.pos < r.end) {
          const inner = r.uint32();
          if (inner === 10) key = r.string();
          else if (inner === 18) {
            const end = r.enter();
            value = readMetricMetadataEntry(r);
            r.leave(end);
          } else r.skip(inner);
        }
        r.leave(outer);
        m.metadata.set(key, value ?? MetricMetadataEntry.decode(new Uint8Array(0)));
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const MetricMetadata: Codec<MetricMetadata> = codec("thanos.MetricMetadata", writeMetricMetadata, readMetricMetadata);

export type MetricMetadataEntry = {
  metas: Meta[];
};

export function writeMetricMetadataEntry(m: Init<MetricMetadataEntry>, w: WireWriter): void {
  if (m.metas !== undefined) for (const x of m.metas) {
    w.uint32(18);
    const mark = w.open();
    writeMeta(x, w);
    w.close(mark);
  }
}

export function readMetricMetadataEntry(r: WireReader): MetricMetadataEntry {
  const m: MetricMetadataEntry = {
    metas: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 18: {
        const outer = r.enter();
        m.metas.push(readMeta(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const MetricMetadataEntry: Codec<MetricMetadataEntry> = codec("thanos.MetricMetadataEntry", writeMetricMetadataEntry, readMetricMetadataEntry);

export type Meta = {
  type: string;
  help: string;
  unit: string;
};

export function writeMeta(m: Init<Meta>, w: WireWriter): void {
  if (m.type) {
    w.uint32(10);
    w.string(m.type);
  }
  if (m.help) {
    w.uint32(18);
    w.string(m.help);
  }
  if (m.unit) {
    w.uint32(26);
    w.string(m.unit);
  }
}

export function readMeta(r: WireReader): Meta {
  const m: Meta = {
    type: "",
    help: "",
    unit: "",
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.type = r.string();
        break;
      case 18:
        m.help = r.string();
        break;
      case 26:
        m.unit = r.string();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Meta: Codec<Meta> = codec("thanos.Meta", writeMeta, readMeta);

export type QueryRequest = {
  query: string;
  timeSeconds: number;
  timeoutSeconds: number;
  maxResolutionSeconds: number;
  replicaLabels: string[];
  storeMatchers: StoreMatchers[];
  enableDedup: boolean;
  enablePartialResponse: boolean;
  skipChunks: boolean;
  shardInfo: ShardInfo | undefined;
  lookbackDeltaSeconds: number;
  engine: number;
  queryPlan: QueryPlan | undefined;
  responseBatchSize: number;
  /** Strata's own, beside time_seconds: the same moment to the millisecond. Others skip it. */
  timeMilliseconds: number;
};

export function writeQueryRequest(m: Init<QueryRequest>, w: WireWriter): void {
  if (m.query) {
    w.uint32(10);
    w.string(m.query);
  }
  if (m.timeSeconds) {
    w.uint32(16);
    w.int64(m.timeSeconds);
  }
  if (m.timeoutSeconds) {
    w.uint32(24);
    w.int64(m.timeoutSeconds);
  }
  if (m.maxResolutionSeconds) {
    w.uint32(32);
    w.int64(m.maxResolutionSeconds);
  }
  if (m.replicaLabels !== undefined) for (const x of m.replicaLabels) {
    w.uint32(42);
    w.string(x);
  }
  if (m.storeMatchers !== undefined) for (const x of m.storeMatchers) {
    w.uint32(50);
    const mark = w.open();
    writeStoreMatchers(x, w);
    w.close(mark);
  }
  if (m.enableDedup) {
    w.uint32(56);
    w.bool(m.enableDedup);
  }
  if (m.enablePartialResponse) {
    w.uint32(64);
    w.bool(m.enablePartialResponse);
  }
  if (m.skipChunks) {
    w.uint32(80);
    w.bool(m.skipChunks);
  }
  if (m.shardInfo !== undefined) {
    w.uint32(90);
    const mark = w.open();
    writeShardInfo(m.shardInfo, w);
    w.close(mark);
  }
  if (m.lookbackDeltaSeconds) {
    w.uint32(96);
    w.int64(m.lookbackDeltaSeconds);
  }
  if (m.engine) {
    w.uint32(104);
    w.int32(m.engine);
  }
  if (m.queryPlan !== undefined) {
    w.uint32(114);
    const mark = w.open();
    writeQueryPlan(m.queryPlan, w);
    w.close(mark);
  }
  if (m.responseBatchSize) {
    w.uint32(120);
    w.int64(m.responseBatchSize);
  }
  if (m.timeMilliseconds) {
    w.uint32(8008);
    w.int64(m.timeMilliseconds);
  }
}

export function readQueryRequest(r: WireReader): QueryRequest {
  const m: QueryRequest = {
    query: "",
    timeSeconds: 0,
    timeoutSeconds: 0,
    maxResolutionSeconds: 0,
    replicaLabels: [],
    storeMatchers: [],
    enableDedup: false,
    enablePartialResponse: false,
    skipChunks: false,
    shardInfo: undefined,
    lookbackDeltaSeconds: 0,
    engine: 0,
    queryPlan: undefined,
    responseBatchSize: 0,
    timeMilliseconds: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.query = r.string();
        break;
      case 16:
        m.timeSeconds = r.int64();
        break;
      case 24:
        m.timeoutSeconds = r.int64();
        break;
      case 32:
        m.maxResolutionSeconds = r.int64();
        break;
      case 42:
        m.replicaLabels.push(r.string());
        break;
      case 50: {
        const outer = r.enter();
        m.storeMatchers.push(readStoreMatchers(r));
        r.leave(outer);
        break;
      }
      case 56:
        m.enableDedup = r.bool();
        break;
      case 64:
        m.enablePartialResponse = r.bool();
        break;
      case 80:
        m.skipChunks = r.bool();
        break;
      case 90: {
        const outer = r.enter();
        m.shardInfo = readShardInfo(r);
        r.leave(outer);
        break;
      }
      case 96:
        m.lookbackDeltaSeconds = r.int64();
        break;
      case 104:
        m.engine = r.int32();
        break;
      case 114: {
        const outer = r.enter();
        m.queryPlan = readQueryPlan(r);
        r.leave(outer);
        break;
      }
      case 120:
        m.responseBatchSize = r.int64();
        break;
      case 8008:
        m.timeMilliseconds = r.int64();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const QueryRequest: Codec<QueryRequest> = codec("thanos.QueryRequest", writeQueryRequest, readQueryRequest);

export type QueryRangeRequest = {
  query: string;
  startTimeSeconds: number;
  endTimeSeconds: number;
  intervalSeconds: number;
  timeoutSeconds: number;
  maxResolutionSeconds: number;
  replicaLabels: string[];
  storeMatchers: StoreMatchers[];
  enableDedup: boolean;
  enablePartialResponse: boolean;
  skipChunks: boolean;
  shardInfo: ShardInfo | undefined;
  lookbackDeltaSeconds: number;
  engine: number;
  queryPlan: QueryPlan | undefined;
  responseBatchSize: number;
};

export function writeQueryRangeRequest(m: Init<QueryRangeRequest>, w: WireWriter): void {
  if (m.query) {
    w.uint32(10);
    w.string(m.query);
  }
  if (m.startTimeSeconds) {
    w.uint32(16);
    w.int64(m.startTimeSeconds);
  }
  if (m.endTimeSeconds) {
    w.uint32(24);
    w.int64(m.endTimeSeconds);
  }
  if (m.intervalSeconds) {
    w.uint32(32);
    w.int64(m.intervalSeconds);
  }
  if (m.timeoutSeconds) {
    w.uint32(40);
    w.int64(m.timeoutSeconds);
  }
  if (m.maxResolutionSeconds) {
    w.uint32(48);
    w.int64(m.maxResolutionSeconds);
  }
  if (m.replicaLabels !== undefined) for (const x of m.replicaLabels) {
    w.uint32(58);
    w.string(x);
  }
  if (m.storeMatchers !== undefined) for (const x of m.storeMatchers) {
    w.uint32(66);
    const mark = w.open();
    writeStoreMatchers(x, w);
    w.close(mark);
  }
  if (m.enableDedup) {
    w.uint32(72);
    w.bool(m.enableDedup);
  }
  if (m.enablePartialResponse) {
    w.uint32(80);
    w.bool(m.enablePartialResponse);
  }
  if (m.skipChunks) {
    w.uint32(96);
    w.bool(m.skipChunks);
  }
  if (m.shardInfo !== undefined) {
    w.uint32(106);
    const mark = w.open();
    writeShardInfo(m.shardInfo, w);
    w.close(mark);
  }
  if (m.lookbackDeltaSeconds) {
    w.uint32(112);
    w.int64(m.lookbackDeltaSeconds);
  }
  if (m.engine) {
    w.uint32(120);
    w.int32(m.engine);
  }
  if (m.queryPlan !== undefined) {
    w.uint32(130);
    const mark = w.open();
    writeQueryPlan(m.queryPlan, w);
    w.close(mark);
  }
  if (m.responseBatchSize) {
    w.uint32(136);
    w.int64(m.responseBatchSize);
  }
}

export function readQueryRangeRequest(r: WireReader): QueryRangeRequest {
  const m: QueryRangeRequest = {
    query: "",
    startTimeSeconds: 0,
    endTimeSeconds: 0,
    intervalSeconds: 0,
    timeoutSeconds: 0,
    maxResolutionSeconds: 0,
    replicaLabels: [],
    storeMatchers: [],
    enableDedup: false,
    enablePartialResponse: false,
    skipChunks: false,
    shardInfo: undefined,
    lookbackDeltaSeconds: 0,
    engine: 0,
    queryPlan: undefined,
    responseBatchSize: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.query = r.string();
        break;
      case 16:
        m.startTimeSeconds = r.int64();
        break;
      case 24:
        m.endTimeSeconds = r.int64();
        break;
      case 32:
        m.intervalSeconds = r.int64();
        break;
      case 40:
        m.timeoutSeconds = r.int64();
        break;
      case 48:
        m.maxResolutionSeconds = r.int64();
        break;
      case 58:
        m.replicaLabels.push(r.string());
        break;
      case 66: {
        const outer = r.enter();
        m.storeMatchers.push(readStoreMatchers(r));
        r.leave(outer);
        break;
      }
      case 72:
        m.enableDedup = r.bool();
        break;
      case 80:
        m.enablePartialResponse = r.bool();
        break;
      case 96:
        m.skipChunks = r.bool();
        break;
      case 106: {
        const outer = r.enter();
        m.shardInfo = readShardInfo(r);
        r.leave(outer);
        break;
      }
      case 112:
        m.lookbackDeltaSeconds = r.int64();
        break;
      case 120:
        m.engine = r.int32();
        break;
      case 130: {
        const outer = r.enter();
        m.queryPlan = readQueryPlan(r);
        r.leave(outer);
        break;
      }
      case 136:
        m.responseBatchSize = r.int64();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const QueryRangeRequest: Codec<QueryRangeRequest> = codec("thanos.QueryRangeRequest", writeQueryRangeRequest, readQueryRangeRequest);

export type StoreMatchers = {
  labelMatchers: LabelMatcher[];
};

export function writeStoreMatchers(m: Init<StoreMatchers>, w: WireWriter): void {
  if (m.labelMatchers !== undefined) for (const x of m.labelMatchers) {
    w.uint32(10);
    const mark = w.open();
    writeLabelMatcher(x, w);
    w.close(mark);
  }
}

export function readStoreMatchers(r: WireReader): StoreMatchers {
  const m: StoreMatchers = {
    labelMatchers: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.labelMatchers.push(readLabelMatcher(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const StoreMatchers: Codec<StoreMatchers> = codec("thanos.StoreMatchers", writeStoreMatchers, readStoreMatchers);

export type QueryPlan = {
  json: Uint8Array | undefined;
};

export function writeQueryPlan(m: Init<QueryPlan>, w: WireWriter): void {
  if (m.json !== undefined) {
    w.uint32(10);
    w.bytes(m.json);
  }
}

export function readQueryPlan(r: WireReader): QueryPlan {
  const m: QueryPlan = {
    json: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.json = r.view();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const QueryPlan: Codec<QueryPlan> = codec("thanos.QueryPlan", writeQueryPlan, readQueryPlan);

export type QueryStats = {
  samplesTotal: number;
  peakSamples: number;
};

export function writeQueryStats(m: Init<QueryStats>, w: WireWriter): void {
  if (m.samplesTotal) {
    w.uint32(8);
    w.int64(m.samplesTotal);
  }
  if (m.peakSamples) {
    w.uint32(16);
    w.int64(m.peakSamples);
  }
}

export function readQueryStats(r: WireReader): QueryStats {
  const m: QueryStats = {
    samplesTotal: 0,
    peakSamples: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.samplesTotal = r.int64();
        break;
      case 16:
        m.peakSamples = r.int64();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const QueryStats: Codec<QueryStats> = codec("thanos.QueryStats", writeQueryStats, readQueryStats);

export type TimeSeriesBatch = {
  series: prometheusPb.TimeSeries[];
};

export function writeTimeSeriesBatch(m: Init<TimeSeriesBatch>, w: WireWriter): void {
  if (m.series !== undefined) for (const x of m.series) {
    w.uint32(10);
    const mark = w.open();
    prometheusPb.writeTimeSeries(x, w);
    w.close(mark);
  }
}

export function readTimeSeriesBatch(r: WireReader): TimeSeriesBatch {
  const m: TimeSeriesBatch = {
    series: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.series.push(prometheusPb.readTimeSeries(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const TimeSeriesBatch: Codec<TimeSeriesBatch> = codec("thanos.TimeSeriesBatch", writeTimeSeriesBatch, readTimeSeriesBatch);

export type QueryResponse = {
  warnings: string | undefined;
  timeseries: prometheusPb.TimeSeries | undefined;
  stats: QueryStats | undefined;
  timeseriesBatch: TimeSeriesBatch | undefined;
};

export function writeQueryResponse(m: Init<QueryResponse>, w: WireWriter): void {
  if (m.warnings !== undefined) {
    w.uint32(10);
    w.string(m.warnings);
  }
  if (m.timeseries !== undefined) {
    w.uint32(18);
    const mark = w.open();
    prometheusPb.writeTimeSeries(m.timeseries, w);
    w.close(mark);
  }
  if (m.stats !== undefined) {
    w.uint32(26);
    const mark = w.open();
    writeQueryStats(m.stats, w);
    w.close(mark);
  }
  if (m.timeseriesBatch !== undefined) {
    w.uint32(34);
    const mark = w.open();
    writeTimeSeriesBatch(m.timeseriesBatch, w);
    w.close(mark);
  }
}

export function readQueryResponse(r: WireReader): QueryResponse {
  const m: QueryResponse = {
    warnings: undefined,
    timeseries: undefined,
    stats: undefined,
    timeseriesBatch: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.timeseries = undefined; m.stats = undefined; m.timeseriesBatch = undefined; m.warnings = r.string();
        break;
      case 18: {
        const outer = r.enter();
        m.warnings = undefined; m.stats = undefined; m.timeseriesBatch = undefined; m.timeseries = prometheusPb.readTimeSeries(r);
        r.leave(outer);
        break;
      }
      case 26: {
        const outer = r.enter();
        m.warnings = undefined; m.timeseries = undefined; m.timeseriesBatch = undefined; m.stats = readQueryStats(r);
        r.leave(outer);
        break;
      }
      case 34: {
        const outer = r.enter();
        m.warnings = undefined; m.timeseries = undefined; m.stats = undefined; m.timeseriesBatch = readTimeSeriesBatch(r);
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const QueryResponse: Codec<QueryResponse> = codec("thanos.QueryResponse", writeQueryResponse, readQueryResponse);

export type QueryRangeResponse = {
  warnings: string | undefined;
  timeseries: prometheusPb.TimeSeries | undefined;
  stats: QueryStats | undefined;
  timeseriesBatch: TimeSeriesBatch | undefined;
};

export function writeQueryRangeResponse(m: Init<QueryRangeResponse>, w: WireWriter): void {
  if (m.warnings !== undefined) {
    w.uint32(10);
    w.string(m.warnings);
  }
  if (m.timeseries !== undefined) {
    w.uint32(18);
    const mark = w.open();
    prometheusPb.writeTimeSeries(m.timeseries, w);
    w.close(mark);
  }
  if (m.stats !== undefined) {
    w.uint32(26);
    const mark = w.open();
    writeQueryStats(m.stats, w);
    w.close(mark);
  }
  if (m.timeseriesBatch !== undefined) {
    w.uint32(34);
    const mark = w.open();
    writeTimeSeriesBatch(m.timeseriesBatch, w);
    w.close(mark);
  }
}

export function readQueryRangeResponse(r: WireReader): QueryRangeResponse {
  const m: QueryRangeResponse = {
    warnings: undefined,
    timeseries: undefined,
    stats: undefined,
    timeseriesBatch: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.timeseries = undefined; m.stats = undefined; m.timeseriesBatch = undefined; m.warnings = r.string();
        break;
      case 18: {
        const outer = r.enter();
        m.warnings = undefined; m.stats = undefined; m.timeseriesBatch = undefined; m.timeseries = prometheusPb.readTimeSeries(r);
        r.leave(outer);
        break;
      }
      case 26: {
        const outer = r.enter();
        m.warnings = undefined; m.timeseries = undefined; m.timeseriesBatch = undefined; m.stats = readQueryStats(r);
        r.leave(outer);
        break;
      }
      case 34: {
        const outer = r.enter();
        m.warnings = undefined; m.timeseries = undefined; m.stats = undefined; m.timeseriesBatch = readTimeSeriesBatch(r);
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const QueryRangeResponse: Codec<QueryRangeResponse> = codec("thanos.QueryRangeResponse", writeQueryRangeResponse, readQueryRangeResponse);

export type SeriesRequest = {
  /** Both inclusive. */
  minTime: number;
  maxTime: number;
  matchers: LabelMatcher[];
  maxResolutionWindow: number;
  aggregates: number[];
  partialResponseDisabled: boolean;
  partialResponseStrategy: number;
  skipChunks: boolean;
  hints: googlePb.Any | undefined;
  step: number;
  range: number;
  queryHints: QueryHints | undefined;
  shardInfo: ShardInfo | undefined;
  withoutReplicaLabels: string[];
  limit: number;
  responseBatchSize: number;
};

export function writeSeriesRequest(m: Init<SeriesRequest>, w: WireWriter): void {
  if (m.minTime) {
    w.uint32(8);
    w.int64(m.minTime);
  }
  if (m.maxTime) {
    w.uint32(16);
    w.int64(m.maxTime);
  }
  if (m.matchers !== undefined) for (const x of m.matchers) {
    w.uint32(26);
    const mark = w.open();
    writeLabelMatcher(x, w);
    w.close(mark);
  }
  if (m.maxResolutionWindow) {
    w.uint32(32);
    w.int64(m.maxResolutionWindow);
  }
  if (m.aggregates !== undefined && m.aggregates.length > 0) {
    w.uint32(42);
    const mark = w.open();
    for (const x of m.aggregates) w.int32(x);
    w.close(mark);
  }
  if (m.partialResponseDisabled) {
    w.uint32(48);
    w.bool(m.partialResponseDisabled);
  }
  if (m.partialResponseStrategy) {
    w.uint32(56);
    w.int32(m.partialResponseStrategy);
  }
  if (m.skipChunks) {
    w.uint32(64);
    w.bool(m.skipChunks);
  }
  if (m.hints !== undefined) {
    w.uint32(74);
    const mark = w.open();
    googlePb.writeAny(m.hints, w);
    w.close(mark);
  }
  if (m.step) {
    w.uint32(80);
    w.int64(m.step);
  }
  if (m.range) {
    w.uint32(88);
    w.int64(m.range);
  }
  if (m.queryHints !== undefined) {
    w.uint32(98);
    const mark = w.open();
    writeQueryHints(m.queryHints, w);
    w.close(mark);
  }
  if (m.shardInfo !== undefined) {
    w.uint32(106);
    const mark = w.open();
    writeShardInfo(m.shardInfo, w);
    w.close(mark);
  }
  if (m.withoutReplicaLabels !== undefined) for (const x of m.withoutReplicaLabels) {
    w.uint32(114);
    w.string(x);
  }
  if (m.limit) {
    w.uint32(120);
    w.int64(m.limit);
  }
  if (m.responseBatchSize) {
    w.uint32(128);
    w.int64(m.responseBatchSize);
  }
}

export function readSeriesRequest(r: WireReader): SeriesRequest {
  const m: SeriesRequest = {
    minTime: 0,
    maxTime: 0,
    matchers: [],
    maxResolutionWindow: 0,
    aggregates: [],
    partialResponseDisabled: false,
    partialResponseStrategy: 0,
    skipChunks: false,
    hints: undefined,
    step: 0,
    range: 0,
    queryHints: undefined,
    shardInfo: undefined,
    withoutReplicaLabels: [],
    limit: 0,
    responseBatchSize: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.minTime = r.int64();
        break;
      case 16:
        m.maxTime = r.int64();
        break;
      case 26: {
        const outer = r.enter();
        m.matchers.push(readLabelMatcher(r));
        r.leave(outer);
        break;
      }
      case 32:
        m.maxResolutionWindow = r.int64();
        break;
      case 40:
        m.aggregates.push(r.int32());
        break;
      case 42: {
        const outer = r.enter();
        while (r.pos < r.end) m.aggregates.push(r.int32());
        r.leave(outer);
        break;
      }
      case 48:
        m.partialResponseDisabled = r.bool();
        break;
      case 56:
        m.partialResponseStrategy = r.int32();
        break;
      case 64:
        m.skipChunks = r.bool();
        break;
      case 74: {
        const outer = r.enter();
        m.hints = googlePb.readAny(r);
        r.leave(outer);
        break;
      }
      case 80:
        m.step = r.int64();
        break;
      case 88:
        m.range = r.int64();
        break;
      case 98: {
        const outer = r.enter();
        m.queryHints = readQueryHints(r);
        r.leave(outer);
        break;
      }
      case 106: {
        const outer = r.enter();
        m.shardInfo = readShardInfo(r);
        r.leave(outer);
        break;
      }
      case 114:
        m.withoutReplicaLabels.push(r.string());
        break;
      case 120:
        m.limit = r.int64();
        break;
      case 128:
        m.responseBatchSize = r.int64();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const SeriesRequest: Codec<SeriesRequest> = codec("thanos.SeriesRequest", writeSeriesRequest, readSeriesRequest);

export type QueryHints = {
  stepMillis: number;
  func: Func | undefined;
  grouping: Grouping | undefined;
  range: Range | undefined;
  projectionLabels: string[];
  projectionInclude: boolean;
  seriesHashLabelName: string;
};

export function writeQueryHints(m: Init<QueryHints>, w: WireWriter): void {
  if (m.stepMillis) {
    w.uint32(8);
    w.int64(m.stepMillis);
  }
  if (m.func !== undefined) {
    w.uint32(18);
    const mark = w.open();
    writeFunc(m.func, w);
    w.close(mark);
  }
  if (m.grouping !== undefined) {
    w.uint32(34);
    const mark = w.open();
    writeGrouping(m.grouping, w);
    w.close(mark);
  }
  if (m.range !== undefined) {
    w.uint32(42);
    const mark = w.open();
    writeRange(m.range, w);
    w.close(mark);
  }
  if (m.projectionLabels !== undefined) for (const x of m.projectionLabels) {
    w.uint32(50);
    w.string(x);
  }
  if (m.projectionInclude) {
    w.uint32(56);
    w.bool(m.projectionInclude);
  }
  if (m.seriesHashLabelName) {
    w.uint32(66);
    w.string(m.seriesHashLabelName);
  }
}

export function readQueryHints(r: WireReader): QueryHints {
  const m: QueryHints = {
    stepMillis: 0,
    func: undefined,
    grouping: undefined,
    range: undefined,
    projectionLabels: [],
    projectionInclude: false,
    seriesHashLabelName: "",
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.stepMillis = r.int64();
        break;
      case 18: {
        const outer = r.enter();
        m.func = readFunc(r);
        r.leave(outer);
        break;
      }
      case 34: {
        const outer = r.enter();
        m.grouping = readGrouping(r);
        r.leave(outer);
        break;
      }
      case 42: {
        const outer = r.enter();
        m.range = readRange(r);
        r.leave(outer);
        break;
      }
      case 50:
        m.projectionLabels.push(r.string());
        break;
      case 56:
        m.projectionInclude = r.bool();
        break;
      case 66:
        m.seriesHashLabelName = r.string();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const QueryHints: Codec<QueryHints> = codec("thanos.QueryHints", writeQueryHints, readQueryHints);

export type Func = {
  name: string;
};

export function writeFunc(m: Init<Func>, w: WireWriter): void {
  if (m.name) {
    w.uint32(10);
    w.string(m.name);
  }
}

export function readFunc(r: WireReader): Func {
  const m: Func = {
    name: "",
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.name = r.string();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Func: Codec<Func> = codec("thanos.Func", writeFunc, readFunc);

export type Grouping = {
  by: boolean;
  labels: string[];
};

export function writeGrouping(m: Init<Grouping>, w: WireWriter): void {
  if (m.by) {
    w.uint32(8);
    w.bool(m.by);
  }
  if (m.labels !== undefined) for (const x of m.labels) {
    w.uint32(26);
    w.string(x);
  }
}

export function readGrouping(r: WireReader): Grouping {
  const m: Grouping = {
    by: false,
    labels: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.by = r.bool();
        break;
      case 26:
        m.labels.push(r.string());
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Grouping: Codec<Grouping> = codec("thanos.Grouping", writeGrouping, readGrouping);

export type Range = {
  millis: number;
};

export function writeRange(m: Init<Range>, w: WireWriter): void {
  if (m.millis) {
    w.uint32(8);
    w.int64(m.millis);
  }
}

export function readRange(r: WireReader): Range {
  const m: Range = {
    millis: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.millis = r.int64();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Range: Codec<Range> = codec("thanos.Range", writeRange, readRange);

export type ShardInfo = {
  shardIndex: number;
  totalShards: number;
  by: boolean;
  labels: string[];
};

export function writeShardInfo(m: Init<ShardInfo>, w: WireWriter): void {
  if (m.shardIndex) {
    w.uint32(8);
    w.int64(m.shardIndex);
  }
  if (m.totalShards) {
    w.uint32(16);
    w.int64(m.totalShards);
  }
  if (m.by) {
    w.uint32(24);
    w.bool(m.by);
  }
  if (m.labels !== undefined) for (const x of m.labels) {
    w.uint32(34);
    w.string(x);
  }
}

export function readShardInfo(r: WireReader): ShardInfo {
  const m: ShardInfo = {
    shardIndex: 0,
    totalShards: 0,
    by: false,
    labels: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.shardIndex = r.int64();
        break;
      case 16:
        m.totalShards = r.int64();
        break;
      case 24:
        m.by = r.bool();
        break;
      case 34:
        m.labels.push(r.string());
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ShardInfo: Codec<ShardInfo> = codec("thanos.ShardInfo", writeShardInfo, readShardInfo);

export type SeriesResponse = {
  series: Series | undefined;
  warning: string | undefined;
  hints: googlePb.Any | undefined;
  batch: SeriesBatch | undefined;
};

export function writeSeriesResponse(m: Init<SeriesResponse>, w: WireWriter): void {
  if (m.series !== undefined) {
    w.uint32(10);
    const mark = w.open();
    writeSeries(m.series, w);
    w.close(mark);
  }
  if (m.warning !== undefined) {
    w.uint32(18);
    w.string(m.warning);
  }
  if (m.hints !== undefined) {
    w.uint32(26);
    const mark = w.open();
    googlePb.writeAny(m.hints, w);
    w.close(mark);
  }
  if (m.batch !== undefined) {
    w.uint32(34);
    const mark = w.open();
    writeSeriesBatch(m.batch, w);
    w.close(mark);
  }
}

export function readSeriesResponse(r: WireReader): SeriesResponse {
  const m: SeriesResponse = {
    series: undefined,
    warning: undefined,
    hints: undefined,
    batch: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.warning = undefined; m.hints = undefined; m.batch = undefined; m.series = readSeries(r);
        r.leave(outer);
        break;
      }
      case 18:
        m.series = undefined; m.hints = undefined; m.batch = undefined; m.warning = r.string();
        break;
      case 26: {
        const outer = r.enter();
        m.series = undefined; m.warning = undefined; m.batch = undefined; m.hints = googlePb.readAny(r);
        r.leave(outer);
        break;
      }
      case 34: {
        const outer = r.enter();
        m.series = undefined; m.warning = undefined; m.hints = undefined; m.batch = readSeriesBatch(r);
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const SeriesResponse: Codec<SeriesResponse> = codec("thanos.SeriesResponse", writeSeriesResponse, readSeriesResponse);

export type SeriesBatch = {
  series: Series[];
};

export function writeSeriesBatch(m: Init<SeriesBatch>, w: WireWriter): void {
  if (m.series !== undefined) for (const x of m.series) {
    w.uint32(10);
    const mark = w.open();
    writeSeries(x, w);
    w.close(mark);
  }
}

export function readSeriesBatch(r: WireReader): SeriesBatch {
  const m: SeriesBatch = {
    series: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.series.push(readSeries(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const SeriesBatch: Codec<SeriesBatch> = codec("thanos.SeriesBatch", writeSeriesBatch, readSeriesBatch);

export type LabelNamesRequest = {
  partialResponseDisabled: boolean;
  partialResponseStrategy: number;
  start: number;
  end: number;
  hints: googlePb.Any | undefined;
  matchers: LabelMatcher[];
  withoutReplicaLabels: string[];
  limit: number;
};

export function writeLabelNamesRequest(m: Init<LabelNamesRequest>, w: WireWriter): void {
  if (m.partialResponseDisabled) {
    w.uint32(8);
    w.bool(m.partialResponseDisabled);
  }
  if (m.partialResponseStrategy) {
    w.uint32(16);
    w.int32(m.partialResponseStrategy);
  }
  if (m.start) {
    w.uint32(24);
    w.int64(m.start);
  }
  if (m.end) {
    w.uint32(32);
    w.int64(m.end);
  }
  if (m.hints !== undefined) {
    w.uint32(42);
    const mark = w.open();
    googlePb.writeAny(m.hints, w);
    w.close(mark);
  }
  if (m.matchers !== undefined) for (const x of m.matchers) {
    w.uint32(50);
    const mark = w.open();
    writeLabelMatcher(x, w);
    w.close(mark);
  }
  if (m.withoutReplicaLabels !== undefined) for (const x of m.withoutReplicaLabels) {
    w.uint32(58);
    w.string(x);
  }
  if (m.limit) {
    w.uint32(64);
    w.int64(m.limit);
  }
}

export function readLabelNamesRequest(r: WireReader): LabelNamesRequest {
  const m: LabelNamesRequest = {
    partialResponseDisabled: false,
    partialResponseStrategy: 0,
    start: 0,
    end: 0,
    hints: undefined,
    matchers: [],
    withoutReplicaLabels: [],
    limit: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.partialResponseDisabled = r.bool();
        break;
      case 16:
        m.partialResponseStrategy = r.int32();
        break;
      case 24:
        m.start = r.int64();
        break;
      case 32:
        m.end = r.int64();
        break;
      case 42: {
        const outer = r.enter();
        m.hints = googlePb.readAny(r);
        r.leave(outer);
        break;
      }
      case 50: {
        const outer = r.enter();
        m.matchers.push(readLabelMatcher(r));
        r.leave(outer);
        break;
      }
      case 58:
        m.withoutReplicaLabels.push(r.string());
        break;
      case 64:
        m.limit = r.int64();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const LabelNamesRequest: Codec<LabelNamesRequest> = codec("thanos.LabelNamesRequest", writeLabelNamesRequest, readLabelNamesRequest);

export type LabelNamesResponse = {
  names: string[];
  warnings: string[];
  hints: googlePb.Any | undefined;
};

export function writeLabelNamesResponse(m: Init<LabelNamesResponse>, w: WireWriter): void {
  if (m.names !== undefined) for (const x of m.names) {
    w.uint32(10);
    w.string(x);
  }
  if (m.warnings !== undefined) for (const x of m.warnings) {
    w.uint32(18);
    w.string(x);
  }
  if (m.hints !== undefined) {
    w.uint32(26);
    const mark = w.open();
    googlePb.writeAny(m.hints, w);
    w.close(mark);
  }
}

export function readLabelNamesResponse(r: WireReader): LabelNamesResponse {
  const m: LabelNamesResponse = {
    names: [],
    warnings: [],
    hints: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.names.push(r.string());
        break;
      case 18:
        m.warnings.push(r.string());
        break;
      case 26: {
        const outer = r.enter();
        m.hints = googlePb.readAny(r);
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const LabelNamesResponse: Codec<LabelNamesResponse> = codec("thanos.LabelNamesResponse", writeLabelNamesResponse, readLabelNamesResponse);

export type LabelValuesRequest = {
  label: string;
  partialResponseDisabled: boolean;
  partialResponseStrategy: number;
  start: number;
  end: number;
  hints: googlePb.Any | undefined;
  matchers: LabelMatcher[];
  withoutReplicaLabels: string[];
  limit: number;
};

export function writeLabelValuesRequest(m: Init<LabelValuesRequest>, w: WireWriter): void {
  if (m.label) {
    w.uint32(10);
    w.string(m.label);
  }
  if (m.partialResponseDisabled) {
    w.uint32(16);
    w.bool(m.partialResponseDisabled);
  }
  if (m.partialResponseStrategy) {
    w.uint32(24);
    w.int32(m.partialResponseStrategy);
  }
  if (m.start) {
    w.uint32(32);
    w.int64(m.start);
  }
  if (m.end) {
    w.uint32(40);
    w.int64(m.end);
  }
  if (m.hints !== undefined) {
    w.uint32(50);
    const mark = w.open();
    googlePb.writeAny(m.hints, w);
    w.close(mark);
  }
  if (m.matchers !== undefined) for (const x of m.matchers) {
    w.uint32(58);
    const mark = w.open();
    writeLabelMatcher(x, w);
    w.close(mark);
  }
  if (m.withoutReplicaLabels !== undefined) for (const x of m.withoutReplicaLabels) {
    w.uint32(66);
    w.string(x);
  }
  if (m.limit) {
    w.uint32(72);
    w.int64(m.limit);
  }
}

export function readLabelValuesRequest(r: WireReader): LabelValuesRequest {
  const m: LabelValuesRequest = {
    label: "",
    partialResponseDisabled: false,
    partialResponseStrategy: 0,
    start: 0,
    end: 0,
    hints: undefined,
    matchers: [],
    withoutReplicaLabels: [],
    limit: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.label = r.string();
        break;
      case 16:
        m.partialResponseDisabled = r.bool();
        break;
      case 24:
        m.partialResponseStrategy = r.int32();
        break;
      case 32:
        m.start = r.int64();
        break;
      case 40:
        m.end = r.int64();
        break;
      case 50: {
        const outer = r.enter();
        m.hints = googlePb.readAny(r);
        r.leave(outer);
        break;
      }
      case 58: {
        const outer = r.enter();
        m.matchers.push(readLabelMatcher(r));
        r.leave(outer);
        break;
      }
      case 66:
        m.withoutReplicaLabels.push(r.string());
        break;
      case 72:
        m.limit = r.int64();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const LabelValuesRequest: Codec<LabelValuesRequest> = codec("thanos.LabelValuesRequest", writeLabelValuesRequest, readLabelValuesRequest);

export type LabelValuesResponse = {
  values: string[];
  warnings: string[];
  hints: googlePb.Any | undefined;
};

export function writeLabelValuesResponse(m: Init<LabelValuesResponse>, w: WireWriter): void {
  if (m.values !== undefined) for (const x of m.values) {
    w.uint32(10);
    w.string(x);
  }
  if (m.warnings !== undefined) for (const x of m.warnings) {
    w.uint32(18);
    w.string(x);
  }
  if (m.hints !== undefined) {
    w.uint32(26);
    const mark = w.open();
    googlePb.writeAny(m.hints, w);
    w.close(mark);
  }
}

export function readLabelValuesResponse(r: WireReader): LabelValuesResponse {
  const m: LabelValuesResponse = {
    values: [],
    warnings: [],
    hints: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.values.push(r.string());
        break;
      case 18:
        m.warnings.push(r.string());
        break;
      case 26: {
        const outer = r.enter();
        m.hints = googlePb.readAny(r);
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const LabelValuesResponse: Codec<LabelValuesResponse> = codec("thanos.LabelValuesResponse", writeLabelValuesResponse, readLabelValuesResponse);

export type WriteRequest = {
  timeseries: prometheusPb.TimeSeries[];
  tenant: string;
  replica: number;
  timeseriesTenantData: TimeSeriesTenantTuple[];
};

export function writeWriteRequest(m: Init<WriteRequest>, w: WireWriter): void {
  if (m.timeseries !== undefined) for (const x of m.timeseries) {
    w.uint32(10);
    const mark = w.open();
    prometheusPb.writeTimeSeries(x, w);
    w.close(mark);
  }
  if (m.tenant) {
    w.uint32(18);
    w.string(m.tenant);
  }
  if (m.replica) {
    w.uint32(24);
    w.int64(m.replica);
  }
  if (m.timeseriesTenantData !== undefined) for (const x of m.timeseriesTenantData) {
    w.uint32(34);
    const mark = w.open();
    writeTimeSeriesTenantTuple(x, w);
    w.close(mark);
  }
}

export function readWriteRequest(r: WireReader): WriteRequest {
  const m: WriteRequest = {
    timeseries: [],
    tenant: "",
    replica: 0,
    timeseriesTenantData: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.timeseries.push(prometheusPb.readTimeSeries(r));
        r.leave(outer);
        break;
      }
      case 18:
        m.tenant = r.string();
        break;
      case 24:
        m.replica = r.int64();
        break;
      case 34: {
        const outer = r.enter();
        m.timeseriesTenantData.push(readTimeSeriesTenantTuple(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const WriteRequest: Codec<WriteRequest> = codec("thanos.WriteRequest", writeWriteRequest, readWriteRequest);

export type TimeSeriesTenantTuple = {
  timeseries: prometheusPb.TimeSeries[];
  tenant: string;
};

export function writeTimeSeriesTenantTuple(m: Init<TimeSeriesTenantTuple>, w: WireWriter): void {
  if (m.timeseries !== undefined) for (const x of m.timeseries) {
    w.uint32(10);
    const mark = w.open();
    prometheusPb.writeTimeSeries(x, w);
    w.close(mark);
  }
  if (m.tenant) {
    w.uint32(18);
    w.string(m.tenant);
  }
}

export function readTimeSeriesTenantTuple(r: WireReader): TimeSeriesTenantTuple {
  const m: TimeSeriesTenantTuple = {
    timeseries: [],
    tenant: "",
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.timeseries.push(prometheusPb.readTimeSeries(r));
        r.leave(outer);
        break;
      }
      case 18:
        m.tenant = r.string();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const TimeSeriesTenantTuple: Codec<TimeSeriesTenantTuple> = codec("thanos.TimeSeriesTenantTuple", writeTimeSeriesTenantTuple, readTimeSeriesTenantTuple);

export type WriteResponse = {

};

export function writeWriteResponse(_m: Init<WriteResponse>, _w: WireWriter): void {

}

export function readWriteResponse(r: WireReader): WriteResponse {
  const m: WriteResponse = {

  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {

      default:
        r.skip(tag);
    }
  }
  return m;
}

export const WriteResponse: Codec<WriteResponse> = codec("thanos.WriteResponse", writeWriteResponse, readWriteResponse);

export type RulesRequest = {
  type: number;
  partialResponseStrategy: number;
  matcherString: string[];
  ruleName: string[];
  ruleGroup: string[];
  file: string[];
};

export function writeRulesRequest(m: Init<RulesRequest>, w: WireWriter): void {
  if (m.type) {
    w.uint32(8);
    w.int32(m.type);
  }
  if (m.partialResponseStrategy) {
    w.uint32(16);
    w.int32(m.partialResponseStrategy);
  }
  if (m.matcherString !== undefined) for (const x of m.matcherString) {
    w.uint32(26);
    w.string(x);
  }
  if (m.ruleName !== undefined) for (const x of m.ruleName) {
    w.uint32(34);
    w.string(x);
  }
  if (m.ruleGroup !== undefined) for (const x of m.ruleGroup) {
    w.uint32(42);
    w.string(x);
  }
  if (m.file !== undefined) for (const x of m.file) {
    w.uint32(50);
    w.string(x);
  }
}

export function readRulesRequest(r: WireReader): RulesRequest {
  const m: RulesRequest = {
    type: 0,
    partialResponseStrategy: 0,
    matcherString: [],
    ruleName: [],
    ruleGroup: [],
    file: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.type = r.int32();
        break;
      case 16:
        m.partialResponseStrategy = r.int32();
        break;
      case 26:
        m.matcherString.push(r.string());
        break;
      case 34:
        m.ruleName.push(r.string());
        break;
      case 42:
        m.ruleGroup.push(r.string());
        break;
      case 50:
        m.file.push(r.string());
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const RulesRequest: Codec<RulesRequest> = codec("thanos.RulesRequest", writeRulesRequest, readRulesRequest);

export type RulesResponse = {
  group: RuleGroup | undefined;
  warning: string | undefined;
};

export function writeRulesResponse(m: Init<RulesResponse>, w: WireWriter): void {
  if (m.group !== undefined) {
    w.uint32(10);
    const mark = w.open();
    writeRuleGroup(m.group, w);
    w.close(mark);
  }
  if (m.warning !== undefined) {
    w.uint32(18);
    w.string(m.warning);
  }
}

export function readRulesResponse(r: WireReader): RulesResponse {
  const m: RulesResponse = {
    group: undefined,
    warning: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.warning = undefined; m.group = readRuleGroup(r);
        r.leave(outer);
        break;
      }
      case 18:
        m.group = undefined; m.warning = r.string();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const RulesResponse: Codec<RulesResponse> = codec("thanos.RulesResponse", writeRulesResponse, readRulesResponse);

export type RuleGroups = {
  groups: RuleGroup[];
};

export function writeRuleGroups(m: Init<RuleGroups>, w: WireWriter): void {
  if (m.groups !== undefined) for (const x of m.groups) {
    w.uint32(10);
    const mark = w.open();
    writeRuleGroup(x, w);
    w.close(mark);
  }
}

export function readRuleGroups(r: WireReader): RuleGroups {
  const m: RuleGroups = {
    groups: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.groups.push(readRuleGroup(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const RuleGroups: Codec<RuleGroups> = codec("thanos.RuleGroups", writeRuleGroups, readRuleGroups);

export type RuleGroup = {
  name: string;
  file: string;
  rules: Rule[];
  /** Seconds. */
  interval: number;
  evaluationDurationSeconds: number;
  lastEvaluation: googlePb.Timestamp | undefined;
  partialResponseStrategy: number;
  limit: number;
};

export function writeRuleGroup(m: Init<RuleGroup>, w: WireWriter): void {
  if (m.name) {
    w.uint32(10);
    w.string(m.name);
  }
  if (m.file) {
    w.uint32(18);
    w.string(m.file);
  }
  if (m.rules !== undefined) for (const x of m.rules) {
    w.uint32(26);
    const mark = w.open();
    writeRule(x, w);
    w.close(mark);
  }
  if (m.interval !== undefined && !Object.is(m.interval, 0)) {
    w.uint32(33);
    w.double(m.interval);
  }
  if (m.evaluationDurationSeconds !== undefined && !Object.is(m.evaluationDurationSeconds, 0)) {
    w.uint32(41);
    w.double(m.evaluationDurationSeconds);
  }
  if (m.lastEvaluation !== undefined) {
    w.uint32(50);
    const mark = w.open();
    googlePb.writeTimestamp(m.lastEvaluation, w);
    w.close(mark);
  }
  if (m.partialResponseStrategy) {
    w.uint32(64);
    w.int32(m.partialResponseStrategy);
  }
  if (m.limit) {
    w.uint32(72);
    w.int64(m.limit);
  }
}

export function readRuleGroup(r: WireReader): RuleGroup {
  const m: RuleGroup = {
    name: "",
    file: "",
    rules: [],
    interval: 0,
    evaluationDurationSeconds: 0,
    lastEvaluation: undefined,
    partialResponseStrategy: 0,
    limit: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.name = r.string();
        break;
      case 18:
        m.file = r.string();
        break;
      case 26: {
        const outer = r.enter();
        m.rules.push(readRule(r));
        r.leave(outer);
        break;
      }
      case 33:
        m.interval = r.double();
        break;
      case 41:
        m.evaluationDurationSeconds = r.double();
        break;
      case 50: {
        const outer = r.enter();
        m.lastEvaluation = googlePb.readTimestamp(r);
        r.leave(outer);
        break;
      }
      case 64:
        m.partialResponseStrategy = r.int32();
        break;
      case 72:
        m.limit = r.int64();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const RuleGroup: Codec<RuleGroup> = codec("thanos.RuleGroup", writeRuleGroup, readRuleGroup);

export type Rule = {
  recording: RecordingRule | undefined;
  alert: Alert | undefined;
};

export function writeRule(m: Init<Rule>, w: WireWriter): void {
  if (m.recording !== undefined) {
    w.uint32(10);
    const mark = w.open();
    writeRecordingRule(m.recording, w);
    w.close(mark);
  }
  if (m.alert !== undefined) {
    w.uint32(18);
    const mark = w.open();
    writeAlert(m.alert, w);
    w.close(mark);
  }
}

export function readRule(r: WireReader): Rule {
  const m: Rule = {
    recording: undefined,
    alert: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.alert = undefined; m.recording = readRecordingRule(r);
        r.leave(outer);
        break;
      }
      case 18: {
        const outer = r.enter();
        m.recording = undefined; m.alert = readAlert(r);
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Rule: Codec<Rule> = codec("thanos.Rule", writeRule, readRule);

export type Alert = {
  state: number;
  name: string;
  query: string;
  durationSeconds: number;
  labels: LabelSet | undefined;
  annotations: LabelSet | undefined;
  alerts: AlertInstance[];
  health: string;
  lastError: string;
  evaluationDurationSeconds: number;
  lastEvaluation: googlePb.Timestamp | undefined;
  keepFiringForSeconds: number;
};

export function writeAlert(m: Init<Alert>, w: WireWriter): void {
  if (m.state) {
    w.uint32(8);
    w.int32(m.state);
  }
  if (m.name) {
    w.uint32(18);
    w.string(m.name);
  }
  if (m.query) {
    w.uint32(26);
    w.string(m.query);
  }
  if (m.durationSeconds !== undefined && !Object.is(m.durationSeconds, 0)) {
    w.uint32(33);
    w.double(m.durationSeconds);
  }
  if (m.labels !== undefined) {
    w.uint32(42);
    const mark = w.open();
    writeLabelSet(m.labels, w);
    w.close(mark);
  }
  if (m.annotations !== undefined) {
    w.uint32(50);
    const mark = w.open();
    writeLabelSet(m.annotations, w);
    w.close(mark);
  }
  if (m.alerts !== undefined) for (const x of m.alerts) {
    w.uint32(58);
    const mark = w.open();
    writeAlertInstance(x, w);
    w.close(mark);
  }
  if (m.health) {
    w.uint32(66);
    w.string(m.health);
  }
  if (m.lastError) {
    w.uint32(74);
    w.string(m.lastError);
  }
  if (m.evaluationDurationSeconds !== undefined && !Object.is(m.evaluationDurationSeconds, 0)) {
    w.uint32(81);
    w.double(m.evaluationDurationSeconds);
  }
  if (m.lastEvaluation !== undefined) {
    w.uint32(90);
    const mark = w.open();
    googlePb.writeTimestamp(m.lastEvaluation, w);
    w.close(mark);
  }
  if (m.keepFiringForSeconds !== undefined && !Object.is(m.keepFiringForSeconds, 0)) {
    w.uint32(97);
    w.double(m.keepFiringForSeconds);
  }
}

export function readAlert(r: WireReader): Alert {
  const m: Alert = {
    state: 0,
    name: "",
    query: "",
    durationSeconds: 0,
    labels: undefined,
    annotations: undefined,
    alerts: [],
    health: "",
    lastError: "",
    evaluationDurationSeconds: 0,
    lastEvaluation: undefined,
    keepFiringForSeconds: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.state = r.int32();
        break;
      case 18:
        m.name = r.string();
        break;
      case 26:
        m.query = r.string();
        break;
      case 33:
        m.durationSeconds = r.double();
        break;
      case 42: {
        const outer = r.enter();
        m.labels = readLabelSet(r);
        r.leave(outer);
        break;
      }
      case 50: {
        const outer = r.enter();
        m.annotations = readLabelSet(r);
        r.leave(outer);
        break;
      }
      case 58: {
        const outer = r.enter();
        m.alerts.push(readAlertInstance(r));
        r.leave(outer);
        break;
      }
      case 66:
        m.health = r.string();
        break;
      case 74:
        m.lastError = r.string();
        break;
      case 81:
        m.evaluationDurationSeconds = r.double();
        break;
      case 90: {
        const outer = r.enter();
        m.lastEvaluation = googlePb.readTimestamp(r);
        r.leave(outer);
        break;
      }
      case 97:
        m.keepFiringForSeconds = r.double();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Alert: Codec<Alert> = codec("thanos.Alert", writeAlert, readAlert);

export type AlertInstance = {
  labels: LabelSet | undefined;
  annotations: LabelSet | undefined;
  state: number;
  activeAt: googlePb.Timestamp | undefined;
  value: string;
  partialResponseStrategy: number;
};

export function writeAlertInstance(m: Init<AlertInstance>, w: WireWriter): void {
  if (m.labels !== undefined) {
    w.uint32(10);
    const mark = w.open();
    writeLabelSet(m.labels, w);
    w.close(mark);
  }
  if (m.annotations !== undefined) {
    w.uint32(18);
    const mark = w.open();
    writeLabelSet(m.annotations, w);
    w.close(mark);
  }
  if (m.state) {
    w.uint32(24);
    w.int32(m.state);
  }
  if (m.activeAt !== undefined) {
    w.uint32(34);
    const mark = w.open();
    googlePb.writeTimestamp(m.activeAt, w);
    w.close(mark);
  }
  if (m.value) {
    w.uint32(42);
    w.string(m.value);
  }
  if (m.partialResponseStrategy) {
    w.uint32(48);
    w.int32(m.partialResponseStrategy);
  }
}

export function readAlertInstance(r: WireReader): AlertInstance {
  const m: AlertInstance = {
    labels: undefined,
    annotations: undefined,
    state: 0,
    activeAt: undefined,
    value: "",
    partialResponseStrategy: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.labels = readLabelSet(r);
        r.leave(outer);
        break;
      }
      case 18: {
        const outer = r.enter();
        m.annotations = readLabelSet(r);
        r.leave(outer);
        break;
      }
      case 24:
        m.state = r.int32();
        break;
      case 34: {
        const outer = r.enter();
        m.activeAt = googlePb.readTimestamp(r);
        r.leave(outer);
        break;
      }
      case 42:
        m.value = r.string();
        break;
      case 48:
        m.partialResponseStrategy = r.int32();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const AlertInstance: Codec<AlertInstance> = codec("thanos.AlertInstance", writeAlertInstance, readAlertInstance);

export type RecordingRule = {
  name: string;
  query: string;
  labels: LabelSet | undefined;
  health: string;
  lastError: string;
  evaluationDurationSeconds: number;
  lastEvaluation: googlePb.Timestamp | undefined;
};

export function writeRecordingRule(m: Init<RecordingRule>, w: WireWriter): void {
  if (m.name) {
    w.uint32(10);
    w.string(m.name);
  }
  if (m.query) {
    w.uint32(18);
    w.string(m.query);
  }
  if (m.labels !== undefined) {
    w.uint32(26);
    const mark = w.open();
    writeLabelSet(m.labels, w);
    w.close(mark);
  }
  if (m.health) {
    w.uint32(34);
    w.string(m.health);
  }
  if (m.lastError) {
    w.uint32(42);
    w.string(m.lastError);
  }
  if (m.evaluationDurationSeconds !== undefined && !Object.is(m.evaluationDurationSeconds, 0)) {
    w.uint32(49);
    w.double(m.evaluationDurationSeconds);
  }
  if (m.lastEvaluation !== undefined) {
    w.uint32(58);
    const mark = w.open();
    googlePb.writeTimestamp(m.lastEvaluation, w);
    w.close(mark);
  }
}

export function readRecordingRule(r: WireReader): RecordingRule {
  const m: RecordingRule = {
    name: "",
    query: "",
    labels: undefined,
    health: "",
    lastError: "",
    evaluationDurationSeconds: 0,
    lastEvaluation: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.name = r.string();
        break;
      case 18:
        m.query = r.string();
        break;
      case 26: {
        const outer = r.enter();
        m.labels = readLabelSet(r);
        r.leave(outer);
        break;
      }
      case 34:
        m.health = r.string();
        break;
      case 42:
        m.lastError = r.string();
        break;
      case 49:
        m.evaluationDurationSeconds = r.double();
        break;
      case 58: {
        const outer = r.enter();
        m.lastEvaluation = googlePb.readTimestamp(r);
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const RecordingRule: Codec<RecordingRule> = codec("thanos.RecordingRule", writeRecordingRule, readRecordingRule);

export type TSDBStatisticsRequest = {
  tenant: string;
  limit: number;
  partialResponseStrategy: number;
  matchers: LabelMatcher[];
};

export function writeTSDBStatisticsRequest(m: Init<TSDBStatisticsRequest>, w: WireWriter): void {
  if (m.tenant) {
    w.uint32(10);
    w.string(m.tenant);
  }
  if (m.limit) {
    w.uint32(16);
    w.int32(m.limit);
  }
  if (m.partialResponseStrategy) {
    w.uint32(24);
    w.int32(m.partialResponseStrategy);
  }
  if (m.matchers !== undefined) for (const x of m.matchers) {
    w.uint32(34);
    const mark = w.open();
    writeLabelMatcher(x, w);
    w.close(mark);
  }
}

export function readTSDBStatisticsRequest(r: WireReader): TSDBStatisticsRequest {
  const m: TSDBStatisticsRequest = {
    tenant: "",
    limit: 0,
    partialResponseStrategy: 0,
    matchers: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.tenant = r.string();
        break;
      case 16:
        m.limit = r.int32();
        break;
      case 24:
        m.partialResponseStrategy = r.int32();
        break;
      case 34: {
        const outer = r.enter();
        m.matchers.push(readLabelMatcher(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const TSDBStatisticsRequest: Codec<TSDBStatisticsRequest> = codec("thanos.TSDBStatisticsRequest", writeTSDBStatisticsRequest, readTSDBStatisticsRequest);

export type TSDBStatisticsResponse = {
  statistics: TSDBStatistics | undefined;
  warning: string | undefined;
};

export function writeTSDBStatisticsResponse(m: Init<TSDBStatisticsResponse>, w: WireWriter): void {
  if (m.statistics !== undefined) {
    w.uint32(10);
    const mark = w.open();
    writeTSDBStatistics(m.statistics, w);
    w.close(mark);
  }
  if (m.warning !== undefined) {
    w.uint32(18);
    w.string(m.warning);
  }
}

export function readTSDBStatisticsResponse(r: WireReader): TSDBStatisticsResponse {
  const m: TSDBStatisticsResponse = {
    statistics: undefined,
    warning: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.warning = undefined; m.statistics = readTSDBStatistics(r);
        r.leave(outer);
        break;
      }
      case 18:
        m.statistics = undefined; m.warning = r.string();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const TSDBStatisticsResponse: Codec<TSDBStatisticsResponse> = codec("thanos.TSDBStatisticsResponse", writeTSDBStatisticsResponse, readTSDBStatisticsResponse);

/** By tenant; "" where there is only one. */
export type TSDBStatistics = {
  statistics: Map<string, TSDBStatisticsEntry>;
};

export function writeTSDBStatistics(m: Init<TSDBStatistics>, w: WireWriter): void {
  if (m.statistics !== undefined) for (const [key, value] of m.statistics) {
    w.uint32(10);
    const entry = w.open();
    w.uint32(10);
    w.string(key);
    w.uint32(18);
    const mark = w.open();
    writeTSDBStatisticsEntry(value, w);
    w.close(mark);
    w.close(entry);
  }
}

export function readTSDBStatistics(r: WireReader): TSDBStatistics {
  const m: TSDBStatistics = {
    statistics: new Map(),
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        let key = "";
        let value: TSDBStatisticsEntry | undefined;
        while (r.pos < r.end) {
          const inner = r.uint32();
          if (inner === 10) key = r.string();
          else if (inner === 18) {
            const end = r.enter();
            value = readTSDBStatisticsEntry(r);
            r.leave(end);
          } else r.skip(inner);
        }
        r.leave(outer);
        m.statistics.set(key, value ?? TSDBStatisticsEntry.decode(new Uint8Array(0)));
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const TSDBStatistics: Codec<TSDBStatistics> = codec("thanos.TSDBStatistics", writeTSDBStatistics, readTSDBStatistics);

export type TSDBStatisticsEntry = {
  headStatistics: HeadStatistics | undefined;
  seriesCountByMetricName: Statistic[];
  labelValueCountByLabelName: Statistic[];
  memoryInBytesByLabelName: Statistic[];
  seriesCountByLabelValuePair: Statistic[];
};

export function writeTSDBStatisticsEntry(m: Init<TSDBStatisticsEntry>, w: WireWriter): void {
  if (m.headStatistics !== undefined) {
    w.uint32(10);
    const mark = w.open();
    writeHeadStatistics(m.headStatistics, w);
    w.close(mark);
  }
  if (m.seriesCountByMetricName !== undefined) for (const x of m.seriesCountByMetricName) {
    w.uint32(18);
    const mark = w.open();
    writeStatistic(x, w);
    w.close(mark);
  }
  if (m.labelValueCountByLabelName !== undefined) for (const x of m.labelValueCountByLabelName) {
    w.uint32(26);
    const mark = w.open();
    writeStatistic(x, w);
    w.close(mark);
  }
  if (m.memoryInBytesByLabelName !== undefined) for (const x of m.memoryInBytesByLabelName) {
    w.uint32(34);
    const mark = w.open();
    writeStatistic(x, w);
    w.close(mark);
  }
  if (m.seriesCountByLabelValuePair !== undefined) for (const x of m.seriesCountByLabelValuePair) {
    w.uint32(42);
    const mark = w.open();
    writeStatistic(x, w);
    w.close(mark);
  }
}

export function readTSDBStatisticsEntry(r: WireReader): TSDBStatisticsEntry {
  const m: TSDBStatisticsEntry = {
    headStatistics: undefined,
    seriesCountByMetricName: [],
    labelValueCountByLabelName: [],
    memoryInBytesByLabelName: [],
    seriesCountByLabelValuePair: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.headStatistics = readHeadStatistics(r);
        r.leave(outer);
        break;
      }
      case 18: {
        const outer = r.enter();
        m.seriesCountByMetricName.push(readStatistic(r));
        r.leave(outer);
        break;
      }
      case 26: {
        const outer = r.enter();
        m.labelValueCountByLabelName.push(readStatistic(r));
        r.leave(outer);
        break;
      }
      case 34: {
        const outer = r.enter();
        m.memoryInBytesByLabelName.push(readStatistic(r));
        r.leave(outer);
        break;
      }
      case 42: {
        const outer = r.enter();
        m.seriesCountByLabelValuePair.push(readStatistic(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const TSDBStatisticsEntry: Codec<TSDBStatisticsEntry> = codec("thanos.TSDBStatisticsEntry", writeTSDBStatisticsEntry, readTSDBStatisticsEntry);

export type HeadStatistics = {
  numSeries: number;
  numLabelPairs: number;
  chunkCount: number;
  minTime: number;
  maxTime: number;
};

export function writeHeadStatistics(m: Init<HeadStatistics>, w: WireWriter): void {
  if (m.numSeries) {
    w.uint32(8);
    w.uint64(m.numSeries);
  }
  if (m.numLabelPairs) {
    w.uint32(16);
    w.uint64(m.numLabelPairs);
  }
  if (m.chunkCount) {
    w.uint32(24);
    w.int64(m.chunkCount);
  }
  if (m.minTime) {
    w.uint32(32);
    w.int64(m.minTime);
  }
  if (m.maxTime) {
    w.uint32(40);
    w.int64(m.maxTime);
  }
}

export function readHeadStatistics(r: WireReader): HeadStatistics {
  const m: HeadStatistics = {
    numSeries: 0,
    numLabelPairs: 0,
    chunkCount: 0,
    minTime: 0,
    maxTime: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.numSeries = r.uint64();
        break;
      case 16:
        m.numLabelPairs = r.uint64();
        break;
      case 24:
        m.chunkCount = r.int64();
        break;
      case 32:
        m.minTime = r.int64();
        break;
      case 40:
        m.maxTime = r.int64();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const HeadStatistics: Codec<HeadStatistics> = codec("thanos.HeadStatistics", writeHeadStatistics, readHeadStatistics);

export type Statistic = {
  name: string;
  value: number;
};

export function writeStatistic(m: Init<Statistic>, w: WireWriter): void {
  if (m.name) {
    w.uint32(10);
    w.string(m.name);
  }
  if (m.value) {
    w.uint32(16);
    w.uint64(m.value);
  }
}

export function readStatistic(r: WireReader): Statistic {
  const m: Statistic = {
    name: "",
    value: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.name = r.string();
        break;
      case 16:
        m.value = r.uint64();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Statistic: Codec<Statistic> = codec("thanos.Statistic", writeStatistic, readStatistic);

export type TargetsRequest = {
  state: number;
  partialResponseStrategy: number;
};

export function writeTargetsRequest(m: Init<TargetsRequest>, w: WireWriter): void {
  if (m.state) {
    w.uint32(8);
    w.int32(m.state);
  }
  if (m.partialResponseStrategy) {
    w.uint32(16);
    w.int32(m.partialResponseStrategy);
  }
}

export function readTargetsRequest(r: WireReader): TargetsRequest {
  const m: TargetsRequest = {
    state: 0,
    partialResponseStrategy: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.state = r.int32();
        break;
      case 16:
        m.partialResponseStrategy = r.int32();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const TargetsRequest: Codec<TargetsRequest> = codec("thanos.TargetsRequest", writeTargetsRequest, readTargetsRequest);

export type TargetsResponse = {
  targets: TargetDiscovery | undefined;
  warning: string | undefined;
};

export function writeTargetsResponse(m: Init<TargetsResponse>, w: WireWriter): void {
  if (m.targets !== undefined) {
    w.uint32(10);
    const mark = w.open();
    writeTargetDiscovery(m.targets, w);
    w.close(mark);
  }
  if (m.warning !== undefined) {
    w.uint32(18);
    w.string(m.warning);
  }
}

export function readTargetsResponse(r: WireReader): TargetsResponse {
  const m: TargetsResponse = {
    targets: undefined,
    warning: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.warning = undefined; m.targets = readTargetDiscovery(r);
        r.leave(outer);
        break;
      }
      case 18:
        m.targets = undefined; m.warning = r.string();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const TargetsResponse: Codec<TargetsResponse> = codec("thanos.TargetsResponse", writeTargetsResponse, readTargetsResponse);

export type TargetDiscovery = {
  activeTargets: ActiveTarget[];
  droppedTargets: DroppedTarget[];
};

export function writeTargetDiscovery(m: Init<TargetDiscovery>, w: WireWriter): void {
  if (m.activeTargets !== undefined) for (const x of m.activeTargets) {
    w.uint32(10);
    const mark = w.open();
    writeActiveTarget(x, w);
    w.close(mark);
  }
  if (m.droppedTargets !== undefined) for (const x of m.droppedTargets) {
    w.uint32(18);
    const mark = w.open();
    writeDroppedTarget(x, w);
    w.close(mark);
  }
}

export function readTargetDiscovery(r: WireReader): TargetDiscovery {
  const m: TargetDiscovery = {
    activeTargets: [],
    droppedTargets: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.activeTargets.push(readActiveTarget(r));
        r.leave(outer);
        break;
      }
      case 18: {
        const outer = r.enter();
        m.droppedTargets.push(readDroppedTarget(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const TargetDiscovery: Codec<TargetDiscovery> = codec("thanos.TargetDiscovery", writeTargetDiscovery, readTargetDiscovery);

export type ActiveTarget = {
  discoveredLabels: LabelSet | undefined;
  labels: LabelSet | undefined;
  scrapePool: string;
  scrapeUrl: string;
  globalUrl: string;
  lastError: string;
  lastScrape: googlePb.Timestamp | undefined;
  lastScrapeDuration: number;
  health: number;
};

export function writeActiveTarget(m: Init<ActiveTarget>, w: WireWriter): void {
  if (m.discoveredLabels !== undefined) {
    w.uint32(10);
    const mark = w.open();
    writeLabelSet(m.discoveredLabels, w);
    w.close(mark);
  }
  if (m.labels !== undefined) {
    w.uint32(18);
    const mark = w.open();
    writeLabelSet(m.labels, w);
    w.close(mark);
  }
  if (m.scrapePool) {
    w.uint32(26);
    w.string(m.scrapePool);
  }
  if (m.scrapeUrl) {
    w.uint32(34);
    w.string(m.scrapeUrl);
  }
  if (m.globalUrl) {
    w.uint32(42);
    w.string(m.globalUrl);
  }
  if (m.lastError) {
    w.uint32(50);
    w.string(m.lastError);
  }
  if (m.lastScrape !== undefined) {
    w.uint32(58);
    const mark = w.open();
    googlePb.writeTimestamp(m.lastScrape, w);
    w.close(mark);
  }
  if (m.lastScrapeDuration !== undefined && !Object.is(m.lastScrapeDuration, 0)) {
    w.uint32(65);
    w.double(m.lastScrapeDuration);
  }
  if (m.health) {
    w.uint32(72);
    w.int32(m.health);
  }
}

export function readActiveTarget(r: WireReader): ActiveTarget {
  const m: ActiveTarget = {
    discoveredLabels: undefined,
    labels: undefined,
    scrapePool: "",
    scrapeUrl: "",
    globalUrl: "",
    lastError: "",
    lastScrape: undefined,
    lastScrapeDuration: 0,
    health: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.discoveredLabels = readLabelSet(r);
        r.leave(outer);
        break;
      }
      case 18: {
        const outer = r.enter();
        m.labels = readLabelSet(r);
        r.leave(outer);
        break;
      }
      case 26:
        m.scrapePool = r.string();
        break;
      case 34:
        m.scrapeUrl = r.string();
        break;
      case 42:
        m.globalUrl = r.string();
        break;
      case 50:
        m.lastError = r.string();
        break;
      case 58: {
        const outer = r.enter();
        m.lastScrape = googlePb.readTimestamp(r);
        r.leave(outer);
        break;
      }
      case 65:
        m.lastScrapeDuration = r.double();
        break;
      case 72:
        m.health = r.int32();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ActiveTarget: Codec<ActiveTarget> = codec("thanos.ActiveTarget", writeActiveTarget, readActiveTarget);

export type DroppedTarget = {
  discoveredLabels: LabelSet | undefined;
};

export function writeDroppedTarget(m: Init<DroppedTarget>, w: WireWriter): void {
  if (m.discoveredLabels !== undefined) {
    w.uint32(10);
    const mark = w.open();
    writeLabelSet(m.discoveredLabels, w);
    w.close(mark);
  }
}

export function readDroppedTarget(r: WireReader): DroppedTarget {
  const m: DroppedTarget = {
    discoveredLabels: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.discoveredLabels = readLabelSet(r);
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const DroppedTarget: Codec<DroppedTarget> = codec("thanos.DroppedTarget", writeDroppedTarget, readDroppedTarget);

export const ExemplarsService = {
  Exemplars: {
    path: "/thanos.Exemplars/Exemplars",
    requestStream: false,
    responseStream: true,
    request: ExemplarsRequest,
    response: ExemplarsResponse,
  } satisfies MethodDef<ExemplarsRequest, ExemplarsResponse>,
};

export const MetadataService = {
  MetricMetadata: {
    path: "/thanos.Metadata/MetricMetadata",
    requestStream: false,
    responseStream: true,
    request: MetricMetadataRequest,
    response: MetricMetadataResponse,
  } satisfies MethodDef<MetricMetadataRequest, MetricMetadataResponse>,
};

export const QueryService = {
  Query: {
    path: "/thanos.Query/Query",
    requestStream: false,
    responseStream: true,
    request: QueryRequest,
    response: QueryResponse,
  } satisfies MethodDef<QueryRequest, QueryResponse>,
  QueryRange: {
    path: "/thanos.Query/QueryRange",
    requestStream: false,
    responseStream: true,
    request: QueryRangeRequest,
    response: QueryRangeResponse,
  } satisfies MethodDef<QueryRangeRequest, QueryRangeResponse>,
};

export const StoreService = {
  Series: {
    path: "/thanos.Store/Series",
    requestStream: false,
    responseStream: true,
    request: SeriesRequest,
    response: SeriesResponse,
  } satisfies MethodDef<SeriesRequest, SeriesResponse>,
  LabelNames: {
    path: "/thanos.Store/LabelNames",
    requestStream: false,
    responseStream: false,
    request: LabelNamesRequest,
    response: LabelNamesResponse,
  } satisfies MethodDef<LabelNamesRequest, LabelNamesResponse>,
  LabelValues: {
    path: "/thanos.Store/LabelValues",
    requestStream: false,
    responseStream: false,
    request: LabelValuesRequest,
    response: LabelValuesResponse,
  } satisfies MethodDef<LabelValuesRequest, LabelValuesResponse>,
};

export const WriteableStoreService = {
  RemoteWrite: {
    path: "/thanos.WriteableStore/RemoteWrite",
    requestStream: false,
    responseStream: false,
    request: WriteRequest,
    response: WriteResponse,
  } satisfies MethodDef<WriteRequest, WriteResponse>,
};

export const RulesService = {
  Rules: {
    path: "/thanos.Rules/Rules",
    requestStream: false,
    responseStream: true,
    request: RulesRequest,
    response: RulesResponse,
  } satisfies MethodDef<RulesRequest, RulesResponse>,
};

export const StatusService = {
  TSDBStatistics: {
    path: "/thanos.Status/TSDBStatistics",
    requestStream: false,
    responseStream: true,
    request: TSDBStatisticsRequest,
    response: TSDBStatisticsResponse,
  } satisfies MethodDef<TSDBStatisticsRequest, TSDBStatisticsResponse>,
};

export const TargetsService = {
  Targets: {
    path: "/thanos.Targets/Targets",
    requestStream: false,
    responseStream: true,
    request: TargetsRequest,
    response: TargetsResponse,
  } satisfies MethodDef<TargetsRequest, TargetsResponse>,
};
