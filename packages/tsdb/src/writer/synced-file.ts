import {open, rename, writeFile} from "node:fs/promises";
import {dirname} from "node:path";
import {syncDir, writeError} from "./file-sink.ts";

/** Writes a file whole and syncs it. */
export async function writeSynced(path: string, data: Uint8Array | string): Promise<void> {
  const handle = await open(path, "w");
  try {
    await writeFile(handle, data);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Puts a file in the place of another in one step, so that a crash leaves one of the two; other links to it stay as they are. */
export async function replaceFile(path: string, data: Uint8Array | string): Promise<void> {
  const tmp = `${path}.tmp`;
  try {
    await writeSynced(tmp, data);
    await rename(tmp, path);
    await syncDir(dirname(path));
  } catch (err) {
    throw writeError(err, path);
  }
}
