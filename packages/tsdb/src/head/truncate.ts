import {join} from "node:path";
import {writeCheckpoint} from "../wal/checkpoint.ts";
import {listCheckpoints, listSegments, WAL_DIR} from "../wal/segments.ts";
import {removeSnapshots} from "./chunk-snapshot.ts";
import type {Head} from "./head.ts";
import {OPEN} from "./series-store.ts";

/** Drops all chunks in order that end before `mint`, and what is then empty; shortens the log. */
export async function truncateHead(head: Head, mint: number): Promise<void> {
  const {store, stats, observe} = head;
  const start = performance.now();
  stats.truncations++;
  head.minValidTime = Math.max(head.minValidTime, mint);
  const {table, chunks} = store;
  for (let slot = 0; slot < table.slots; slot++) {
    if (table.ref[slot] === 0) continue;
    if (store.open[slot] !== OPEN.none && store.openTimes(slot).maxt < mint) {
      store.dropOpen(slot);
      store.firstChunk[slot] = (store.firstChunk[slot] as number) + 1;
    }
    const newest = store.newest[slot] as number;
    if (newest === 0) continue;
    const {newest: left, dropped} = chunks.drop(newest, (i) => (chunks.maxt[i] as number) < mint);
    store.newest[slot] = left;
    store.firstChunk[slot] = (store.firstChunk[slot] as number) + dropped;
    store.counts.removed += dropped;
  }
  collectGarbage(head);
  const collected = performance.now();
  observe.collect((collected - start) / 1000);
  try {
    removeFiles(head);
    removeSnapshots(head.dir);
    await checkpoint(head, mint);
  } catch (err) {
    stats.truncationsFailed++;
    throw err;
  }
  observe.truncateLog((performance.now() - collected) / 1000);
}

/** Drops each series' out-of-order chunks up to the one in `covered`, and segments of their log below `segment`. */
export async function truncateOoo(head: Head, covered: ReadonlyMap<number, number>, segment: number): Promise<void> {
  const {store} = head;
  const {table, chunks} = store;
  store.oooMint = Number.POSITIVE_INFINITY;
  store.oooMaxt = Number.NEGATIVE_INFINITY;
  for (let slot = 0; slot < table.slots; slot++) {
    const ref = table.ref[slot] as number;
    if (ref === 0) continue;
    for (const {t} of store.ooo.get(slot)?.samples ?? []) noteOoo(head, t, t);
    const last = covered.get(ref);
    if (last !== undefined) {
      let passed = false;
      const {newest, dropped} = chunks.drop(store.newestOoo[slot] as number, (i) => {
        const goes = !passed;
        passed ||= i === last;
        return goes;
      });
      store.newestOoo[slot] = newest;
      store.firstOooChunk[slot] = (store.firstOooChunk[slot] as number) + dropped;
      store.counts.removed += dropped;
    }
    for (const i of chunks.entries(store.newestOoo[slot] as number)) {
      noteOoo(head, chunks.mint[i] as number, chunks.maxt[i] as number);
    }
  }
  collectGarbage(head);
  removeFiles(head);
  await head.wbl?.truncate(segment);
}

function noteOoo(head: Head, mint: number, maxt: number): void {
  head.store.oooMint = Math.min(head.store.oooMint, mint);
  head.store.oooMaxt = Math.max(head.store.oooMaxt, maxt);
}

/** Removes series that have nothing left, and finds the head's times anew. */
export function collectGarbage(head: Head): void {
  const {store} = head;
  const {table, chunks} = store;
  const gone = new Set<number>();
  let minTime = Number.POSITIVE_INFINITY;
  let maxTime = Number.NEGATIVE_INFINITY;
  for (let slot = 0; slot < table.slots; slot++) {
    const ref = table.ref[slot] as number;
    if (ref === 0) continue;
    if (store.isEmpty(slot)) {
      if (head.isYoung(ref) && store.maxt[slot] === Number.NEGATIVE_INFINITY) continue;
      gone.add(ref);
      store.removeSeries(slot);
      continue;
    }
    for (let i = store.newest[slot] as number; i !== 0; i = chunks.older[i] as number) {
      minTime = Math.min(minTime, chunks.mint[i] as number);
      maxTime = Math.max(maxTime, chunks.maxt[i] as number);
    }
    if (store.open[slot] !== OPEN.none) {
      const times = store.openTimes(slot);
      minTime = Math.min(minTime, times.mint);
      maxTime = Math.max(maxTime, times.maxt);
    }
  }
  head.noteCollected();
  // A chunk may reach back before what was dropped, where another block range was in use when it was begun.
  head.minTime = Math.max(minTime, head.minValidTime);
  head.maxTime = Math.max(head.maxTime, maxTime);
  if (gone.size === 0) return;
  table.compact();
  head.postings.remove((ref) => gone.has(ref));
  head.exemplars.remove((ref) => gone.has(ref));
  head.stats.seriesRemoved += gone.size;
  const segment = head.currentSegment;
  for (const ref of gone) {
    head.metadata.delete(ref);
    head.tombstones.delete(ref);
    head.removed.set(ref, segment);
  }
}

/** Removes chunk files that no series refers to. */
function removeFiles(head: Head): void {
  const {store} = head;
  const {table, chunks} = store;
  let oldest = Number.POSITIVE_INFINITY;
  for (let slot = 0; slot < table.slots; slot++) {
    if (table.ref[slot] === 0) continue;
    for (const newest of [store.newest[slot] as number, store.newestOoo[slot] as number]) {
      for (let i = newest; i !== 0; i = chunks.older[i] as number) oldest = Math.min(oldest, chunks.file[i] as number);
    }
  }
  store.files.truncate(oldest);
}

/** Replaces two thirds of the log by a checkpoint of what still matters. */
async function checkpoint(head: Head, mint: number): Promise<void> {
  const dir = join(head.dir, WAL_DIR);
  const segments = listSegments(dir);
  const first = segments[0]?.index ?? 0;
  let last = segments.at(-1)?.index ?? -1;
  head.wal.nextSegment();
  last -= 1;
  if (last < 0) return;
  last = first + Math.trunc(((last - first) * 2) / 3);
  if (last <= first) return;
  const {table} = head.store;
  const keeps = (ref: number): boolean => table.slotOf(ref) >= 0 || (head.removed.get(ref) ?? -1) > last;
  const {stats} = head;
  stats.checkpoints++;
  stats.checkpointDeletions++;
  try {
    await writeCheckpoint(dir, last, {mint, keeps}, head.walOptions, head.wal);
  } catch (err) {
    stats.checkpointsFailed++;
    throw err;
  }
  const covered = listCheckpoints(dir).at(-1)?.index ?? -1;
  for (const [ref, segment] of head.removed) if (segment <= covered) head.removed.delete(ref);
}
