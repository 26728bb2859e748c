import {parseUlid} from "@strata/model";
import {freeJson, type GoJson, goJson} from "./go-json.ts";
import {JsonFields} from "./json-fields.ts";

/** Where a block came from, as its meta.json says. Others may appear; these are the ones Thanos writes. */
export type BlockSource =
  | ""
  | "sidecar"
  | "receive"
  | "compactor"
  | "compactor.repair"
  | "ruler"
  | "bucket.repair"
  | "bucket.rewrite"
  | "bucket.upload"
  | "test";

/** Counts of a block; those left out are 0. */
export type BlockStats = {
  readonly numSamples: number;
  readonly numFloatSamples: number;
  readonly numHistogramSamples: number;
  readonly numSeries: number;
  readonly numChunks: number;
  readonly numTombstones: number;
};

/** minTime inclusive, maxTime exclusive, ms. */
export type BlockDesc = {readonly ulid: string; readonly minTime: number; readonly maxTime: number};

export type BlockCompaction = {
  readonly level: number;
  /** ULIDs of the level 1 blocks in it, sorted. */
  readonly sources: readonly string[];
  readonly deletable: boolean;
  readonly parents: readonly BlockDesc[];
  readonly failed: boolean;
  readonly hints: readonly string[];
};

export type BlockFile = {
  readonly relPath: string;
  /** Bytes; 0 for meta.json, whose size is not known when it is written. */
  readonly sizeBytes: number;
  readonly hash?: {readonly func: string; readonly value: string} | undefined;
};

/** One rewriting that a block went through; relabel rules are kept in the form of their configuration. */
export type BlockRewrite = {
  readonly sources: readonly string[];
  readonly deletionsApplied: readonly {
    /** Type numbers are those of the StoreAPI: =, !=, =~, !~. */
    readonly matchers: readonly {readonly type: number; readonly name: string; readonly value: string}[];
    /** ms, both inclusive. */
    readonly intervals: readonly {readonly mint: number; readonly maxt: number}[];
    readonly requestId: string;
  }[];
  readonly relabelsApplied: readonly unknown[];
};

export type ThanosMeta = {
  /** 1 when left out. */
  readonly version: number;
  readonly labels: Readonly<Record<string, string>>;
  /** ms; 0 for raw data. */
  readonly resolution: number;
  readonly source: string;
  readonly segmentFiles: readonly string[];
  readonly files: readonly BlockFile[];
  readonly rewrites: readonly BlockRewrite[];
  /** Bytes; 0 when unknown. */
  readonly seriesMaxSize: number;
  readonly chunkMaxSize: number;
  readonly extensions: unknown;
  /** RFC 3339 with nanoseconds, UTC; ZERO_TIME when never uploaded. */
  readonly uploadTime: string;
};

/** The self-description of a block, meta.json. Half open in time: minTime <= t < maxTime, ms. */
export type BlockMeta = {
  readonly ulid: string;
  readonly minTime: number;
  readonly maxTime: number;
  readonly stats: BlockStats;
  readonly compaction: BlockCompaction;
  readonly version: number;
  readonly thanos?: ThanosMeta | undefined;
};

/** In `hints`: the block was made of samples that came out of order. */
export const HINT_OUT_OF_ORDER = "from-out-of-order";
/** Hints of blocks that do not hold all that a head had of their times: others of its samples are still in the log. */
const PARTIAL_HINTS: readonly string[] = [HINT_OUT_OF_ORDER, "from-stale-series", "from-selected-series"];

/** Go's zero time, which stands for "not set". */
export const ZERO_TIME = "0001-01-01T00:00:00Z";

export const EMPTY_STATS: BlockStats = {
  numSamples: 0,
  numFloatSamples: 0,
  numHistogramSamples: 0,
  numSeries: 0,
  numChunks: 0,
  numTombstones: 0,
};

export const EMPTY_THANOS_META: ThanosMeta = {
  version: 0,
  labels: {},
  resolution: 0,
  source: "",
  segmentFiles: [],
  files: [],
  rewrites: [],
  seriesMaxSize: 0,
  chunkMaxSize: 0,
  extensions: undefined,
  uploadTime: ZERO_TIME,
};

/** Values of `fields.class` of the errors here. */
const INVALID_JSON = "meta-invalid-json";
const BAD_VERSION = "meta-bad-version";
const BAD_THANOS_VERSION = "meta-bad-thanos-version";

/**
 * Reads a meta.json; `file` names it in messages. Unknown fields are ignored. `tsdbOnly` leaves the thanos section
 * unread, as Prometheus does. Throws `corrupt` with the class of damage in `fields.class`.
 */
export function parseBlockMeta(text: string, file: string, options: {tsdbOnly?: boolean | undefined} = {}): BlockMeta {
  const top = JsonFields.parse(text, file, INVALID_JSON);
  const version = top.integer("version");
  if (version !== 1) failVersion(text, file, BAD_VERSION, `unexpected meta file version ${version}`);
  const ulid = top.string("ulid");
  if (parseUlid(ulid) === undefined) top.fail(`ulid ${JSON.stringify(ulid)} is no ULID`);
  const stats = top.object("stats") ?? top.empty();
  const compaction = top.object("compaction") ?? top.empty();
  const thanos = options.tsdbOnly === true ? undefined : top.object("thanos");
  const thanosVersion = thanos?.integer("version") ?? 0;
  if (thanosVersion !== 0 && thanosVersion !== 1) {
    failVersion(text, file, BAD_THANOS_VERSION, `unexpected thanos section version ${thanosVersion}`);
  }
  return {
    ulid,
    minTime: top.integer("minTime"),
    maxTime: top.integer("maxTime"),
    stats: {
      numSamples: stats.integer("numSamples"),
      numFloatSamples: stats.integer("numFloatSamples"),
      numHistogramSamples: stats.integer("numHistogramSamples"),
      numSeries: stats.integer("numSeries"),
      numChunks: stats.integer("numChunks"),
      numTombstones: stats.integer("numTombstones"),
    },
    compaction: {
      level: compaction.integer("level"),
      sources: compaction.strings("sources"),
      deletable: compaction.boolean("deletable"),
      parents: compaction.objects("parents").map((parent) => ({
        ulid: parent.string("ulid"),
        minTime: parent.integer("minTime"),
        maxTime: parent.integer("maxTime"),
      })),
      failed: compaction.boolean("failed"),
      hints: compaction.strings("hints"),
    },
    version,
    thanos: thanos && parseThanos(thanos),
  };
}

function failVersion(text: string, file: string, errorClass: string, reason: string): never {
  return JsonFields.parse(text, file, errorClass).fail(reason);
}

function parseThanos(thanos: JsonFields): ThanosMeta {
  const indexStats = thanos.object("index_stats");
  return {
    version: thanos.integer("version"),
    labels: thanos.stringMap("labels"),
    resolution: thanos.object("downsample")?.integer("resolution") ?? 0,
    source: thanos.string("source"),
    segmentFiles: thanos.strings("segment_files"),
    files: thanos.objects("files").map((file) => {
      const hash = file.object("hash");
      return {
        relPath: file.string("rel_path"),
        sizeBytes: file.integer("size_bytes"),
        hash: hash && {func: hash.string("hashFunc"), value: hash.string("value")},
      };
    }),
    rewrites: thanos.objects("rewrites").map((rewrite) => ({
      sources: rewrite.strings("sources"),
      deletionsApplied: rewrite.objects("deletions_applied").map((deletion) => ({
        matchers: deletion.objects("matchers").map((matcher) => ({
          type: matcher.integer("Type"),
          name: matcher.string("Name"),
          value: matcher.string("Value"),
        })),
        intervals: deletion.objects("intervals").map((interval) => ({
          mint: interval.integer("Mint"),
          maxt: interval.integer("Maxt"),
        })),
        requestId: deletion.string("request_id"),
      })),
      relabelsApplied: rewrite.array("relabels_applied"),
    })),
    seriesMaxSize: indexStats?.integer("series_max_size") ?? 0,
    chunkMaxSize: indexStats?.integer("chunk_max_size") ?? 0,
    extensions: thanos.raw("extensions"),
    uploadTime: thanos.string("upload_time") || ZERO_TIME,
  };
}

/**
 * The bytes of meta.json as Go writes them: one tab a level, empty fields left out; a newline at the end when there is
 * a thanos section, as Thanos writes it, and none otherwise, as Prometheus does.
 */
export function encodeBlockMeta(meta: BlockMeta): string {
  const {stats, compaction, thanos} = meta;
  const text = goJson({
    ulid: meta.ulid,
    minTime: meta.minTime,
    maxTime: meta.maxTime,
    stats: {
      numSamples: some(stats.numSamples),
      numFloatSamples: some(stats.numFloatSamples),
      numHistogramSamples: some(stats.numHistogramSamples),
      numSeries: some(stats.numSeries),
      numChunks: some(stats.numChunks),
      numTombstones: some(stats.numTombstones),
    },
    compaction: {
      level: compaction.level,
      sources: any(compaction.sources),
      deletable: compaction.deletable || undefined,
      parents: any(compaction.parents.map((p) => ({ulid: p.ulid, minTime: p.minTime, maxTime: p.maxTime}))),
      failed: compaction.failed || undefined,
      hints: any(compaction.hints),
    },
    version: meta.version,
    thanos: thanos && thanosJson(thanos),
  });
  return thanos === undefined ? text : `${text}\n`;
}

function thanosJson(thanos: ThanosMeta): GoJson {
  return {
    version: some(thanos.version),
    labels: new Map(Object.entries(thanos.labels)),
    downsample: {resolution: thanos.resolution},
    source: thanos.source,
    segment_files: any(thanos.segmentFiles),
    files: any(
      thanos.files.map((file) => ({
        rel_path: file.relPath,
        size_bytes: some(file.sizeBytes),
        hash: file.hash && {hashFunc: file.hash.func, value: file.hash.value},
      })),
    ),
    rewrites: any(thanos.rewrites.map(rewriteJson)),
    index_stats: {series_max_size: some(thanos.seriesMaxSize), chunk_max_size: some(thanos.chunkMaxSize)},
    extensions: thanos.extensions === undefined ? undefined : freeJson(thanos.extensions),
    upload_time: thanos.uploadTime,
  };
}

function rewriteJson(rewrite: BlockRewrite): GoJson {
  return {
    sources: any(rewrite.sources),
    deletions_applied: any(
      rewrite.deletionsApplied.map((deletion) => ({
        matchers: deletion.matchers.map((m) => ({Type: m.type, Name: m.name, Value: m.value})),
        intervals: any(deletion.intervals.map((i) => ({Mint: i.mint, Maxt: i.maxt}))),
        request_id: deletion.requestId === "" ? undefined : deletion.requestId,
      })),
    ),
    relabels_applied: any(rewrite.relabelsApplied as readonly GoJson[]),
  };
}

const some = (n: number): number | undefined => (n === 0 ? undefined : n);
const any = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

/**
 * Up to when (ms, exclusive) the blocks hold all that came in order; −∞ without any. What a head's log has of earlier times
 * is in them.
 */
export function inOrderEnd(blocks: Iterable<BlockMeta>): number {
  let end = Number.NEGATIVE_INFINITY;
  for (const {maxTime, compaction} of blocks) {
    if (!compaction.hints.some((hint) => PARTIAL_HINTS.includes(hint))) end = Math.max(end, maxTime);
  }
  return end;
}
