import {goQuote, Labels, METRIC_NAME} from "@strata/model";
import type {Call, Position} from "@strata/promql";
import {collectRows, releaseRows} from "./aggregate-select.ts";
import {bucketFraction, bucketQuantile, type ClassicBucket, prepareBuckets} from "./classic-quantile.ts";
import {mapBatches} from "./elementwise.ts";
import type {Evaluation} from "./evaluation.ts";
import {ForcedMonotonicity} from "./forced-monotonicity.ts";
import type {FloatHistogram} from "./histogram/float-histogram.ts";
import {histogramFraction, histogramQuantile, histogramVariance, type NaNRemark} from "./histogram/quantile.ts";
import {dropReserved, labelsKey} from "./metric-name.ts";
import {OutputRows} from "./output-rows.ts";
import {invalidQuantile} from "./range-functions.ts";
import {ABSENT, type Batches, FLOAT, type Grid, HISTOGRAM, type Row} from "./step-batch.ts";

/** `histogram_count` and its like: one number of each native histogram. */
export const HISTOGRAM_FIELDS: Readonly<Record<string, (h: FloatHistogram) => number>> = {
  histogram_count: (h) => h.count,
  histogram_sum: (h) => h.sum,
  histogram_avg: (h) => h.sum / h.count,
  histogram_stddev: (h) => Math.sqrt(histogramVariance(h)),
  histogram_stdvar: histogramVariance,
};

/** Replaces native histograms by a number of each; floats become absent. */
export const mapHistograms = (ev: Evaluation, child: Batches, f: (h: FloatHistogram) => number): Batches =>
  mapBatches(ev, child, (batch) => {
    const points = batch.labels.length * batch.steps;
    for (let i = 0; i < points; i++) {
      if (batch.kind[i] !== HISTOGRAM) {
        batch.kind[i] = ABSENT;
        continue;
      }
      batch.values[i] = f(batch.hists![i]!);
      batch.kind[i] = FLOAT;
    }
    batch.hists = undefined;
  });

/** What is asked of the buckets: quantiles (one output each, with a label if named) or a fraction. */
export type BucketQuery =
  | {
      readonly kind: "quantile";
      readonly phis: readonly {values: Float64Array; label: string | undefined}[];
      readonly labelName: string;
    }
  | {readonly kind: "fraction"; readonly lower: Float64Array; readonly upper: Float64Array};

/** Classic buckets that belong together, or a native histogram: rows of one label set without `le`. */
type Input = {labels: Labels; name: string; drop: boolean; buckets: {row: Row; le: number}[]; native: Row[]};

/**
 * `histogram_quantile`, `histogram_quantiles` and `histogram_fraction`. Holds its input, since the buckets of one
 * histogram may be far apart.
 */
export async function* bucketFunction(
  ev: Evaluation,
  call: Call,
  query: BucketQuery,
  child: Batches,
  grid: Grid,
): Batches {
  const rows = await collectRows(ev, child);
  const vectorArg = call.args.find((_, i) => call.func.args[i] === "vector") ?? call;
  const inputs = groupBuckets(rows);
  const badLabels = new Map<Row, string>();
  for (const row of rows) if (!validLe(row)) badLabels.set(row, row.labels.get("le"));
  const delayed = ev.options.features.delayedNameRemoval;
  // Compat: without delayed name removal these texts never hold a name.
  const nameText = (name: string) => (name === "" || !delayed ? "" : ` for metric name ${goQuote(name)}`);
  for (const [row, le] of badLabels) {
    if (!hasFloat(row, grid.count)) continue;
    const name = nameText(row.labels.get(METRIC_NAME));
    ev.annotations.warn(
      `bucket label "le" is missing or has a malformed value of ${goQuote(le)}${name}`,
      vectorArg.pos,
    );
  }
  const forced = new Map<string, ForcedMonotonicity>();
  const forcedOf = (name: string): ForcedMonotonicity => {
    let found = forced.get(name);
    if (found === undefined) {
      found = new ForcedMonotonicity(grid.start, grid.step, grid.count);
      forced.set(name, found);
    }
    return found;
  };
  const out = new OutputRows(ev, grid.count);
  const outputs = query.kind === "quantile" ? query.phis : [undefined];
  const phiArg = call.args[call.func.args[0] === "scalar" ? 0 : 2] ?? call;
  // Compat: also told where there is nothing to take a quantile of.
  for (const phis of outputs) for (const phi of phis?.values ?? []) warnQuantile(ev, phi, phiArg.pos);
  for (const input of inputs) {
    for (let i = 0; i < grid.count; i++) {
      const buckets: ClassicBucket[] = [];
      for (const {row, le} of input.buckets) {
        if (row.batch.kind[row.base + i] === FLOAT) buckets.push({le, count: row.batch.values[row.base + i]!});
      }
      const native = input.native.find((row) => row.batch.kind[row.base + i] === HISTOGRAM);
      if (native !== undefined && buckets.length > 0) {
        const text = `vector contains a mix of classic and native histograms${nameText(input.name)}`;
        ev.annotations.warn(text, vectorArg.pos);
        continue;
      }
      if (native === undefined && buckets.length === 0) continue;
      const mend = outputs.some((phis) => phis !== undefined && inside(phis.values[i]!));
      const prepared = native === undefined ? prepareBuckets(buckets, mend) : undefined;
      if (prepared?.mended !== undefined) forcedOf(nameText(input.name)).add(i, prepared.mended);
      for (const wanted of outputs) {
        let value: number;
        let remark: NaNRemark;
        if (query.kind === "fraction") {
          const [lower, upper] = [query.lower[i]!, query.upper[i]!];
          if (native === undefined)
            value = prepared === undefined ? Number.NaN : bucketFraction(lower, upper, prepared.buckets);
          else ({value, remark} = histogramFraction(lower, upper, native.batch.hists![native.base + i]!));
        } else {
          const phi = wanted!.values[i]!;
          if (native === undefined) value = classicQuantile(phi, prepared?.buckets);
          else ({value, remark} = histogramQuantile(phi, native.batch.hists![native.base + i]!));
        }
        if (remark !== undefined) tellNaN(ev, remark, nameText(input.name), vectorArg);
        let {labels} = input;
        if (!delayed) labels = dropReserved(labels);
        if (wanted?.label !== undefined && query.kind === "quantile") {
          labels = labels.extend(Labels.fromPairs([[query.labelName, wanted.label]]));
        }
        out.set(out.row(labels, delayed), i, value);
      }
    }
    ev.check();
  }
  for (const [name, found] of forced) {
    const remark = found.finish();
    if (remark !== undefined) ev.annotations.forcedMonotonicity(name, vectorArg.pos, remark);
  }
  releaseRows(ev, rows);
  yield* out.batches();
}

/** Whether φ asks for a quantile at all. */
const inside = (phi: number): boolean => phi >= 0 && phi <= 1;

function warnQuantile(ev: Evaluation, phi: number, pos: Position): void {
  const warning = invalidQuantile(phi);
  if (warning !== undefined) ev.annotations.warn(warning, pos);
}

function classicQuantile(phi: number, buckets: readonly ClassicBucket[] | undefined): number {
  if (!inside(phi)) return phi < 0 ? -Infinity : phi > 1 ? Infinity : Number.NaN;
  return buckets === undefined ? Number.NaN : bucketQuantile(phi, buckets);
}

function tellNaN(ev: Evaluation, remark: NaNRemark, name: string, at: Call["args"][number]): void {
  const text =
    remark === "quantile is NaN"
      ? `input to histogram_quantile has NaN observations, result is NaN${name}`
      : remark === "quantile is skewed"
        ? `input to histogram_quantile has NaN observations, result is skewed higher${name}`
        : `input to histogram_fraction has NaN observations, which are excluded from all fractions${name}`;
  ev.annotations.info(text, at.pos);
}

function groupBuckets(rows: readonly Row[]): Input[] {
  const inputs = new Map<string, Input>();
  const of = (labels: Labels, row: Row): Input => {
    const key = labelsKey(labels);
    let input = inputs.get(key);
    if (input === undefined) {
      input = {labels, name: labels.get(METRIC_NAME), drop: row.drop, buckets: [], native: []};
      inputs.set(key, input);
    }
    return input;
  };
  for (const row of rows) {
    const hasNative = row.batch.hists !== undefined;
    if (hasNative) of(row.labels, row).native.push(row);
    const le = parseLe(row.labels.get("le"));
    if (le !== undefined) of(row.labels.without(["le"]), row).buckets.push({row, le});
  }
  return [...inputs.values()];
}

const validLe = (row: Row): boolean => parseLe(row.labels.get("le")) !== undefined;

const FLOAT_TEXT = /^[+-]?(?:\d+(?:_?\d)*\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|0x[0-9a-f]+)$/i;

/** A number as Go's ParseFloat reads it. */
export function parseLe(text: string): number | undefined {
  if (/^[+]?inf(?:inity)?$/i.test(text)) return Infinity;
  if (/^-inf(?:inity)?$/i.test(text)) return -Infinity;
  if (/^nan$/i.test(text)) return Number.NaN;
  return FLOAT_TEXT.test(text) ? Number(text) : undefined;
}

function hasFloat(row: Row, steps: number): boolean {
  for (let i = 0; i < steps; i++) if (row.batch.kind[row.base + i] === FLOAT) return true;
  return false;
}
