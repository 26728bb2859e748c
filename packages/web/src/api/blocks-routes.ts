import {StrataError} from "@strata/base";
import {formatRfc3339, parseUlid} from "@strata/model";
import {type BlockMeta, encodeBlockMeta, ZERO_TIME} from "@strata/tsdb";
import type {Api} from "./envelope.ts";

/** What the page of blocks shows. */
export type BlocksView = {
  readonly blocks: readonly BlockMeta[];
  /** ms; undefined before the first look at the bucket. */
  readonly refreshedAt: number | undefined;
  /** Text of what went wrong at the last look. */
  readonly error: string | undefined;
};

export type BlocksApiOptions = {
  /** External label by which the page groups blocks (`--bucket-web-label`). */
  readonly label: string;
  /** Blocks that are served; a component without them leaves it out, and its view is empty. */
  readonly loaded?: (() => BlocksView) | undefined;
  /** All blocks of the bucket, likewise. */
  readonly global?: (() => BlocksView) | undefined;
  /** Marks a block; left out where marking is not allowed. `details` are free text. */
  readonly mark?: ((ulid: string, kind: "deletion" | "no-compact", details: string) => Promise<void>) | undefined;
};

const NOTHING: BlocksView = {blocks: [], refreshedAt: undefined, error: undefined};

/** Adds `/api/v1/blocks` and `/api/v1/blocks/mark`. */
export function addBlocksRoutes(api: Api, options: BlocksApiOptions): void {
  api.add(["GET"], "/blocks", "blocks", async (request) => {
    const view = (await request.form()).get("view");
    const {blocks, refreshedAt, error} = (view === "loaded" ? options.loaded : options.global)?.() ?? NOTHING;
    return {
      data: {
        label: options.label,
        blocks: blocks.map((meta) => JSON.parse(encodeBlockMeta(meta)) as unknown),
        refreshedAt: refreshedAt === undefined ? ZERO_TIME : formatRfc3339(refreshedAt),
        err: error ?? null,
      },
    };
  });
  api.add(["POST"], "/blocks/mark", "blocks_mark", async (request) => {
    if (options.mark === undefined) throw new StrataError("bad_data", "Admin operations are disabled");
    const form = await request.form();
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
    await options.mark(ulid, kind, form.get("detail") ?? "");
    return {};
  });
}
