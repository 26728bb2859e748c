import {jsonFloat, jsonPoints, jsonTime} from "@strata/kernels";
import type {Labels} from "@strata/model";
import {formatFloat} from "@strata/promql";
import {ascendingBuckets, type FloatHistogram} from "./histogram/float-histogram.ts";
import type {QueryResult} from "./query-result.ts";

/** Size at which a piece of JSON is handed on. */
const PIECE = 256 * 1024;
/** Points of one series between two looks at that size. */
const STRETCH = 4096;

/** The value of `result` in a query answer, as Prometheus writes it. Pieces are the caller's own. */
export function* writeResultJson(result: QueryResult): Generator<Uint8Array<ArrayBuffer>> {
  const out = new JsonWriter();
  if (result.type === "string" || result.type === "scalar") {
    const text = result.type === "string" ? result.text : formatFloat(result.values[0] as number);
    out.add(`[${timeText(result.times[0] ?? 0)},`);
    out.text(text);
    out.add("]");
  } else {
    out.add("[");
    for (let s = 0; s < result.labels.length; s++) {
      if (s > 0) out.add(",");
      if (result.type === "vector") vectorSample(out, result, s);
      else yield* matrixSeries(out, result, s);
      if (out.length > PIECE) yield out.take();
    }
    out.add("]");
  }
  yield out.take();
}

function vectorSample(out: JsonWriter, result: QueryResult, s: number): void {
  const p = result.firstPoint[s] as number;
  metric(out, result.labels[s] as Labels);
  const h = result.histograms?.get(p);
  out.add(h === undefined ? ',"value":' : ',"histogram":');
  point(out, result, p, 0, h);
  out.add("}");
}

function* matrixSeries(out: JsonWriter, result: QueryResult, s: number): Generator<Uint8Array<ArrayBuffer>> {
  metric(out, result.labels[s] as Labels);
  const from = result.firstPoint[s] as number;
  const to = result.firstPoint[s + 1] as number;
  if (result.histograms === undefined && to > from) {
    for (let p = from; p < to; p += STRETCH) {
      out.add(p === from ? ',"values":[' : ",");
      jsonPoints(result.times, result.values, p, Math.min(p + STRETCH, to), (bytes) => out.raw(bytes));
      if (out.length > PIECE) yield out.take();
    }
    out.add("]}");
    return;
  }
  for (const histograms of [false, true]) {
    let started = false;
    for (let p = from; p < to; p++) {
      const h = result.histograms?.get(p);
      if ((h !== undefined) !== histograms) continue;
      out.add(started ? "," : histograms ? ',"histograms":[' : ',"values":[');
      started = true;
      point(out, result, p, p - from, h);
      if (out.length > PIECE) yield out.take();
    }
    if (started) out.add("]");
  }
  out.add("}");
}

function metric(out: JsonWriter, labels: Labels): void {
  out.add('{"metric":{');
  const {pairs} = labels;
  for (let i = 0; i < pairs.length; i += 2) {
    if (i > 0) out.add(",");
    out.text(pairs[i] as string);
    out.add(":");
    out.text(pairs[i + 1] as string);
  }
  out.add("}");
}

/** Point p of the result, the i-th one of its series. */
function point(out: JsonWriter, result: QueryResult, p: number, i: number, h: FloatHistogram | undefined): void {
  const time = out.time(result.times[p] as number, i);
  if (h === undefined) {
    out.add(`[${time},"${jsonFloat(result.values[p] as number)}"]`);
    return;
  }
  const text = (v: number) => `"${jsonFloat(v)}"`;
  out.add(`[${time},{"count":${text(h.count)},"sum":${text(h.sum)}`);
  const buckets = ascendingBuckets(h).filter((b) => b.count !== 0);
  if (buckets.length > 0) {
    const parts = buckets.map((b) => {
      const bounds = b.lowerInclusive ? (b.upperInclusive ? 3 : 1) : b.upperInclusive ? 0 : 2;
      return `[${bounds},${text(b.lower)},${text(b.upper)},${text(b.count)}]`;
    });
    out.add(`,"buckets":[${parts.join(",")}]`);
  }
  out.add("}]");
}

/** The time of a scalar or string, ms: seconds without trailing zeros. Points have three digits, see JsonWriter. */
function timeText(t: number): string {
  return String(t / 1000);
}

const ENCODER = new TextEncoder();

/** Characters that are gathered before they become bytes. */
const GATHERED = 8 * 1024;
/** Most answers are small. */
const FIRST_BYTES = 4096;
/** Points of a series whose times are kept as texts for the next series. */
const KEPT_TIMES = 4096;

/**
 * Bytes growing at the end. PERF: text is gathered in a string, which V8 joins lazily, and encoded some kilobytes at a
 * time: a third of the time that writing character by character takes.
 */
class JsonWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BYTES);
  #used = 0;
  #gathered = "";
  /** The time of point i of the series written last that had one, and its text. */
  readonly #times: number[] = [];
  readonly #timeTexts: string[] = [];

  /** About how many bytes have been written. */
  get length(): number {
    return this.#used + this.#gathered.length;
  }

  /** Text that needs no escapes. */
  add(text: string): void {
    this.#gathered += text;
    if (this.#gathered.length > GATHERED) this.#flush();
  }

  /**
   * The time of point `i` of a series, ms: whole seconds, or seconds with three digits behind the dot. PERF: series of a
   * matrix share their times.
   */
  time(t: number, i: number): string {
    if (this.#times[i] === t) return this.#timeTexts[i] as string;
    const text = jsonTime(t);
    if (i < KEPT_TIMES && i <= this.#times.length) {
      this.#times[i] = t;
      this.#timeTexts[i] = text;
    }
    return text;
  }

  /** A JSON string. What HTML takes specially is escaped, as Go's encoder does. */
  text(text: string): void {
    this.add(JSON.stringify(text).replace(/[<>&\u2028\u2029\u007f-\uffff]/g, escapeUnit));
  }

  /** Text as bytes, which are copied. */
  raw(bytes: Uint8Array): void {
    this.#flush();
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** What has been written so far. PERF: large pieces are not copied, and may be moved to another thread as they are. */
  take(): Uint8Array<ArrayBuffer> {
    this.#flush();
    const large = 2 * this.#used > this.#bytes.length;
    const piece = large ? this.#bytes.subarray(0, this.#used) : this.#bytes.slice(0, this.#used);
    if (large) this.#bytes = new Uint8Array(this.#used > PIECE ? PIECE + PIECE / 4 : FIRST_BYTES);
    this.#used = 0;
    return piece;
  }

  #reserve(more: number): void {
    const room = this.#used + more;
    if (room <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, room));
    grown.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = grown;
  }

  #flush(): void {
    if (this.#gathered === "") return;
    // A UTF-16 unit takes up to three bytes.
    this.#reserve(3 * this.#gathered.length);
    this.#used += ENCODER.encodeInto(this.#gathered, this.#bytes.subarray(this.#used)).written;
    this.#gathered = "";
  }
}

const ESCAPED = "<>&\u2028\u2029";

const escapeUnit = (char: string): string =>
  ESCAPED.includes(char) ? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}` : char;
