import {StrataError, withContext} from "@strata/base";
import type {Matcher} from "@strata/model";
import {parseSelector} from "@strata/promql";
import type {BlockRewrite, Interval} from "@strata/tsdb";
import {parse} from "yaml";

/** Series to delete: all that every matcher accepts, wholly or within some time ranges. */
export type DeletionRequest = {
  readonly matchers: readonly Matcher[];
  /** ms, both inclusive; none means all of the series. */
  readonly intervals: readonly Interval[];
  readonly requestId: string;
};

const FIELDS = ["matchers", "intervals", "request_id"];

/**
 * Reads `--rewrite.to-delete-config`: a YAML list of `{matchers: '{…}', intervals: [{mint, maxt}], request_id}`. Throws
 * `bad_data` that names the entry.
 */
export function parseDeletionRequests(text: string): DeletionRequest[] {
  const document: unknown = parse(text);
  if (document === null || document === undefined) return [];
  if (!Array.isArray(document)) throw bad("deletion requests must be a list");
  return document.map((entry: unknown, i) => request(entry, `deletion request ${i}`));
}

function request(entry: unknown, where: string): DeletionRequest {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) throw bad(`${where} must be a mapping`);
  const fields = entry as Record<string, unknown>;
  const unknown = Object.keys(fields).find((key) => !FIELDS.includes(key));
  if (unknown !== undefined) throw bad(`${where}: field ${unknown} not found`);
  const {matchers, intervals = [], request_id: requestId = ""} = fields;
  if (typeof matchers !== "string") throw bad(`${where}: matchers must be a selector in quotes, such as '{job="x"}'`);
  if (!Array.isArray(intervals)) throw bad(`${where}: intervals must be a list of {mint, maxt}`);
  return {
    matchers: selector(matchers, where),
    intervals: intervals.map((item: unknown) => interval(item, where)),
    requestId: String(requestId),
  };
}

function selector(text: string, where: string): readonly Matcher[] {
  try {
    return parseSelector(text);
  } catch (err) {
    throw withContext(err, `${where}: cannot use matchers ${text}`);
  }
}

function interval(item: unknown, where: string): Interval {
  const {mint, maxt} = (item ?? {}) as {mint?: unknown; maxt?: unknown};
  if (!Number.isSafeInteger(mint) || !Number.isSafeInteger(maxt)) {
    throw bad(`${where}: an interval has mint and maxt in ms, both whole numbers`);
  }
  if ((mint as number) > (maxt as number)) throw bad(`${where}: interval begins at ${mint}, behind its end ${maxt}`);
  return {mint: mint as number, maxt: maxt as number};
}

const bad = (message: string): StrataError => new StrataError("bad_data", message);

/** Numbers of the matcher kinds in meta.json, those of the StoreAPI. */
const TYPES = {"=": 0, "!=": 1, "=~": 2, "!~": 3} as const;

/** The requests as meta.json keeps them. */
export const deletionsApplied = (requests: readonly DeletionRequest[]): BlockRewrite["deletionsApplied"] =>
  requests.map(({matchers, intervals, requestId}) => ({
    matchers: matchers.map(({name, op, value}) => ({type: TYPES[op], name, value})),
    intervals,
    requestId,
  }));
