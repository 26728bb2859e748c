import {StrataError} from "@strata/base";

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
  readonly hash?: {readonly hashFunc: string; readonly value: string} | undefined;
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
  /** Kept as read: objects in the JSON form of the format page. */
  readonly rewrites: readonly unknown[];
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

/** Go's zero time, which stands for "not set". */
export const ZERO_TIME = "0001-01-01T00:00:00Z";

export const NO_STATS: BlockStats = {
  numSamples: 0,
  numFloatSamples: 0,
  numHistogramSamples: 0,
  numSeries: 0,
  numChunks: 0,
  numTombstones: 0,
};

export const NO_THANOS: ThanosMeta = {
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

/**
 * Reads a meta.json. `file` names it in messages. Throws `corrupt` for what is not JSON of that shape, and `internal`
 * for a version other than 1: that block is not damaged, only from a future this program does not know.
 */
export function parseBlockMeta(text: string, file: string): BlockMeta {
  const read = new JsonReader(file);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new StrataError("corrupt", `cannot read ${file}: ${(cause as Error).message}`, {cause, fields: {file}});
  }
  const top = read.object(json, "it");
  const version = read.int(top, "version");
  if (version !== 1) throw new StrataError("internal", `cannot read ${file}: unexpected meta file version ${version}`);
  const stats = read.object(top.stats ?? {}, "stats");
  const compaction = read.object(top.compaction ?? {}, "compaction");
  return {
    ulid: read.text(top, "ulid"),
    minTime: read.int(top, "minTime"),
    maxTime: read.int(top, "maxTime"),
    stats: {
      numSamples: read.int(stats, "numSamples"),
      numFloatSamples: read.int(stats, "numFloatSamples"),
      numHistogramSamples: read.int(stats, "numHistogramSamples"),
      numSeries: read.int(stats, "numSeries"),
      numChunks: read.int(stats, "numChunks"),
      numTombstones: read.int(stats, "numTombstones"),
    },
    compaction: {
      level: read.int(compaction, "level"),
      sources: read.texts(compaction, "sources"),
      deletable: read.flag(compaction, "deletable"),
      parents: read.list(compaction, "parents").map((entry) => {
        const parent = read.object(entry, "parent");
        return {
          ulid: read.text(parent, "ulid"),
          minTime: read.int(parent, "minTime"),
          maxTime: read.int(parent, "maxTime"),
        };
      }),
      failed: read.flag(compaction, "failed"),
      hints: read.texts(compaction, "hints"),
    },
    version,
    thanos: top.thanos === undefined || top.thanos === null ? undefined : parseThanos(read, top.thanos),
  };
}

function parseThanos(read: JsonReader, json: unknown): ThanosMeta {
  const thanos = read.object(json, "thanos");
  const downsample = read.object(thanos.downsample ?? {}, "downsample");
  const stats = read.object(thanos.index_stats ?? {}, "index_stats");
  const labels = read.object(thanos.labels ?? {}, "labels");
  return {
    version: read.int(thanos, "version"),
    labels: Object.fromEntries(Object.keys(labels).map((name) => [name, read.text(labels, name)])),
    resolution: read.int(downsample, "resolution"),
    source: read.text(thanos, "source"),
    segmentFiles: read.texts(thanos, "segment_files"),
    files: read.list(thanos, "files").map((entry) => {
      const file = read.object(entry, "file");
      const hash = file.hash === undefined || file.hash === null ? undefined : read.object(file.hash, "hash");
      return {
        relPath: read.text(file, "rel_path"),
        sizeBytes: read.int(file, "size_bytes"),
        hash: hash && {hashFunc: read.text(hash, "hashFunc"), value: read.text(hash, "value")},
      };
    }),
    rewrites: read.list(thanos, "rewrites"),
    seriesMaxSize: read.int(stats, "series_max_size"),
    chunkMaxSize: read.int(stats, "chunk_max_size"),
    extensions: thanos.extensions ?? undefined,
    uploadTime: read.text(thanos, "upload_time") || ZERO_TIME,
  };
}

/**
 * The bytes of meta.json as Go writes them: one tab a level, empty fields left out, HTML characters escaped; a newline
 * at the end when there is a thanos section, as Thanos writes it, and none otherwise, as Prometheus does.
 */
export function formatBlockMeta(meta: BlockMeta): string {
  const {stats, compaction, thanos} = meta;
  const ordered = {
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
    thanos: thanos && orderedThanos(thanos),
  };
  return goEscape(JSON.stringify(ordered, null, "\t")) + (thanos === undefined ? "" : "\n");
}

function orderedThanos(thanos: ThanosMeta): object {
  return {
    version: some(thanos.version),
    labels: sortedKeys(thanos.labels),
    downsample: {resolution: thanos.resolution},
    source: thanos.source,
    segment_files: any(thanos.segmentFiles),
    files: any(
      thanos.files.map((f) => ({
        rel_path: f.relPath,
        size_bytes: some(f.sizeBytes),
        hash: f.hash && {hashFunc: f.hash.hashFunc, value: f.hash.value},
      })),
    ),
    rewrites: any(thanos.rewrites),
    index_stats: {series_max_size: some(thanos.seriesMaxSize), chunk_max_size: some(thanos.chunkMaxSize)},
    extensions: sortedKeys(thanos.extensions),
    upload_time: thanos.uploadTime,
  };
}

const some = (n: number): number | undefined => (n === 0 ? undefined : n);
const any = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

/**
 * Compat: Go prints map keys sorted by bytes. JavaScript would put keys that look like integers first whatever their
 * place here; a Map would not help JSON.stringify, and no label name looks like one.
 */
function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sortedKeys(inner)]));
}

/** What Go's encoder escapes and JSON.stringify does not. */
export function goEscape(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Takes fields out of parsed JSON with their types checked; a missing one or null is the type's zero, as in Go. */
class JsonReader {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  object(value: unknown, what: string): Record<string, unknown> {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw this.#wrong(what, "an object");
  }

  int(from: Record<string, unknown>, key: string): number {
    const value = from[key] ?? 0;
    if (typeof value === "number" && Number.isInteger(value)) return value;
    throw this.#wrong(key, "an integer");
  }

  text(from: Record<string, unknown>, key: string): string {
    const value = from[key] ?? "";
    if (typeof value === "string") return value;
    throw this.#wrong(key, "a string");
  }

  flag(from: Record<string, unknown>, key: string): boolean {
    const value = from[key] ?? false;
    if (typeof value === "boolean") return value;
    throw this.#wrong(key, "a boolean");
  }

  list(from: Record<string, unknown>, key: string): readonly unknown[] {
    const value = from[key] ?? [];
    if (Array.isArray(value)) return value as readonly unknown[];
    throw this.#wrong(key, "a list");
  }

  texts(from: Record<string, unknown>, key: string): readonly string[] {
    return this.list(from, key).map((value) => {
      if (typeof value === "string") return value;
      throw this.#wrong(key, "a list of strings");
    });
  }

  #wrong(what: string, want: string): StrataError {
    return new StrataError("corrupt", `cannot read ${this.#file}: ${what} is not ${want}`, {
      fields: {file: this.#file},
    });
  }
}
