import type {BitReader, BitWriter} from "@strata/bytes";
import {CUSTOM_BUCKETS_SCHEMA, EXPONENTIAL_SCHEMA_MAX, type Span, spanBuckets} from "@strata/model";

/** What all histograms of one chunk share. */
export type HistogramLayout = {
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly positiveSpans: readonly Span[];
  readonly negativeSpans: readonly Span[];
  /** Bucket bounds, only with the custom buckets schema. */
  readonly customValues: Float64Array;
};

export const NO_BOUNDS: Float64Array = new Float64Array(0);
export const EMPTY_LAYOUT: HistogramLayout = {
  schema: 0,
  zeroThreshold: 0,
  positiveSpans: [],
  negativeSpans: [],
  customValues: NO_BOUNDS,
};

/** Readers take schemas that no writer makes yet; above 8 they are reduced. */
const READABLE_SCHEMA_MIN = -9;
const READABLE_SCHEMA_MAX = 52;
/** A zero threshold of half a power of two goes into one byte: its exponent plus this. */
const EXPONENT_BIAS = 243;
const SEPARATE_THRESHOLD = 255;
/** Bounds in whole thousandths up to this many go into a varbit code. */
const MAX_THOUSANDTHS = 33554430;

/** Reads the layout at the reader's bit; throws `corrupt`. */
export function readLayout(r: BitReader): HistogramLayout {
  const exponent = r.bits(8);
  let zeroThreshold = 0;
  if (exponent === SEPARATE_THRESHOLD) zeroThreshold = readFloat(r);
  else if (exponent > 0) zeroThreshold = 2 ** (exponent - EXPONENT_BIAS - 1);
  const schema = r.varbitInt();
  const custom = schema === CUSTOM_BUCKETS_SCHEMA;
  if (!custom && (schema < READABLE_SCHEMA_MIN || schema > READABLE_SCHEMA_MAX)) {
    throw r.corrupt(`unknown histogram schema ${schema}`);
  }
  const positiveSpans = readSpans(r);
  const negativeSpans = readSpans(r);
  const customValues = custom ? readBounds(r) : NO_BOUNDS;
  return {schema, zeroThreshold, positiveSpans, negativeSpans, customValues};
}

function readSpans(r: BitReader): Span[] {
  const count = r.varbitUint();
  if (count > r.remaining) throw r.corrupt(`${count} spans stated`);
  const spans: Span[] = [];
  for (let i = 0; i < count; i++) {
    const length = r.varbitUint();
    const offset = r.varbitInt();
    spans.push({offset, length});
  }
  // Every bucket takes at least one bit further on.
  if (spanBuckets(spans) > r.remaining) throw r.corrupt(`${spanBuckets(spans)} buckets stated`);
  return spans;
}

function readBounds(r: BitReader): Float64Array {
  const count = r.varbitUint();
  if (count > r.remaining) throw r.corrupt(`${count} bucket bounds stated`);
  const bounds = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const thousandths = r.varbitUint();
    bounds[i] = thousandths === 0 ? readFloat(r) : (thousandths - 1) / 1000;
  }
  return bounds;
}

const float = new Float64Array(1);
const floatWords = new Uint32Array(float.buffer);

function readFloat(r: BitReader): number {
  r.bits64(64);
  floatWords[0] = r.lo;
  floatWords[1] = r.hi;
  return float[0] as number;
}

function putFloat(w: BitWriter, value: number): void {
  float[0] = value;
  w.put64(floatWords[1] as number, floatWords[0] as number, 64);
}

/** Writes the layout at the writer's bit. */
export function writeLayout(w: BitWriter, layout: HistogramLayout): void {
  writeThreshold(w, layout.zeroThreshold);
  w.varbitInt(layout.schema);
  writeSpans(w, layout.positiveSpans);
  writeSpans(w, layout.negativeSpans);
  if (layout.schema !== CUSTOM_BUCKETS_SCHEMA) return;
  w.varbitUint(layout.customValues.length);
  for (const bound of layout.customValues) {
    const thousandths = Math.round(bound * 1000);
    // Compat: only what the division gives back exactly may take the short form.
    if (bound * 1000 >= 0 && bound * 1000 <= MAX_THOUSANDTHS && thousandths / 1000 === bound && !Object.is(bound, -0)) {
      w.varbitUint(thousandths + 1);
    } else {
      w.put(0, 1);
      putFloat(w, bound);
    }
  }
}

function writeThreshold(w: BitWriter, threshold: number): void {
  if (threshold === 0) {
    w.byte(0);
    return;
  }
  const exponent = Math.log2(threshold) + 1;
  if (Number.isInteger(exponent) && exponent >= -242 && exponent <= 11 && 2 ** (exponent - 1) === threshold) {
    w.byte(exponent + EXPONENT_BIAS);
    return;
  }
  w.byte(SEPARATE_THRESHOLD);
  putFloat(w, threshold);
}

function writeSpans(w: BitWriter, spans: readonly Span[]): void {
  w.varbitUint(spans.length);
  for (const {offset, length} of spans) {
    w.varbitUint(length);
    w.varbitInt(offset);
  }
}

/** Whether a layout of this schema is reduced on reading. */
export const needsReduction = (layout: HistogramLayout): boolean => layout.schema > EXPONENTIAL_SCHEMA_MAX;
