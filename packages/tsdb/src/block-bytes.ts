import {readdir, stat} from "node:fs/promises";
import {join} from "node:path";
import {META_FILE} from "./block-reader.ts";
import {CHUNKS_DIR} from "./chunk-segments.ts";
import {INDEX_FILE} from "./index/index-format.ts";
import {fileError} from "./random-access.ts";
import {TOMBSTONES_FILE} from "./tombstones.ts";

/** Bytes of a block's chunk segments, index, meta.json and tombstones. */
export async function blockBytes(dir: string): Promise<number> {
  const segments = (await readdir(join(dir, CHUNKS_DIR))).map((name) => join(CHUNKS_DIR, name));
  let bytes = 0;
  for (const name of [...segments, INDEX_FILE, META_FILE, TOMBSTONES_FILE]) {
    try {
      bytes += (await stat(join(dir, name))).size;
    } catch (err) {
      const error = fileError(err, join(dir, name));
      // A block that came from a bucket has no tombstones file.
      if (error.code !== "not_found" || name !== TOMBSTONES_FILE) throw error;
    }
  }
  return bytes;
}
