import assert from "node:assert/strict";
import {describe, test} from "node:test";
import {errorCode} from "@strata/base";
import type {Bucket, ObjectEntry} from "../bucket.ts";
import {readObject, uploadBytes} from "../object-io.ts";

const never = new AbortController().signal;
const bytes = (text: string) => new TextEncoder().encode(text);

/** The one suite that every provider and wrapper has to pass. `open` gives an empty bucket and its removal. */
export function bucketAcceptance(
  name: string,
  open: () => Promise<{bucket: Bucket; remove: () => Promise<void>}>,
): void {
  const withBucket = async (body: (bucket: Bucket) => Promise<void>) => {
    const {bucket, remove} = await open();
    try {
      await body(bucket);
    } finally {
      await bucket.close();
      await remove();
    }
  };
  const case_ = (title: string, body: (bucket: Bucket) => Promise<void>) => test(title, () => withBucket(body));

  describe(`bucket: ${name}`, () => {
    case_("an uploaded object is read back, with its size", async (bucket) => {
      await uploadBytes(bucket, "a/b/c.txt", bytes("hello"), never);
      assert.deepEqual(Buffer.from(await readObject(bucket, "a/b/c.txt", 100, never)).toString(), "hello");
      const attributes = await bucket.attributes("a/b/c.txt", never);
      assert.equal(attributes.size, 5);
      assert.ok(attributes.lastModified.getTime() > 0);
    });

    case_("an upload of many parts and unknown size streams", async (bucket) => {
      const part = new Uint8Array(300_000).fill(7);
      await bucket.upload("big", repeat(part, 20), undefined, never);
      assert.equal((await bucket.attributes("big", never)).size, 6_000_000);
      let size = 0;
      for await (const piece of await bucket.get("big", never)) size += piece.length;
      assert.equal(size, 6_000_000);
    });

    case_("a second upload replaces the object", async (bucket) => {
      await uploadBytes(bucket, "k", bytes("old and long"), never);
      await uploadBytes(bucket, "k", bytes("new"), never);
      assert.equal(Buffer.from(await readObject(bucket, "k", 100, never)).toString(), "new");
    });

    case_("a body that fails leaves the old object and nothing else", async (bucket) => {
      await uploadBytes(bucket, "k", bytes("old"), never);
      await assert.rejects(bucket.upload("k", failing(), undefined, never), /source broke/);
      await assert.rejects(bucket.upload("other", failing(), undefined, never), /source broke/);
      assert.equal(Buffer.from(await readObject(bucket, "k", 100, never)).toString(), "old");
      assert.deepEqual(await names(bucket, "", true), ["k"]);
    });

    case_("a body of another size than announced is refused", async (bucket) => {
      await rejects(bucket.upload("k", repeat(bytes("abc"), 1), 5, never), "bad_data");
      assert.equal(await bucket.exists("k", never), false);
    });

    case_("ranges are cut at the end of the object", async (bucket) => {
      await uploadBytes(bucket, "k", bytes("0123456789"), never);
      const range = async (offset: number, length: number) =>
        Buffer.from(await bucket.getRange("k", offset, length, never)).toString();
      assert.equal(await range(0, 4), "0123");
      assert.equal(await range(3, 4), "3456");
      assert.equal(await range(8, 100), "89");
      assert.equal(await range(10, 5), "");
      assert.equal(await range(50, 5), "");
      assert.equal(await range(2, 0), "");
    });

    case_("an empty object is an object", async (bucket) => {
      await uploadBytes(bucket, "d/empty", new Uint8Array(0), never);
      assert.equal(await bucket.exists("d/empty", never), true);
      assert.equal((await readObject(bucket, "d/empty", 10, never)).length, 0);
      assert.equal((await bucket.getRange("d/empty", 0, 10, never)).length, 0);
    });

    case_("what is not there is not_found, and does not exist", async (bucket) => {
      await uploadBytes(bucket, "dir/file", bytes("x"), never);
      for (const key of ["nothing", "dir", "dir/other", "dir/file/below"]) {
        assert.equal(await bucket.exists(key, never), false, key);
        await rejects(readObject(bucket, key, 10, never), "not_found");
        await rejects(bucket.getRange(key, 0, 1, never), "not_found");
        await rejects(bucket.delete(key, never), "not_found");
        if (key !== "dir") await rejects(bucket.attributes(key, never), "not_found");
      }
      assert.deepEqual(await names(bucket, "", true), ["dir/file"]);
    });

    case_("one level lists objects and folders in key order", async (bucket) => {
      for (const key of ["b/1", "b/2", "a", "b-c", "c/d/e", "\u{10000}", "\uffee"])
        await uploadBytes(bucket, key, bytes("x"), never);
      assert.deepEqual(await names(bucket, "", false), ["a", "b-c", "b/", "c/", "\uffee", "\u{10000}"]);
      assert.deepEqual(await names(bucket, "b", false), ["b/1", "b/2"]);
      assert.deepEqual(await names(bucket, "b/", false), ["b/1", "b/2"]);
      assert.deepEqual(await names(bucket, "c", false), ["c/d/"]);
      assert.deepEqual(await names(bucket, "nothing", false), []);
    });

    case_("a recursive listing has all objects with size and time, in key order", async (bucket) => {
      for (const key of ["b/1", "b-c", "b/x/y", "a"]) await uploadBytes(bucket, key, bytes("xyz"), never);
      const entries = await list(bucket, "", true);
      assert.deepEqual(
        entries.map((e) => e.name),
        ["a", "b-c", "b/1", "b/x/y"],
      );
      for (const entry of entries) {
        assert.equal(entry.size, 3, entry.name);
        assert.ok(entry.lastModified instanceof Date, entry.name);
      }
      assert.deepEqual(await names(bucket, "b", true), ["b/1", "b/x/y"]);
    });

    case_("deleting the last object of a folder takes the folder out of the listing", async (bucket) => {
      await uploadBytes(bucket, "x/y/1", bytes("x"), never);
      await uploadBytes(bucket, "x/y/2", bytes("x"), never);
      await bucket.delete("x/y/1", never);
      assert.deepEqual(await names(bucket, "", false), ["x/"]);
      await bucket.delete("x/y/2", never);
      assert.deepEqual(await names(bucket, "", false), []);
      assert.equal(await bucket.exists("x/y/2", never), false);
    });

    case_("keys that leave the bucket are bad_data everywhere", async (bucket) => {
      for (const key of ["", "/abs", "a//b", "../up", "a/../../b", "a/.", "a/", "nul\0"]) {
        await rejects(bucket.exists(key, never), "bad_data");
        await rejects(bucket.get(key, never), "bad_data");
        await rejects(bucket.getRange(key, 0, 1, never), "bad_data");
        await rejects(bucket.attributes(key, never), "bad_data");
        await rejects(uploadBytes(bucket, key, bytes("x"), never), "bad_data");
        await rejects(bucket.delete(key, never), "bad_data");
      }
      await rejects(list(bucket, "../up", false), "bad_data");
    });

    case_("an aborted signal ends every operation as canceled", async (bucket) => {
      await uploadBytes(bucket, "k", bytes("x"), never);
      const aborted = AbortSignal.abort();
      await rejects(bucket.exists("k", aborted), "canceled");
      await rejects(bucket.get("k", aborted), "canceled");
      await rejects(bucket.getRange("k", 0, 1, aborted), "canceled");
      await rejects(bucket.attributes("k", aborted), "canceled");
      await rejects(uploadBytes(bucket, "k", bytes("y"), aborted), "canceled");
      await rejects(bucket.delete("k", aborted), "canceled");
      await rejects(list(bucket, "", false, aborted), "canceled");
      assert.equal(await bucket.exists("k", never), true);
    });

    case_("concurrent uploads and deletes in one folder do not disturb each other", async (bucket) => {
      await Promise.all(
        Array.from({length: 40}, async (_, i) => {
          await uploadBytes(bucket, `f/g/${i}`, bytes(String(i)), never);
          if (i % 2 === 0) await bucket.delete(`f/g/${i}`, never);
        }),
      );
      assert.equal((await names(bucket, "f/g", false)).length, 20);
    });
  });
}

async function* repeat(part: Uint8Array, times: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < times; i++) yield part;
}

async function* failing(): AsyncGenerator<Uint8Array> {
  yield bytes("half");
  throw new Error("source broke");
}

async function rejects(promise: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(promise, (err) => {
    assert.equal(errorCode(err), code, String(err));
    return true;
  });
}

async function list(bucket: Bucket, dir: string, recursive: boolean, signal = never): Promise<ObjectEntry[]> {
  const entries: ObjectEntry[] = [];
  for await (const entry of bucket.list(dir, {recursive}, signal)) entries.push(entry);
  return entries;
}

const names = async (bucket: Bucket, dir: string, recursive: boolean): Promise<string[]> =>
  (await list(bucket, dir, recursive)).map((e) => e.name);
