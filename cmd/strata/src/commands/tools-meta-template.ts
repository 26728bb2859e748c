import {errorText, StrataError} from "@strata/base";
import {groupKey, resolutionOf} from "@strata/block";
import {ulidTime} from "@strata/model";
import {GoMap, GoStruct, GoTime, TextTemplate, type Value} from "@strata/rules/template";
import {
  type BlockFile,
  type BlockMeta,
  type BlockRewrite,
  EMPTY_THANOS_META,
  type ThanosMeta,
} from "@strata/tsdb/blocks";

/**
 * A line made of a template over a block's meta, as Go programs take them and with the names that they use:
 * `{{.ULID}} {{if gt .Compaction.Level 1}}{{len .Compaction.Sources}}{{end}}`. Throws `bad_data`.
 */
export function metaTemplate(text: string): (meta: BlockMeta) => string {
  try {
    const template = new TextTemplate("", text);
    return (meta) => rendered(template, meta);
  } catch (err) {
    throw bad(err);
  }
}

function rendered(template: TextTemplate, meta: BlockMeta): string {
  try {
    return template.render(metaValue(meta));
  } catch (err) {
    throw bad(err);
  }
}

const bad = (err: unknown): StrataError =>
  new StrataError("bad_data", `cannot use the template of --output: ${errorText(err)}`, {cause: err});

/** The meta as a Go program has it. */
function metaValue(meta: BlockMeta): Value {
  const {ulid, minTime, maxTime, version, thanos = EMPTY_THANOS_META} = meta;
  const block = {
    ULID: ulidValue(ulid),
    MinTime: int(minTime),
    MaxTime: int(maxTime),
    Stats: statsValue(meta),
    Compaction: compactionValue(meta),
    Version: int(version),
  };
  const fields = {...block, BlockMeta: new GoStruct("tsdb.BlockMeta", block), Thanos: thanosValue(thanos, meta)};
  return new GoStruct("**metadata.Meta", fields, `${ulid} (min time: ${minTime}, max time: ${maxTime})`);
}

function statsValue({stats}: BlockMeta): Value {
  return new GoStruct("tsdb.BlockStats", {
    NumSamples: int(stats.numSamples),
    NumFloatSamples: int(stats.numFloatSamples),
    NumHistogramSamples: int(stats.numHistogramSamples),
    NumSeries: int(stats.numSeries),
    NumChunks: int(stats.numChunks),
    NumTombstones: int(stats.numTombstones),
  });
}

function compactionValue({compaction}: BlockMeta): Value {
  const {level, sources, deletable, parents, failed, hints} = compaction;
  const own = {
    Level: int(level),
    Sources: sources.map(ulidValue),
    Deletable: deletable,
    Parents: parents.map(({ulid, minTime, maxTime}) => {
      const fields = {ULID: ulidValue(ulid), MinTime: int(minTime), MaxTime: int(maxTime)};
      return new GoStruct("tsdb.BlockDesc", fields);
    }),
    Failed: failed,
    Hints: hints,
  };
  return withMethods("tsdb.BlockMetaCompaction", own, {
    FromOutOfOrder: hints.includes("from-out-of-order"),
    FromStaleSeries: hints.includes("from-stale-series"),
    FromSelectedSeries: hints.includes("from-selected-series"),
  });
}

function thanosValue(thanos: ThanosMeta, meta: BlockMeta): Value {
  const {version, labels, resolution, source, segmentFiles, files, rewrites, extensions, uploadTime} = thanos;
  const sizes = {SeriesMaxSize: int(thanos.seriesMaxSize), ChunkMaxSize: int(thanos.chunkMaxSize)};
  const own = {
    Version: int(version),
    Labels: new GoMap(new Map(Object.entries(labels))),
    Downsample: new GoStruct("metadata.ThanosDownsample", {Resolution: int(resolution)}),
    Source: source,
    SegmentFiles: segmentFiles,
    Files: files.map(fileValue),
    Rewrites: rewrites.map(rewriteValue),
    IndexStats: new GoStruct("metadata.IndexStats", sizes),
    Extensions: jsonValue(extensions),
    UploadTime: new GoTime(Date.parse(uploadTime)),
  };
  return withMethods("metadata.Thanos", own, {
    GroupKey: groupKey(meta),
    ResolutionString: String(resolutionOf(meta)),
  });
}

function fileValue({relPath, sizeBytes, hash}: BlockFile): Value {
  const hashValue = hash && new GoStruct("*metadata.ObjectHash", {Func: hash.func, Value: hash.value});
  return new GoStruct("metadata.File", {RelPath: relPath, SizeBytes: int(sizeBytes), Hash: hashValue});
}

const MATCH_TYPES: readonly string[] = ["=", "!=", "=~", "!~"];

function rewriteValue({sources, deletionsApplied, relabelsApplied}: BlockRewrite): Value {
  const deletions = deletionsApplied.map(({matchers, intervals, requestId}) => {
    const fields = {
      Matchers: matchers.map(
        ({type, name, value}) => new GoStruct("*labels.Matcher", {Type: MATCH_TYPES[type], Name: name, Value: value}),
      ),
      Intervals: intervals.map(
        ({mint, maxt}) => new GoStruct("tombstones.Interval", {Mint: int(mint), Maxt: int(maxt)}),
      ),
      RequestID: requestId,
    };
    return new GoStruct("metadata.DeletionRequest", fields);
  });
  const fields = {
    Sources: sources.map(ulidValue),
    DeletionsApplied: deletions,
    RelabelsApplied: relabelsApplied.map(jsonValue),
  };
  return new GoStruct("metadata.Rewrite", fields);
}

/** Fields, and methods that are not printed with them. */
function withMethods(
  type: string,
  fields: Readonly<Record<string, Value>>,
  methods: Readonly<Record<string, Value>>,
): Value {
  return new GoStruct(type, {...fields, ...methods}, new GoStruct(type, fields).text);
}

const ulidValue = (ulid: string): Value =>
  new GoStruct("ulid.ULID", {String: ulid, Time: int(ulidTime(ulid)), Timestamp: new GoTime(ulidTime(ulid))}, ulid);

const int = (n: number): bigint => BigInt(Math.trunc(n));

/** What Go makes of any JSON. */
function jsonValue(value: unknown): Value {
  if (value === null || value === undefined) return undefined;
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(jsonValue);
  return new GoMap(new Map(Object.entries(value).map(([name, item]) => [name, jsonValue(item)])), true);
}
