import {BitReader} from "@strata/bytes";
import type {HistogramBody} from "@strata/kernels";
import {StartTimesTwin} from "./start-times-twin.ts";

const STALE = 0x7ff0000000000002n;

/** What assembly/histogram.ts leaves: bit patterns of all counts and rows. */
export type TwinSamples = {
  live: number;
  t: number[];
  count: bigint[];
  zeroCount: bigint[];
  sum: bigint[];
  rows: bigint[];
  st: number[] | undefined;
};

/** A value XORed on, with its own window. */
class XorField {
  #sig = 64;
  #trail = 0;
  bits = 0n;

  next(r: BitReader): bigint {
    if (r.bit() === 0) return this.bits;
    if (r.bit() === 1) {
      const lead = r.bits(5);
      this.#sig = r.bits(6) || 64;
      this.#trail = 64 - lead - this.#sig;
      if (this.#trail < 0) throw r.corrupt("an impossible window");
    }
    r.bits64(this.#sig);
    this.bits ^= BigInt.asUintN(64, r.signed64()) << BigInt(this.#trail);
    return this.bits;
  }
}

/** An integer given by its second differences, in wrapping 64 bits. */
class IntField {
  #delta = 0n;
  value = 0n;

  next(r: BitReader): bigint {
    this.#delta += varbit64(r);
    this.value = BigInt.asIntN(64, this.value + this.#delta);
    return this.value;
  }
}

/** The plain TypeScript form of the decoders in assembly/histogram.ts, exact through BigInt. Throws `corrupt`. */
export function histogramDecodeTwin(data: Uint8Array, from: number, length: number, body: HistogramBody): TwinSamples {
  const r = new BitReader(data, "histogram chunk", from, from + length);
  r.skip(body.startBit);
  const {float, positive, negative, samples, stHeader} = body;
  const starts = stHeader >= 0 ? new StartTimesTwin(stHeader) : undefined;
  const out: TwinSamples = {live: 0, t: [], count: [], zeroCount: [], sum: [], rows: [], st: starts && []};
  const time = new IntField();
  const fields = Array.from({length: 2 + positive + negative}, () => (float ? new XorField() : new IntField()));
  const sum = new XorField();
  let stale = false;
  for (let i = 0; i < samples; i++) {
    const before = Number(time.value);
    let pair: [bigint, bigint];
    if (i === 0) {
      time.value = varbit64(r);
      pair = [first(r, fields[0]!, true), first(r, fields[1]!, true)];
      first(r, sum, false);
    } else {
      time.next(r);
      pair = [fields[0]!.next(r), fields[1]!.next(r)];
      sum.next(r);
    }
    out.t.push(Number(time.value));
    out.sum.push(sum.bits);
    if (sum.bits === STALE) {
      stale = true;
      pair = [0n, 0n];
    } else {
      if (stale) throw r.corrupt("a histogram after a stale marker");
      out.live++;
      for (const field of fields.slice(2))
        out.rows.push(BigInt.asUintN(64, i === 0 ? first(r, field, false) : field.next(r)));
    }
    out.count.push(BigInt.asUintN(64, pair[0]));
    out.zeroCount.push(BigInt.asUintN(64, pair[1]));
    if (starts !== undefined) out.st?.push(i === 0 ? starts.first(r, Number(time.value)) : starts.next(r, i, before));
  }
  return out;
}

function first(r: BitReader, field: XorField | IntField, unsigned: boolean): bigint {
  if (field instanceof XorField) {
    r.bits64(64);
    field.bits = BigInt.asUintN(64, r.signed64());
    return field.bits;
  }
  field.value = unsigned ? BigInt.asIntN(64, uvarbit64(r)) : varbit64(r);
  return field.value;
}

/** Whether the next code has more than 25 payload bits, so that hi and lo hold it. */
const isWide = (r: BitReader): boolean => Math.clz32(~r.peek32()) >= 7;

function varbit64(r: BitReader): bigint {
  const wide = isWide(r);
  const value = r.varbitInt();
  return wide ? r.signed64() : BigInt(value);
}

function uvarbit64(r: BitReader): bigint {
  const wide = isWide(r);
  const value = r.varbitUint();
  return wide ? BigInt.asUintN(64, r.signed64()) : BigInt(value);
}
