import type {Labels} from "@strata/model";
import {formatFloat} from "@strata/promql";
import {ascendingBuckets, type FloatHistogram} from "./histogram/float-histogram.ts";
import type {QueryResult} from "./query-result.ts";

/** Size at which a piece of JSON is handed on. */
const PIECE = 64 * 1024;

/** The value of `result` in a query answer, as Prometheus writes it. Pieces are the caller's own. */
export function* writeResultJson(result: QueryResult): Generator<Uint8Array> {
  const out = new JsonWriter();
  if (result.type === "string" || result.type === "scalar") {
    const text = result.type === "string" ? result.text : formatFloat(result.values[0] as number);
    out.ascii(`[${timeText(result.times[0] ?? 0)},`);
    out.text(text);
    out.ascii("]");
  } else {
    out.ascii("[");
    for (let s = 0; s < result.labels.length; s++) {
      if (s > 0) out.ascii(",");
      if (result.type === "vector") vectorSample(out, result, s);
      else yield* matrixSeries(out, result, s);
      if (out.length > PIECE) yield out.take();
    }
    out.ascii("]");
  }
  yield out.take();
}

function vectorSample(out: JsonWriter, result: QueryResult, s: number): void {
  const p = result.firstPoint[s] as number;
  metric(out, result.labels[s] as Labels);
  const h = result.histograms?.get(p);
  out.ascii(h === undefined ? ',"value":' : ',"histogram":');
  point(out, result, p, h);
  out.ascii("}");
}

function* matrixSeries(out: JsonWriter, result: QueryResult, s: number): Generator<Uint8Array> {
  metric(out, result.labels[s] as Labels);
  const from = result.firstPoint[s] as number;
  const to = result.firstPoint[s + 1] as number;
  for (const histograms of [false, true]) {
    let started = false;
    for (let p = from; p < to; p++) {
      const h = result.histograms?.get(p);
      if ((h !== undefined) !== histograms) continue;
      out.ascii(started ? "," : histograms ? ',"histograms":[' : ',"values":[');
      started = true;
      point(out, result, p, h);
      if (out.length > PIECE) yield out.take();
    }
    if (started) out.ascii("]");
    if (result.histograms === undefined) break;
  }
  out.ascii("}");
}

function metric(out: JsonWriter, labels: Labels): void {
  out.ascii('{"metric":{');
  const {pairs} = labels;
  for (let i = 0; i < pairs.length; i += 2) {
    if (i > 0) out.ascii(",");
    out.text(pairs[i] as string);
    out.ascii(":");
    out.text(pairs[i + 1] as string);
  }
  out.ascii("}");
}

function point(out: JsonWriter, result: QueryResult, p: number, h: FloatHistogram | undefined): void {
  out.ascii("[");
  out.time(result.times[p] as number);
  out.ascii(",");
  if (h === undefined) {
    out.ascii('"');
    out.ascii(jsonFloat(result.values[p] as number));
    out.ascii('"]');
    return;
  }
  const text = (v: number) => `"${jsonFloat(v)}"`;
  out.ascii(`{"count":${text(h.count)},"sum":${text(h.sum)}`);
  const buckets = ascendingBuckets(h).filter((b) => b.count !== 0);
  if (buckets.length > 0) {
    const parts = buckets.map((b) => {
      const bounds = b.lowerInclusive ? (b.upperInclusive ? 3 : 1) : b.upperInclusive ? 0 : 2;
      return `[${bounds},${text(b.lower)},${text(b.upper)},${text(b.count)}]`;
    });
    out.ascii(`,"buckets":[${parts.join(",")}]`);
  }
  out.ascii("}]");
}

/** A sample value: Go's 'f' format, 'e' below 1e-6 and from 1e21 on, with at least two digits of exponent. */
export function jsonFloat(v: number): string {
  const abs = Math.abs(v);
  if (abs < 1e21 && (abs >= 1e-6 || abs === 0)) return Object.is(v, -0) ? "-0" : String(v);
  if (Number.isNaN(v)) return "NaN";
  if (abs === Infinity) return v > 0 ? "+Inf" : "-Inf";
  const text = String(v);
  const at = text.indexOf("e");
  const exponent = Number(text.slice(at + 1));
  const digits = String(Math.abs(exponent)).padStart(2, "0");
  return `${text.slice(0, at)}e${exponent < 0 ? "-" : "+"}${digits}`;
}

/** The time of a scalar or string, ms: seconds without trailing zeros. Points have three digits, see JsonWriter. */
function timeText(t: number): string {
  return String(t / 1000);
}

const ENCODER = new TextEncoder();

/** Bytes growing at the end. */
class JsonWriter {
  #bytes = new Uint8Array(2 * PIECE);
  length = 0;
  #lastSecond = Number.NaN;
  #lastText = "";

  /** Text that is known to be ASCII. */
  ascii(text: string): void {
    const n = text.length;
    this.#reserve(n);
    const bytes = this.#bytes;
    let at = this.length;
    for (let i = 0; i < n; i++) bytes[at++] = text.charCodeAt(i);
    this.length = at;
  }

  /**
   * The time of a point, ms: whole seconds, or seconds with three digits behind the dot. PERF: matrix points of all
   * series share times, and a second's digits are made once.
   */
  time(t: number): void {
    if (t < 0) {
      this.ascii("-");
      t = -t;
    }
    const second = Math.floor(t / 1000);
    if (second !== this.#lastSecond) {
      this.#lastSecond = second;
      this.#lastText = String(second);
    }
    this.ascii(this.#lastText);
    const ms = t - second * 1000;
    if (ms !== 0) this.ascii(`.${String(ms).padStart(3, "0")}`);
  }

  /** A JSON string. What HTML takes specially is escaped, as Go's encoder does. */
  text(text: string): void {
    const quoted = JSON.stringify(text).replace(/[<>&\u2028\u2029\u007f-\uffff]/g, escapeUnit);
    this.#reserve(quoted.length * 3);
    this.length += ENCODER.encodeInto(quoted, this.#bytes.subarray(this.length)).written;
  }

  /** What has been written so far, as a copy. */
  take(): Uint8Array {
    const piece = this.#bytes.slice(0, this.length);
    this.length = 0;
    return piece;
  }

  #reserve(more: number): void {
    if (this.length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.length + more));
    grown.set(this.#bytes.subarray(0, this.length));
    this.#bytes = grown;
  }
}

const ESCAPED = "<>&\u2028\u2029";

const escapeUnit = (char: string): string =>
  ESCAPED.includes(char) ? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}` : char;
