import type {Labels} from "@strata/model";
import type {Evaluation} from "./evaluation.ts";
import {dropReserved, labelsKey, sameLabelset} from "./metric-name.ts";
import {ABSENT, type Batches, FLOAT, HISTOGRAM, type StepBatch} from "./step-batch.ts";

/** A function from float to float that may look at the step. */
export type FloatMap = (v: number, step: number) => number;

/** Applies `f` to every float in place; histograms become absent. */
export async function* mapFloats(ev: Evaluation, child: Batches, f: FloatMap): Batches {
  for await (const batch of child) {
    const {values, kind, steps} = batch;
    const points = batch.labels.length * steps;
    let step = 0;
    for (let i = 0; i < points; i++) {
      if (kind[i] === FLOAT) values[i] = f(values[i]!, step);
      else if (kind[i] === HISTOGRAM) kind[i] = ABSENT;
      if (++step === steps) step = 0;
    }
    batch.hists = undefined;
    ev.check();
    yield batch;
  }
}

/** Applies `f` to whole batches; what it does to points is its own affair. */
export async function* mapBatches(ev: Evaluation, child: Batches, f: (batch: StepBatch) => void): Batches {
  for await (const batch of child) {
    f(batch);
    ev.check();
    yield batch;
  }
}

/** Marks every row's name as to be dropped at the end. */
export function markDropped(batch: StepBatch): void {
  batch.dropName ??= new Uint8Array(batch.labels.length);
  batch.dropName.fill(1);
}

/**
 * Takes the reserved labels off. While all series had one name (`oneName`) they stay different and stream through;
 * otherwise series that become equal are merged where their points are apart, and an error where they meet.
 */
export async function* dropNames(ev: Evaluation, child: Batches, oneName: boolean): Batches {
  if (ev.options.features.delayedNameRemoval) {
    yield* mapBatches(ev, child, markDropped);
    return;
  }
  if (oneName) {
    yield* mapBatches(ev, child, (batch) => {
      batch.labels = batch.labels.map(dropReserved);
    });
    return;
  }
  yield* mergeEqual(ev, child, dropReserved);
}

/** Takes the reserved labels off; series that become equal are an error even if their points are apart. */
export async function* dropNamesStrictly(ev: Evaluation, child: Batches, oneName: boolean): Batches {
  if (ev.options.features.delayedNameRemoval || oneName) {
    yield* dropNames(ev, child, oneName);
    return;
  }
  const seen = new Set<string>();
  yield* mapBatches(ev, child, (batch) => {
    batch.labels = batch.labels.map((labels, s) => {
      const bare = dropReserved(labels);
      if (!hasPoint(batch, s)) return bare;
      const key = labelsKey(bare);
      if (seen.has(key)) throw sameLabelset();
      seen.add(key);
      return bare;
    });
  });
}

export function hasPoint(batch: StepBatch, s: number): boolean {
  const base = s * batch.steps;
  for (let i = 0; i < batch.steps; i++) if (batch.kind[base + i] !== ABSENT) return true;
  return false;
}

/**
 * Changes labels by `relabel`. Rows of then equal labels become one row if no step has points of both, else the
 * query fails. Holds its whole input, since a row may meet its equal at the very end. Rows without points go.
 */
export async function* mergeEqual(
  ev: Evaluation,
  child: Batches,
  relabel: (labels: Labels, batch: StepBatch, s: number) => Labels,
): Batches {
  const batches: StepBatch[] = [];
  const rows = new Map<string, {batch: StepBatch; s: number}>();
  for await (const batch of child) {
    batches.push(batch);
    batch.labels = batch.labels.map((labels, s) => relabel(labels, batch, s));
    for (let s = 0; s < batch.labels.length; s++) {
      if (!hasPoint(batch, s)) continue;
      const key = labelsKey(batch.labels[s]!);
      const first = rows.get(key);
      if (first === undefined) rows.set(key, {batch, s});
      else mergeRow(first.batch, first.s, batch, s);
    }
    ev.check();
  }
  yield* batches;
}

/** Moves the points of one row into another that has none there. */
export function mergeRow(into: StepBatch, a: number, from: StepBatch, b: number): void {
  const {steps} = into;
  for (let i = 0; i < steps; i++) {
    const source = b * steps + i;
    const target = a * steps + i;
    if (from.kind[source] === ABSENT) continue;
    if (into.kind[target] !== ABSENT) throw sameLabelset();
    into.kind[target] = from.kind[source]!;
    into.values[target] = from.values[source]!;
    if (from.hists?.[source] !== undefined) {
      into.hists ??= [];
      into.hists[target] = from.hists[source];
    }
    from.kind[source] = ABSENT;
  }
}

/** Takes off the names that operators only marked, if name removal is delayed. */
export function withoutDropped(ev: Evaluation, child: Batches): Batches {
  if (!ev.options.features.delayedNameRemoval) return child;
  return mergeEqual(ev, child, (labels, batch, s) => (batch.dropName?.[s] === 1 ? dropReserved(labels) : labels));
}
