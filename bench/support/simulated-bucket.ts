import assert from "node:assert/strict";
import {readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {StrataError} from "@strata/base";
import {newUlid, ulidTime} from "@strata/model";
import type {Bucket, ObjectEntry} from "@strata/objstore";
import {encodeBlockMeta, parseBlockMeta} from "@strata/tsdb";
import {FLEET_END} from "./fleet.ts";

const BLOCK_MS = 2 * 3_600_000;

/** `count` blocks of two hours, one after the other, that all have the index of the one in `from`; nothing else is kept. */
export class SimulatedBucket implements Bucket {
  readonly name = "simulated";
  readonly provider = "SIMULATED";
  readonly #index: Uint8Array;
  readonly #meta: ReturnType<typeof parseBlockMeta>;
  readonly #ulids: readonly string[];

  constructor(from: string, count: number) {
    const [block] = readdirSync(from);
    assert.ok(block !== undefined);
    this.#index = readFileSync(join(from, block, "index"));
    this.#meta = parseBlockMeta(readFileSync(join(from, block, "meta.json"), "utf8"), block);
    const first = FLEET_END - count * BLOCK_MS;
    this.#ulids = Array.from({length: count}, (_, b) => newUlid(first + b * BLOCK_MS, new Uint8Array(10)));
  }

  async *list(): AsyncGenerator<ObjectEntry> {
    for (const ulid of this.#ulids) yield {name: `${ulid}/`};
  }

  #object(key: string): Uint8Array {
    const [ulid = "", file] = key.split("/");
    if (file === "index") return this.#index;
    if (file !== "meta.json") throw new StrataError("not_found", `no ${key}`);
    const minTime = ulidTime(ulid);
    const compaction = {...this.#meta.compaction, sources: [ulid]};
    return Buffer.from(encodeBlockMeta({...this.#meta, ulid, minTime, maxTime: minTime + BLOCK_MS, compaction}));
  }

  async get(key: string): Promise<ReadableStream<Uint8Array>> {
    return new Response(Buffer.from(this.#object(key))).body as ReadableStream<Uint8Array>;
  }

  async getRange(key: string, offset: number, length: number): Promise<Uint8Array> {
    return this.#object(key).slice(offset, offset + length);
  }

  async exists(key: string): Promise<boolean> {
    return key.endsWith("/meta.json");
  }

  async attributes(key: string): Promise<{size: number; lastModified: Date}> {
    return {size: this.#object(key).length, lastModified: new Date(0)};
  }

  async upload(): Promise<void> {
    throw new StrataError("internal", "a simulated bucket is not written");
  }

  delete(): Promise<void> {
    return this.upload();
  }

  async close(): Promise<void> {}
}
