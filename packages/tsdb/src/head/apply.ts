import {encodeHistogramRecords, type HistogramSample} from "../wal/histogram-records.ts";
import {encodeExemplars, encodeMarkers, encodeMetadata, type MmapMarker} from "../wal/other-records.ts";
import {encodeSamples, SampleColumns} from "../wal/sample-records.ts";
import type {Batch, CommitResult} from "./appender.ts";
import {Commit, hasStart, isEqual} from "./commit.ts";
import type {Head} from "./head.ts";
import {noRoom} from "./no-room.ts";
import {APPEND, type AppendStatus} from "./series-store.ts";
import {STALE_HIGH, STALE_LOW, staleHistogram} from "./stale-histogram.ts";

/**
 * Logs and applies a transaction in one step: what is refused is neither logged nor applied, and when the log cannot be
 * written, or memory has no room for the samples, nothing has happened.
 */
export function applyTransaction(head: Head, batches: readonly Batch[]): CommitResult {
  const {store, stats} = head;
  const commit = new Commit(head.maxTime, store.beginMarks(batches.reduce((n, {floats}) => n + floats.n, 0)));
  for (const batch of batches) sort(head, batch, commit);
  try {
    store.reserveSamples(commit.floats);
    const records = [...head.unlogged.records()];
    for (const batch of batches) encode(head, batch, records, batches.length > 1);
    if (records.length > 0) head.wal.log(records);
  } catch (err) {
    commit.undo(store.maxt);
    head.maxTime = commit.maxTimeBefore;
    throw noRoom(err, `cannot append ${commit.floats} samples to ${head.dir}`);
  }
  head.unlogged.clear();
  stats.commits++;
  stats.floats += commit.floats;
  stats.histograms += commit.histograms;
  for (const batch of batches) append(head, batch);
  const {lateFloats, late, refused} = commit;
  const outOfOrder = lateFloats.n > 0 || late.length > 0 ? applyLate(head, lateFloats, late) : 0;
  return {inOrder: commit.floats + commit.histograms, outOfOrder, refused};
}

/**
 * Judges a batch's samples one after the other, as if those before were applied: what is not in order leaves the batch.
 * Afterwards the series' last times and the head's are those of after the commit.
 */
function sort(head: Head, batch: Batch, commit: Commit): void {
  const {floats} = batch;
  const {ref, t, st, words} = floats;
  const {store} = head;
  const {marks, maxt} = store;
  const stale: HistogramSample[] = [];
  if (batch.slots.length < floats.n) batch.slots = new Uint32Array(floats.ref.length);
  const {slots} = batch;
  /** The mark of the batch's first sample that is kept. */
  const first = commit.mark;
  let kept = 0;
  for (let i = 0; i < floats.n; i++) {
    const slot = store.table.slotOf(ref[i] as number);
    const time = t[i] as number;
    const low = words[2 * i] as number;
    const high = words[2 * i + 1] as number;
    if (high === STALE_HIGH && low === STALE_LOW && slot >= 0) {
      // The series ended, and its samples are histograms: so is the marker.
      const kind = commit.kinds.get(slot) ?? store.histogramKind(slot);
      if (kind !== undefined) {
        stale.push({ref: ref[i] as number, t: time, st: st[i] as number, h: staleHistogram(kind)});
        continue;
      }
    }
    let status: AppendStatus = slot < 0 ? APPEND.unknownSeries : head.judge(slot, time, undefined, low, high);
    if (status !== APPEND.ok && slot >= 0 && (marks[slot] as number) >= commit.firstMark && time === maxt[slot]) {
      // The series' last sample is one of this commit, which `judge` does not know.
      const last = (marks[slot] as number) - first;
      status = last >= 0 && isEqual(floats, last, low, high) ? APPEND.same : APPEND.duplicate;
    }
    if (status === APPEND.ok) {
      commit.note(slot, maxt[slot] as number);
      maxt[slot] = time;
      marks[slot] = first + kept;
      if (time > head.maxTime) head.maxTime = time;
      if (kept < i) floats.move(i, kept);
      slots[kept++] = slot;
    } else if (status === APPEND.ooo) {
      head.noteLate(time);
      commit.lateFloats.pushWords(ref[i] as number, time, low, high, st[i] as number);
    } else if (status !== APPEND.same) {
      commit.refused++;
      head.noteRefused(status, "float", time);
    }
  }
  commit.mark = first + floats.n;
  floats.n = kept;
  commit.floats += kept;
  if (stale.length > 0 || batch.histograms.length > 0) sortHistograms(head, batch, stale, commit);
}

function sortHistograms(head: Head, batch: Batch, stale: readonly HistogramSample[], commit: Commit): void {
  const {store} = head;
  const histograms = [...stale, ...batch.histograms];
  batch.histograms.length = 0;
  for (const sample of histograms) {
    const slot = store.table.slotOf(sample.ref);
    const status = slot < 0 ? APPEND.unknownSeries : head.judge(slot, sample.t, sample.h, 0, 0);
    if (status === APPEND.ok) {
      commit.note(slot, store.maxt[slot] as number);
      commit.kinds.set(slot, sample.h.kind);
      store.maxt[slot] = sample.t;
      if (sample.t > head.maxTime) head.maxTime = sample.t;
      batch.histograms.push(sample);
      commit.histograms++;
    } else if (status === APPEND.ooo) {
      head.noteLate(sample.t);
      commit.late.push(sample);
    } else if (status !== APPEND.same) {
      commit.refused++;
      head.noteRefused(status, "histogram", sample.t);
    }
  }
}

/** Puts what is left of a batch into the open chunks. */
function append(head: Head, batch: Batch): void {
  const {t, words, st, n} = batch.floats;
  const {slots} = batch;
  const {store} = head;
  let min = head.minTime;
  for (let i = 0; i < n; i++) {
    const time = t[i] as number;
    store.appendFloat(slots[i] as number, time, words[2 * i] as number, words[2 * i + 1] as number, st[i] as number);
    if (time < min) min = time;
  }
  for (const {ref: id, t: time, st: start, h} of batch.histograms) {
    store.appendHistogram(store.table.slotOf(id), time, h, start);
    if (time < min) min = time;
  }
  head.minTime = min;
  for (const metadata of batch.metadata) head.metadata.set(metadata.ref, metadata);
  for (const exemplar of batch.exemplars) {
    if (head.exemplars.check(exemplar) !== "ok") continue;
    head.exemplars.add(exemplar);
    head.stats.exemplars++;
  }
}

function encode(head: Head, batch: Batch, records: Uint8Array[], copied: boolean): void {
  const {startTimes} = head.store;
  if (batch.metadata.length > 0) records.push(encodeMetadata(batch.metadata));
  const {floats, histograms} = batch;
  if (floats.n > 0) {
    const record = encodeSamples(floats, 0, floats.n, startTimes || hasStart(floats));
    // The next encoding of samples overwrites the view.
    records.push(copied ? record.slice() : record);
  }
  if (histograms.length > 0) encodeHistograms(histograms, startTimes || histograms.some(({st}) => st !== 0), records);
  if (batch.exemplars.length > 0) records.push(encodeExemplars(batch.exemplars));
}

function encodeHistograms(histograms: readonly HistogramSample[], wide: boolean, records: Uint8Array[]): void {
  for (const kind of ["int", "float"] as const) {
    records.push(
      ...encodeHistogramRecords(
        histograms.filter(({h}) => h.kind === kind),
        wide,
      ),
    );
  }
}

/** Out-of-order samples that are logged and inserted together. */
class Round {
  readonly markers: MmapMarker[] = [];
  readonly floats = new SampleColumns(64);
  readonly histograms: HistogramSample[] = [];
  /** Samples by series. */
  readonly pending = new Map<number, number>();

  clear(): void {
    this.markers.length = 0;
    this.floats.clear();
    this.histograms.length = 0;
    this.pending.clear();
  }
}

/**
 * Logs and inserts out-of-order samples: in rounds, so that a list that is full goes to a chunk, and the log says so,
 * before the next sample of its series is logged.
 */
function applyLate(head: Head, floats: SampleColumns, histograms: readonly HistogramSample[]): number {
  const total = floats.n + histograms.length;
  const {store, outOfOrderCap} = head;
  const round = new Round();
  const {markers, pending} = round;
  let inserted = 0;
  for (let i = 0; i < total; i++) {
    const h = i < floats.n ? undefined : (histograms[i - floats.n] as HistogramSample);
    const ref = h === undefined ? (floats.ref[i] as number) : h.ref;
    const slot = store.table.slotOf(ref);
    if ((store.ooo.get(slot)?.samples.length ?? 0) + (pending.get(ref) ?? 0) >= outOfOrderCap) {
      inserted += endRound(head, round);
    }
    const list = store.ooo.get(slot);
    if (list === undefined && !pending.has(ref)) markers.push({ref, chunkRef: 0});
    else if (list !== undefined && list.samples.length >= outOfOrderCap) {
      markers.push({ref, chunkRef: store.flushOoo(slot)});
    }
    pending.set(ref, (pending.get(ref) ?? 0) + 1);
    if (h !== undefined) round.histograms.push(h);
    else {
      const [low, high] = [floats.words[2 * i] as number, floats.words[2 * i + 1] as number];
      round.floats.pushWords(ref, floats.t[i] as number, low, high, floats.st[i] as number);
    }
  }
  return inserted + endRound(head, round);
}

/** Logs a round, then inserts it; returns how many samples were new. */
function endRound(head: Head, round: Round): number {
  const {store, stats} = head;
  const {floats, histograms, markers} = round;
  const records: Uint8Array[] = [];
  const wide = store.startTimes;
  if (markers.length > 0) records.push(encodeMarkers(markers));
  if (floats.n > 0) records.push(encodeSamples(floats, 0, floats.n, wide || hasStart(floats)).slice());
  encodeHistograms(histograms, wide || histograms.some(({st}) => st !== 0), records);
  head.wbl?.log(records);
  const {ref, t, st, words, n} = floats;
  let insertedFloats = 0;
  for (let i = 0; i < n; i++) {
    const slot = store.table.slotOf(ref[i] as number);
    const low = words[2 * i] as number;
    const high = words[2 * i + 1] as number;
    if (store.insertOoo(slot, t[i] as number, st[i] as number, low, high, undefined, stats.commits)) insertedFloats++;
  }
  let insertedHistograms = 0;
  for (const {ref: r, t: time, st: start, h} of histograms) {
    if (store.insertOoo(store.table.slotOf(r), time, start, 0, 0, h, stats.commits)) insertedHistograms++;
  }
  stats.lateFloats += insertedFloats;
  stats.lateHistograms += insertedHistograms;
  round.clear();
  return insertedFloats + insertedHistograms;
}
