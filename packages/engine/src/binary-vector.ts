import {StrataError} from "@strata/base";
import {compareUtf8, Labels, METRIC_NAME} from "@strata/model";
import type {Binary, BinaryOp, VectorMatching} from "@strata/promql";
import {collectRows, drain, releaseRows} from "./aggregate-select.ts";
import {ElementOperator, type Remark, type Value} from "./binary-element.ts";
import type {Evaluation} from "./evaluation.ts";
import {dropReserved, labelsKey, sameLabelset} from "./metric-name.ts";
import {type OutputRow, OutputRows} from "./output-rows.ts";
import {setPoint} from "./range-leaf.ts";
import {compares, isComparison, scalarOp} from "./scalar-math.ts";
import {ABSENT, type Batches, FLOAT, type Grid, HISTOGRAM, type Row, rowsOf, type StepBatch} from "./step-batch.ts";

/** What of a label set decides which series of the other side it meets. */
export function signatureOf(matching: VectorMatching): (labels: Labels) => Labels {
  if (matching.on) return (labels) => labels.only(matching.labels);
  const ignored = [...matching.labels, METRIC_NAME];
  return (labels) => labels.without(ignored);
}

/** Series of both sides that have one signature. */
type Group = {readonly signature: Labels; readonly many: Row[]; readonly one: Row[]};

/** An error that only counts if no earlier step (or, within one, no earlier sample) has another. */
type Fault = {step: number; order: number; make: () => StrataError};

/**
 * Arithmetic and comparison of two vectors. Matching is done once for all steps; within a group of equal signatures
 * each step still looks at who is present, since series may take turns. Holds both sides.
 */
export async function* vectorVector(ev: Evaluation, expr: Binary, lhs: Batches, rhs: Batches, grid: Grid): Batches {
  const matching = expr.matching!;
  const swapped = matching.card === "one-to-many";
  const left = await collectRows(ev, lhs);
  const hasFills = matching.fillLeft !== undefined || matching.fillRight !== undefined;
  const right = await collectRows(ev, rhs);
  const join = new Join(ev, expr, grid, swapped ? right : left, swapped ? left : right, swapped, hasFills);
  join.run();
  releaseRows(ev, left);
  releaseRows(ev, right);
  yield* join.batches();
}

class Join {
  readonly #ev: Evaluation;
  readonly #op: BinaryOp;
  readonly #expr: Binary;
  readonly #matching: VectorMatching;
  readonly #steps: number;
  readonly #swapped: boolean;
  readonly #fills: boolean;
  readonly #many: readonly Row[];
  readonly #one: readonly Row[];
  readonly #element: ElementOperator;
  readonly #dropsName: boolean;
  readonly #filter: boolean;
  readonly #out: OutputRows;
  readonly #remarks: (Remark | undefined)[] = [];
  #fault: Fault | undefined;

  constructor(
    ev: Evaluation,
    expr: Binary,
    grid: Grid,
    many: readonly Row[],
    one: readonly Row[],
    swapped: boolean,
    fills: boolean,
  ) {
    this.#ev = ev;
    this.#op = expr.op;
    this.#expr = expr;
    this.#matching = expr.matching!;
    this.#steps = grid.count;
    this.#out = new OutputRows(ev, grid.count);
    this.#many = many;
    this.#one = one;
    this.#swapped = swapped;
    this.#fills = fills;
    this.#element = new ElementOperator(expr.op);
    const comparison = isComparison(expr.op);
    this.#filter = comparison && !expr.bool;
    this.#dropsName = expr.bool || !(comparison || expr.op === "</" || expr.op === ">/");
  }

  run(): void {
    const live = this.#liveSteps();
    for (const group of this.#groups()) {
      if (!this.#fills && group.many.length * group.one.length === 1) this.#pair(group.many[0]!, group.one[0]!);
      else this.#group(group, live);
      this.#ev.check();
    }
    if (this.#fault !== undefined) throw this.#fault.make();
    for (const remark of this.#remarks) {
      if (remark === undefined) continue;
      if (remark.kind === "warning") this.#ev.annotations.warn(remark.text, this.#expr.pos);
      else this.#ev.annotations.info(remark.text, this.#expr.pos);
    }
  }

  batches(): readonly StepBatch[] {
    return this.#out.batches();
  }

  /** Steps at which both sides have anything at all; at the others nothing is even matched. */
  #liveSteps(): Uint8Array {
    const live = new Uint8Array(this.#steps);
    if (this.#fills) return live.fill(1);
    const mark = (rows: readonly Row[], bit: number) => {
      for (const {batch, base} of rows) {
        for (let i = 0; i < this.#steps; i++) if (batch.kind[base + i] !== ABSENT) live[i]! |= bit;
      }
    };
    mark(this.#many, 1);
    mark(this.#one, 2);
    return live.map((bits) => (bits === 3 ? 1 : 0));
  }

  #groups(): Iterable<Group> {
    const signature = signatureOf(this.#matching);
    const groups = new Map<string, Group>();
    const add = (row: Row, side: "many" | "one") => {
      const labels = signature(row.labels);
      const key = labelsKey(labels);
      let group = groups.get(key);
      if (group === undefined) {
        group = {signature: labels, many: [], one: []};
        groups.set(key, group);
      }
      group[side].push(row);
    };
    for (const row of this.#many) add(row, "many");
    for (const row of this.#one) add(row, "one");
    return groups.values();
  }

  /** The common case: one series on each side. */
  #pair(many: Row, one: Row): void {
    let out: OutputRow | undefined;
    const [a, b] = this.#swapped ? [one, many] : [many, one];
    const plain =
      a.batch.hists === undefined && b.batch.hists === undefined && this.#op[1] !== "/" && this.#op !== "</";
    for (let i = 0; i < this.#steps; i++) {
      const ka = a.batch.kind[a.base + i];
      const kb = b.batch.kind[b.base + i];
      if (ka === ABSENT || kb === ABSENT) continue;
      if (plain) {
        const x = a.batch.values[a.base + i]!;
        const y = b.batch.values[b.base + i]!;
        if (this.#filter && !compares(this.#op, x, y)) continue;
        out ??= this.#row(this.#labels(many.labels, one.labels));
        const at = out.base + i;
        if (out.batch.kind[at] !== ABSENT) throw sameLabelset();
        out.batch.kind[at] = FLOAT;
        out.batch.values[at] = this.#filter ? x : scalarOp(this.#op, x, y);
        continue;
      }
      const value = this.#combine(pointOf(a, i), pointOf(b, i), i);
      if (value === undefined || value === false) continue;
      out ??= this.#row(this.#labels(many.labels, one.labels));
      this.#out.set(out, i, value);
    }
  }

  /** Step by step: several series on a side, or partners to be made up. */
  #group(group: Group, live: Uint8Array): void {
    const {many, one} = group;
    const {card, fillLeft, fillRight} = this.#matching;
    const order = this.#many.length > 1 || this.#one.length > 1 ? this.#orders() : undefined;
    for (let i = 0; i < this.#steps; i++) {
      if (live[i] === 0) continue;
      let partner: Row | undefined;
      for (const row of one) {
        if (row.batch.kind[row.base + i] === ABSENT) continue;
        if (partner !== undefined) {
          const [a, b] = [partner, row];
          this.#report({step: i, order: order?.get(row) ?? 0, make: () => this.#duplicate(group.signature, b, a)});
          break;
        }
        partner = row;
      }
      const inserted = new Set<string>();
      let matched = false;
      for (const row of many) {
        if (row.batch.kind[row.base + i] === ABSENT) continue;
        if (partner === undefined && fillRight === undefined) continue;
        const oneValue = partner === undefined ? fillRight! : pointOf(partner, i);
        const oneLabels = partner === undefined ? group.signature : partner.labels;
        const result = this.#attempt(pointOf(row, i), oneValue, row.labels, oneLabels, i);
        if (result === "dropped") continue;
        const again = card === "one-to-one" ? matched : inserted.has(result);
        if (again) {
          const make = card === "one-to-one" ? manyToOne : notUnique;
          this.#report({step: i, order: 1e9 + (order?.get(row) ?? 0), make});
        }
        matched = true;
        inserted.add(result);
      }
      if (partner !== undefined && fillLeft !== undefined && !matched) {
        this.#attempt(fillLeft, pointOf(partner, i), group.signature, partner.labels, i);
      }
    }
  }

  /** Puts the result for one pair in its row. "dropped" when the operator cannot; else the key of the result's labels. */
  #attempt(many: Value, one: Value, manyLabels: Labels, oneLabels: Labels, step: number): string {
    const value = this.#swapped ? this.#combine(one, many, step) : this.#combine(many, one, step);
    if (value === undefined) return "dropped";
    const labels = this.#labels(manyLabels, oneLabels);
    const key = labelsKey(labels);
    if (value === false) return key;
    const out = this.#row(labels, key);
    if (out.batch.kind[out.base + step] !== ABSENT) {
      this.#report({step, order: 2e9, make: sameLabelset});
      return key;
    }
    this.#out.set(out, step, value);
    return key;
  }

  /** The value of a pair; undefined when the operator cannot, false when a comparison filters it. */
  #combine(left: Value, right: Value, step: number): Value | undefined | false {
    const value = this.#element.apply(left, right);
    if (this.#element.remark !== undefined) {
      this.#remarks[step] = this.#element.remark;
      this.#element.remark = undefined;
    }
    if (typeof value !== "boolean") return value;
    if (!this.#filter) return value ? 1 : 0;
    return value ? left : false;
  }

  #labels(many: Labels, one: Labels): Labels {
    const {card, on, labels, include} = this.#matching;
    const delayed = this.#ev.options.features.delayedNameRemoval && this.#expr.bool;
    let result = this.#dropsName && !delayed ? dropReserved(many) : many;
    if (card === "one-to-one") result = on ? result.only(labels) : result.without(labels);
    for (const name of include) {
      const value = one.get(name);
      if (value === "") result = result.without([name]);
      else if (result.get(name) !== value) result = result.extend(Labels.fromPairs([[name, value]]));
    }
    return result;
  }

  #row(labels: Labels, key?: string): OutputRow {
    return this.#out.row(labels, this.#ev.options.features.delayedNameRemoval && this.#expr.bool, key);
  }

  #order: Map<Row, number> | undefined;

  #orders(): Map<Row, number> {
    if (this.#order === undefined) {
      this.#order = new Map();
      this.#many.forEach((row, i) => void this.#order!.set(row, i));
      this.#one.forEach((row, i) => void this.#order!.set(row, i));
    }
    return this.#order;
  }

  #report(fault: Fault): void {
    const f = this.#fault;
    if (f === undefined || fault.step < f.step || (fault.step === f.step && fault.order < f.order)) this.#fault = fault;
  }

  #duplicate(signature: Labels, a: Row, b: Row): StrataError {
    const side = this.#swapped ? "left" : "right";
    const [first, second] = [a.labels.toString(), b.labels.toString()].sort(compareUtf8);
    return new StrataError(
      "execution",
      `found duplicate series for the match group ${signature} on the ${side} hand-side of the operation: ` +
        `[${first}, ${second}];many-to-many matching not allowed: matching labels must be unique on one side`,
    );
  }
}

function pointOf(row: Row, step: number): Value {
  const at = row.base + step;
  return row.batch.kind[at] === HISTOGRAM ? row.batch.hists![at]! : row.batch.values[at]!;
}

const manyToOne = () =>
  new StrataError(
    "execution",
    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
  );

const notUnique = () =>
  new StrataError("execution", "multiple matches for labels: grouping labels must ensure unique matches");

/** Which signatures are present at which steps. */
class Presence {
  readonly #bySignature = new Map<string, Uint8Array>();
  readonly #signature: (labels: Labels) => Labels;
  readonly #ev: Evaluation;
  readonly #steps: number;

  constructor(ev: Evaluation, matching: VectorMatching, steps: number) {
    this.#ev = ev;
    this.#signature = signatureOf(matching);
    this.#steps = steps;
  }

  add(row: Row): void {
    const key = labelsKey(this.#signature(row.labels));
    let steps = this.#bySignature.get(key);
    if (steps === undefined) {
      this.#ev.budget.take(this.#steps + 2 * key.length, "set operator");
      steps = new Uint8Array(this.#steps);
      this.#bySignature.set(key, steps);
    }
    for (let i = 0; i < this.#steps; i++) if (row.batch.kind[row.base + i] !== ABSENT) steps[i] = 1;
  }

  of(labels: Labels): Uint8Array | undefined {
    return this.#bySignature.get(labelsKey(this.#signature(labels)));
  }
}

/** `and` and `unless`: the left side streams past what is known of the right one. */
export async function* intersect(ev: Evaluation, expr: Binary, lhs: Batches, rhs: Batches, grid: Grid): Batches {
  const presence = new Presence(ev, expr.matching!, grid.count);
  // Of equal annotations the one evaluated last counts, and in Prometheus that is the right side.
  const said = ev.annotations.record();
  try {
    for await (const batch of rhs) {
      for (const row of rowsOf(batch)) presence.add(row);
      ev.release(batch);
      ev.check();
    }
  } catch (err) {
    // Where both sides fail, the left one's error is the query's.
    await drain(ev, lhs);
    throw err;
  } finally {
    ev.annotations.stopRecording(said);
  }
  const wanted = expr.op === "and" ? 1 : 0;
  for await (const batch of lhs) {
    for (const {labels, base} of rowsOf(batch)) {
      const there = presence.of(labels);
      for (let i = 0; i < grid.count; i++) if ((there?.[i] ?? 0) !== wanted) batch.kind[base + i] = ABSENT;
    }
    ev.check();
    yield batch;
  }
  ev.annotations.repeat(said, 0);
}

/** `or`: everything on the left, then what of the right one has no partner there. */
export async function* union(ev: Evaluation, expr: Binary, lhs: Batches, rhs: Batches, grid: Grid): Batches {
  const presence = new Presence(ev, expr.matching!, grid.count);
  const left = await collectRows(ev, lhs);
  const byLabels = new Map<string, Row>();
  for (const row of left) {
    presence.add(row);
    byLabels.set(labelsKey(row.labels), row);
  }
  const batches = new Set(left.map((row) => row.batch));
  for await (const batch of rhs) {
    for (const row of rowsOf(batch)) {
      const there = presence.of(row.labels);
      if (there !== undefined) {
        for (let i = 0; i < grid.count; i++) if (there[i] === 1) batch.kind[row.base + i] = ABSENT;
      }
      const same = byLabels.get(labelsKey(row.labels));
      if (same !== undefined) moveInto(same, row, grid.count);
    }
    batches.add(batch);
    ev.check();
  }
  for (const batch of batches) yield batch;
}

/** Moves points of a row into another one that has the same labels and no point there. */
function moveInto(to: Row, from: Row, steps: number): void {
  for (let i = 0; i < steps; i++) {
    if (from.batch.kind[from.base + i] === ABSENT) continue;
    if (to.batch.kind[to.base + i] !== ABSENT) throw sameLabelset();
    setPoint(to.batch, to.base + i, pointOf(from, i));
    from.batch.kind[from.base + i] = ABSENT;
  }
}
