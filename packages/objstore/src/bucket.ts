/** What a listing says of one object or, with a trailing "/", of a folder. */
export type ObjectEntry = {
  /** The full key from the bucket's root; a folder ends in "/". */
  readonly name: string;
  /** Only in recursive listings. */
  readonly size?: number | undefined;
  readonly lastModified?: Date | undefined;
};

export type ObjectAttributes = {readonly size: number; readonly lastModified: Date};

/** Whole objects to and from local files without passing through this process; as `get` and `upload` in all else. */
export type FileCopies = {
  /** Writes the object into a new file, which takes the place of one that is there; gives its bytes. */
  copyOut(key: string, path: string, options: CopyOptions, signal: AbortSignal): Promise<number>;
  copyIn(key: string, path: string, options: CopyOptions, signal: AbortSignal): Promise<number>;
  /** Whether the object and the file are one file on disk, so that there is nothing to compare. */
  isShared(key: string, path: string, signal: AbortSignal): Promise<boolean>;
};

export type CopyOptions = {
  /**
   * The caller never writes into the local file (any more), so that object and file may be one file on disk where both
   * are on one file system. An uploaded object then keeps the file's time of writing.
   */
  readonly shared?: boolean | undefined;
};

/**
 * Object storage. Keys are "/"-separated and relative; every method rejects keys that are absolute or hold empty, "."
 * or ".." parts (`bad_data`). A missing object is `not_found`; trouble a retry may mend is `unavailable`; an aborted
 * signal is `canceled`. Nothing ever sits in memory whole: both directions stream.
 */
export interface Bucket {
  /** For logs and metrics: provider and bucket name, no credentials. */
  readonly name: string;
  readonly provider: string;
  /** Entries below `dir` ("" for the root): one level, or all objects below with `recursive`. In key order. */
  list(dir: string, options: {recursive?: boolean | undefined}, signal: AbortSignal): AsyncIterable<ObjectEntry>;
  get(key: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** Bytes [offset, offset + length), cut at the object's end. */
  getRange(key: string, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array>;
  exists(key: string, signal: AbortSignal): Promise<boolean>;
  attributes(key: string, signal: AbortSignal): Promise<ObjectAttributes>;
  /** Writes the whole object or nothing visible. Overwrites. */
  upload(key: string, body: AsyncIterable<Uint8Array>, size: number | undefined, signal: AbortSignal): Promise<void>;
  /** Deleting what is not there is `not_found`. */
  delete(key: string, signal: AbortSignal): Promise<void>;
  /** Only of buckets on this machine. */
  readonly files?: FileCopies | undefined;
  close(): Promise<void>;
}
