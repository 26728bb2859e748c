import assert from "node:assert/strict";
import {test} from "node:test";
import {type BlockMeta, EMPTY_STATS, EMPTY_THANOS_META} from "@strata/tsdb";
import {addBlocksRoutes, type BlocksApiOptions} from "./blocks-routes.ts";
import type {Api, ApiHandler} from "./envelope.ts";

const ULID = "01HZGFK1803G62GEQRS5QXBBD5";

/** Calls a route of the API with the given parameters. */
function routes(options: BlocksApiOptions) {
  const handlers = new Map<string, ApiHandler>();
  const api = {add: (_: unknown, path: string, __: string, handler: ApiHandler) => void handlers.set(path, handler)};
  addBlocksRoutes(api as unknown as Api, options);
  return async (path: string, params: string) => {
    const request = {form: async () => new URLSearchParams(params)};
    return handlers.get(path)?.(request as Parameters<ApiHandler>[0]);
  };
}

test("the loaded view has the metas as they are in the bucket; what a component lacks is empty", async () => {
  const meta: BlockMeta = {
    ulid: ULID,
    minTime: 0,
    maxTime: 7_200_000,
    stats: EMPTY_STATS,
    compaction: {level: 1, sources: [ULID], deletable: false, parents: [], failed: false, hints: []},
    version: 1,
    thanos: {...EMPTY_THANOS_META, labels: {cluster: "a"}},
  };
  const call = routes({label: "cluster", loaded: () => ({blocks: [meta], refreshedAt: 5000, error: "oops"})});
  const answer = await call("/blocks", "view=loaded");
  const data = answer?.data as {blocks: {ulid: string; thanos: {labels: unknown}}[]};
  assert.deepEqual(
    {...data, blocks: undefined},
    {label: "cluster", refreshedAt: "1970-01-01T00:00:05Z", err: "oops", blocks: undefined},
  );
  assert.equal(data.blocks[0]?.ulid, ULID);
  assert.deepEqual(data.blocks[0]?.thanos.labels, {cluster: "a"});
  const empty = {label: "cluster", blocks: [], refreshedAt: "0001-01-01T00:00:00Z", err: null};
  assert.deepEqual((await call("/blocks", ""))?.data, empty);
  assert.deepEqual((await call("/blocks", "view=global"))?.data, empty);
});

test("marking checks its parameters and passes them on", async () => {
  const marked: string[] = [];
  const call = routes({
    label: "",
    marks: {
      add: async (...args) => void marked.push(args.join(" ")),
      remove: async (...args) => void marked.push(`no ${args.join(" ")}`),
    },
  });
  await call("/blocks/mark", `id=${ULID}&action=DELETION&detail=old`);
  await call("/blocks/mark", `id=${ULID}&action=NO_COMPACTION`);
  await call("/blocks/unmark", `id=${ULID}&action=DELETION`);
  assert.deepEqual(marked, [`${ULID} deletion old`, `${ULID} no-compact `, `no ${ULID} deletion`]);
  const f = async (params: string, text: string) =>
    assert.rejects(call("/blocks/mark", params), (err: Error) => err.message === text, params);
  await f("action=DELETION", "ID cannot be empty");
  await f(`id=${ULID}`, "Action cannot be empty");
  await f("id=x&action=DELETION", 'ULID "x" is not valid: ulid: bad data size when unmarshaling');
  await f(`id=${ULID}&action=BURN`, "not supported marker BURN");
  const off = routes({label: ""});
  await assert.rejects(off("/blocks/mark", `id=${ULID}&action=DELETION`), /Admin operations are disabled/);
  assert.equal(await off("/blocks/unmark", `id=${ULID}&action=DELETION`), undefined);
});
