import {errorText, StrataError, withContext} from "@strata/base";
import {type Bucket, isNotFound, readObject, uploadBytes} from "@strata/objstore";
import type {Logger} from "@strata/telemetry";
import {DELETION_MARK_FILE, NO_COMPACT_MARK_FILE, NO_DOWNSAMPLE_MARK_FILE} from "./block-files.ts";

/** What a marker asks for: a block's deletion, or that it be left out of compaction or downsampling. */
export type MarkKind = "deletion" | "no-compact" | "no-downsample";

/** A small JSON object beside a block that changes its fate without touching it. */
export type Mark = {
  readonly ulid: string;
  /** Unix seconds. */
  readonly time: number;
  readonly details: string;
  /** "" for deletion marks. */
  readonly reason: string;
};

const MARKS: Readonly<Record<MarkKind, {readonly file: string; readonly timeField: string}>> = {
  deletion: {file: DELETION_MARK_FILE, timeField: "deletion_time"},
  "no-compact": {file: NO_COMPACT_MARK_FILE, timeField: "no_compact_time"},
  "no-downsample": {file: NO_DOWNSAMPLE_MARK_FILE, timeField: "no_downsample_time"},
};

const MARK_VERSION = 1;

/** Real ones have some 150 bytes. */
const MAX_MARK_BYTES = 64 * 1024;

/**
 * The mark of that kind on a block, or undefined. Compat: one that cannot be parsed counts as none, with a warning; a
 * version other than 1 throws, because ignoring a mark from the future could delete or keep what it must not.
 */
export async function readMark(
  bucket: Bucket,
  ulid: string,
  kind: MarkKind,
  logger: Logger,
  signal: AbortSignal,
): Promise<Mark | undefined> {
  const {file, timeField} = MARKS[kind];
  const key = `${ulid}/${file}`;
  let text: string;
  try {
    text = Buffer.from(await readObject(bucket, key, MAX_MARK_BYTES, signal)).toString("utf8");
  } catch (err) {
    if (isNotFound(err)) return undefined;
    throw withContext(err, `cannot read ${key}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (err) {
    logger.warn("marker is not JSON, ignoring it", {object: key, err: errorText(err)});
    return undefined;
  }
  const fields = (typeof json === "object" && json !== null ? json : {}) as Record<string, unknown>;
  if (fields.version !== MARK_VERSION) {
    throw new StrataError("internal", `cannot read ${key}: unexpected version ${String(fields.version)}`);
  }
  const time = fields[timeField];
  if (typeof time !== "number") {
    logger.warn("marker has no time, ignoring it", {object: key});
    return undefined;
  }
  return {ulid, time, details: textOr(fields.details), reason: textOr(fields.reason)};
}

/**
 * Marks a block. An object that is there already is kept, with a warning: the older mark has the older time. True when
 * the mark was written.
 */
export async function writeMark(
  bucket: Bucket,
  kind: MarkKind,
  mark: Mark,
  logger: Logger,
  signal: AbortSignal,
): Promise<boolean> {
  const key = `${mark.ulid}/${MARKS[kind].file}`;
  if (await bucket.exists(key, signal)) {
    logger.warn("block is marked already", {object: key});
    return false;
  }
  await uploadBytes(bucket, key, Buffer.from(encodeMark(kind, mark)), signal);
  return true;
}

/** Takes a mark off a block. That there is none is only a warning. */
export async function removeMark(
  bucket: Bucket,
  ulid: string,
  kind: MarkKind,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const key = `${ulid}/${MARKS[kind].file}`;
  try {
    await bucket.delete(key, signal);
  } catch (err) {
    if (!isNotFound(err)) throw err;
    logger.warn("there is no such mark to remove", {object: key});
    return;
  }
  logger.info("mark has been removed from the block", {object: key});
}

/** The bytes of a marker as the original writes them: no spaces, no newline. */
export function encodeMark(kind: MarkKind, mark: Mark): string {
  const fields: Record<string, unknown> = {id: mark.ulid, version: MARK_VERSION};
  if (mark.details !== "") fields.details = mark.details;
  fields[MARKS[kind].timeField] = mark.time;
  if (kind !== "deletion") fields.reason = mark.reason;
  // Compat: Go's encoder escapes what could end a script element, and two line separators.
  return JSON.stringify(fields).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

const textOr = (value: unknown): string => (typeof value === "string" ? value : "");
