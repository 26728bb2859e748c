import {StrataError} from "@strata/base";
import {formatRfc3339, parseUlid} from "@strata/model";
import {type BlockMeta, encodeBlockMeta, ZERO_TIME} from "@strata/tsdb/blocks";
import type {BlocksPlan} from "./blocks-plan.ts";
import type {Api} from "./envelope.ts";

/** What the page of blocks shows. */
export type BlocksView = {
  readonly blocks: readonly BlockMeta[];
  /** ms; undefined before the first look at the bucket. */
  readonly refreshedAt: number | undefined;
  /** Text of what went wrong at the last look. */
  readonly error: string | undefined;
};

/** The kinds of marks that people set. */
export type ManualMark = "deletion" | "no-compact";

export type BlockMarks = {
  /** `details` are free text. */
  add(ulid: string, kind: ManualMark, details: string): Promise<void>;
  /** That there is none is no error. */
  remove(ulid: string, kind: ManualMark): Promise<void>;
};

export type BlocksApiOptions = {
  /** External label by which the page groups blocks (`--bucket-web-label`). */
  readonly label: string;
  /** Blocks that are served; a component without them leaves it out, and its view is empty. */
  readonly loaded?: (() => BlocksView) | undefined;
  /** All blocks of the bucket, likewise. */
  readonly global?: (() => BlocksView) | undefined;
  /** Left out where marking is not allowed. */
  readonly marks?: BlockMarks | undefined;
  /** Strata only: what will be done with the blocks; left out where nothing is. Undefined before the first look. */
  readonly plan?: (() => BlocksPlan | undefined) | undefined;
};

const NOTHING: BlocksView = {blocks: [], refreshedAt: undefined, error: undefined};

/** Of a plan before the first look at the bucket. */
const NO_PLAN = {settings: null, groups: [], deletions: [], marks: []};

/**
 * Adds what the page of blocks needs:
 * - `GET /api/v1/blocks?view=global|loaded`: `{label, blocks, refreshedAt, err}`, blocks as in their meta.json;
 * - `POST /api/v1/blocks/mark?id&action&detail`: 204; `action` is `DELETION` or `NO_COMPACTION`;
 * - `POST /api/v1/blocks/unmark?id&action`: 204, Strata's own; not there where marking is not allowed;
 * - `GET /api/v1/blocks/plan`: a `BlocksPlan` with `refreshedAt` and `err` as above, `settings` null before the first
 *   look at the bucket; not found where nobody compacts.
 */
export function addBlocksRoutes(api: Api, options: BlocksApiOptions): void {
  api.add(["GET"], "/blocks", "blocks", async (request) => {
    const view = (await request.form()).get("view");
    const {blocks, refreshedAt, error} = (view === "loaded" ? options.loaded : options.global)?.() ?? NOTHING;
    return {
      data: {
        label: options.label,
        blocks: blocks.map((meta) => JSON.parse(encodeBlockMeta(meta)) as unknown),
        ...freshness(refreshedAt, error),
      },
    };
  });
  const {plan, marks} = options;
  if (plan !== undefined) {
    api.add(["GET"], "/blocks/plan", "blocks_plan", () => {
      const {refreshedAt, error} = options.global?.() ?? NOTHING;
      return {data: {...(plan() ?? NO_PLAN), ...freshness(refreshedAt, error)}};
    });
  }
  api.add(["POST"], "/blocks/mark", "blocks_mark", async (request) => {
    if (marks === undefined) throw new StrataError("bad_data", "Admin operations are disabled");
    const form = await request.form();
    const {ulid, kind} = markOf(form);
    await marks.add(ulid, kind, form.get("detail") ?? "");
    return {};
  });
  if (marks !== undefined) {
    api.add(["POST"], "/blocks/unmark", "blocks_unmark", async (request) => {
      const {ulid, kind} = markOf(await request.form());
      await marks.remove(ulid, kind);
      return {};
    });
  }
}

/** The block and the mark that a request is about. Compat: the original's texts. */
function markOf(form: URLSearchParams): {ulid: string; kind: ManualMark} {
  const id = form.get("id") ?? "";
  const action = form.get("action") ?? "";
  if (id === "") throw new StrataError("bad_data", "ID cannot be empty");
  if (action === "") throw new StrataError("bad_data", "Action cannot be empty");
  const ulid = parseUlid(id);
  if (ulid === undefined) {
    const what = id.length === 26 ? "characters" : "size";
    throw new StrataError(
      "bad_data",
      `ULID ${JSON.stringify(id)} is not valid: ulid: bad data ${what} when unmarshaling`,
    );
  }
  const kind = action === "DELETION" ? "deletion" : action === "NO_COMPACTION" ? "no-compact" : undefined;
  if (kind === undefined) throw new StrataError("bad_data", `not supported marker ${action}`);
  return {ulid, kind};
}

const freshness = (refreshedAt: number | undefined, error: string | undefined) => ({
  refreshedAt: refreshedAt === undefined ? ZERO_TIME : formatRfc3339(refreshedAt),
  err: error ?? null,
});
