import {StrataError} from "@strata/base";
import {Labels, type Matcher, METRIC_NAME, matcher, quoteRegex} from "@strata/model";
import {type Call, type Expr, type VectorSelector, walk} from "@strata/promql";
import {collectRows, releaseRows} from "./aggregate-select.ts";
import {hasPoint} from "./elementwise.ts";
import type {Evaluation} from "./evaluation.ts";
import {instantSelector} from "./instant-leaf.ts";
import {OutputRows} from "./output-rows.ts";
import {type Hints, NO_HINTS} from "./select-series.ts";
import {ABSENT, type Batches, type Grid, HISTOGRAM, type Row} from "./step-batch.ts";

/** Labels by which a series and the info about it know each other. */
const IDENTIFYING = ["instance", "job"];
const INFO_HINTS: Hints = {...NO_HINTS, func: "info"};

/** `info(v, {selector})`: series with the labels of info metrics about the same target added. Holds both sides. */
export async function* info(ev: Evaluation, call: Call, grid: Grid, child: Batches): Batches {
  const selector = call.args[1] as VectorSelector | undefined;
  const names = nameMatchers(selector);
  const data = (selector?.matchers ?? []).filter((m) => m.name !== METRIC_NAME);
  const all = await collectRows(ev, child);
  const base = all.filter((row) => hasPoint(row.batch, row.base / row.batch.steps));
  const isInfo = (row: Row) => names.every((m) => m.matches(row.labels.get(METRIC_NAME)));
  const enriched = base.filter((row) => !isInfo(row));
  const found = await infoRows(ev, call.args[0]!, [...names, ...data], enriched, grid);
  const join = new InfoJoin(ev, grid.count, found, data);
  for (const row of base) {
    if (isInfo(row)) join.pass(row);
    else join.enrich(row);
    ev.check();
  }
  releaseRows(ev, all);
  releaseRows(ev, found);
  yield* join.out.batches();
}

function nameMatchers(selector: VectorSelector | undefined): Matcher[] {
  const given = (selector?.matchers ?? []).filter((m) => m.name === METRIC_NAME);
  if (given.length === 0) return [matcher(METRIC_NAME, "=", "target_info")];
  const negative = given.every((m) => m.op === "!=" || m.op === "!~");
  return negative ? [matcher(METRIC_NAME, "=~", ".+_info"), ...given] : given;
}

/** The info series of the targets that the base series are of, each sample's value its own time in seconds. */
async function infoRows(
  ev: Evaluation,
  arg: Expr,
  matchers: readonly Matcher[],
  base: readonly Row[],
  grid: Grid,
): Promise<Row[]> {
  const targets: Matcher[] = [];
  for (const name of IDENTIFYING) {
    const values = new Set(base.map((row) => row.labels.get(name)).filter((v) => v !== ""));
    if (values.size > 0) targets.push(matcher(name, "=~", [...values].map(quoteRegex).join("|")));
  }
  if (targets.length === 0) return [];
  const selector: VectorSelector = {
    kind: "vector",
    name: "",
    matchers: [...targets, ...matchers],
    ...referenceTime(arg),
    offsetExpr: undefined,
    mode: "",
    matchersOnly: false,
    pos: arg.pos,
  };
  return collectRows(ev, instantSelector(ev, selector, grid, INFO_HINTS, "info"));
}

/**
 * When info series are looked at: as the first selector of the argument is. Offsets of subqueries around it add up, until
 * an `@` fixes the time.
 */
function referenceTime(arg: Expr): Pick<VectorSelector, "at" | "offset"> {
  let found: Pick<VectorSelector, "at" | "offset"> | undefined;
  walk(arg, (node, parents) => {
    if (node.kind !== "vector" || found !== undefined) return undefined;
    let {at, offset} = node;
    for (let i = parents.length - 1; at === undefined && i >= 0; i--) {
      const parent = parents[i]!;
      if (parent.kind !== "subquery") continue;
      offset += parent.offset;
      at = parent.at;
    }
    found = {at, offset};
    return undefined;
  });
  return found ?? {at: undefined, offset: 0};
}

const signature = (name: string, labels: Labels): string =>
  [name, ...IDENTIFYING.map((id) => labels.get(id))].join("\ud800");

class InfoJoin {
  readonly out: OutputRows;
  readonly #steps: number;
  readonly #names: ReadonlySet<string>;
  readonly #bySignature = new Map<string, Row[]>();
  readonly #wanted: ReadonlySet<string>;
  readonly #mayMiss: boolean;

  constructor(ev: Evaluation, steps: number, found: readonly Row[], data: readonly Matcher[]) {
    this.out = new OutputRows(ev, steps);
    this.#steps = steps;
    this.#names = new Set(found.map((row) => row.labels.get(METRIC_NAME)));
    this.#wanted = new Set(data.map((m) => m.name));
    this.#mayMiss = data.every((m) => m.matches(""));
    for (const row of found) {
      const key = signature(row.labels.get(METRIC_NAME), row.labels);
      const rows = this.#bySignature.get(key);
      if (rows === undefined) this.#bySignature.set(key, [row]);
      else rows.push(row);
    }
  }

  /** A series that is left as it is. */
  pass(row: Row): void {
    for (let i = 0; i < this.#steps; i++) this.#put(row, i, row.labels);
  }

  enrich(row: Row): void {
    const candidates = [...this.#names]
      .map((name) => this.#bySignature.get(signature(name, row.labels)))
      .filter((rows) => rows !== undefined);
    // Which info series are there changes seldom, so labels are made once a choice.
    const made = new Map<string, Labels | undefined>();
    for (let i = 0; i < this.#steps; i++) {
      if (row.batch.kind[row.base + i] === ABSENT) continue;
      const chosen = candidates.map((rows) => newest(rows, i));
      const key = chosen.map((c, n) => (c === undefined ? "" : candidates[n]!.indexOf(c))).join(",");
      if (!made.has(key)) made.set(key, this.#labels(row.labels, chosen));
      const labels = made.get(key);
      if (labels !== undefined) this.#put(row, i, labels);
    }
  }

  /** The base labels and what the info series add; undefined if a series without info is not wanted. */
  #labels(base: Labels, chosen: readonly (Row | undefined)[]): Labels | undefined {
    const added = new Map<string, string>();
    for (const row of chosen) {
      for (const [name, value] of row?.labels ?? []) {
        if (name === METRIC_NAME || (this.#wanted.size > 0 && !this.#wanted.has(name))) continue;
        const before = added.get(name);
        if (before !== undefined && before !== value) {
          throw new StrataError("execution", `conflicting label: ${name}`);
        }
        if (!base.has(name)) added.set(name, value);
      }
    }
    if (added.size > 0) return base.extend(Labels.fromPairs(added));
    return this.#mayMiss || chosen.some((row) => row !== undefined) ? base : undefined;
  }

  #put(row: Row, step: number, labels: Labels): void {
    const at = row.base + step;
    const kind = row.batch.kind[at];
    if (kind === ABSENT) return;
    const out = this.out.row(labels, row.drop);
    this.out.set(out, step, kind === HISTOGRAM ? row.batch.hists![at]! : row.batch.values[at]!);
  }
}

/** Of info series of one target the one whose sample is newest. */
function newest(rows: readonly Row[], step: number): Row | undefined {
  let best: Row | undefined;
  for (const row of rows) {
    if (row.batch.kind[row.base + step] === ABSENT) continue;
    if (best === undefined) {
      best = row;
      continue;
    }
    const old = Math.round(best.batch.values[best.base + step]! * 1000);
    const t = Math.round(row.batch.values[row.base + step]! * 1000);
    if (t === old) {
      const text = `existing ${best.labels} @ ${old}, new ${row.labels} @ ${t}`;
      throw new StrataError("execution", `found duplicate series for info metric: ${text}`);
    }
    if (t > old) best = row;
  }
  return best;
}
