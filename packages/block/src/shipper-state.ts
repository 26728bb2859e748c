import {open, readFile, rename, rm} from "node:fs/promises";
import {errorText} from "@strata/base";
import type {Logger} from "@strata/telemetry";

const STATE_VERSION = 1;

/**
 * The ids that `thanos.shipper.json` lists as uploaded. A missing file is an empty list, and so is one that cannot be
 * read: what is in the bucket is found again before anything is uploaded. Prometheus reads this file too
 * (`delay-compact-file`).
 */
export async function readShipperState(path: string, logger: Logger): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== "ENOENT") {
      logger.warn("cannot read shipper state, starting from an empty one", {file: path, err: errorText(err)});
    }
    return [];
  }
  try {
    const json = JSON.parse(text) as {version?: unknown; uploaded?: unknown};
    if (json.version !== STATE_VERSION) throw new Error(`unexpected meta file version ${String(json.version)}`);
    const uploaded = json.uploaded ?? [];
    if (Array.isArray(uploaded) && uploaded.every((id) => typeof id === "string")) return uploaded as string[];
    throw new Error("uploaded is not a list of strings");
  } catch (err) {
    logger.warn("cannot read shipper state, starting from an empty one", {file: path, err: errorText(err)});
    return [];
  }
}

/** Replaces the file, durably: a list that came back after a crash would only cost existence checks, a torn one a warning. */
export async function writeShipperState(path: string, uploaded: readonly string[]): Promise<void> {
  const temporary = `${path}.tmp`;
  // Compat: Go prints an empty list that was never appended to as null.
  const state = {version: STATE_VERSION, uploaded: uploaded.length === 0 ? null : uploaded};
  try {
    const file = await open(temporary, "w");
    try {
      await file.writeFile(`${JSON.stringify(state, null, "\t")}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (err) {
    await rm(temporary, {force: true});
    throw err;
  }
}
