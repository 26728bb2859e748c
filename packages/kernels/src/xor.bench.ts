// node packages/kernels/src/xor.bench.ts: ns per sample of the XOR kernels and their twins, 120-sample chunks.
import assert from "node:assert/strict";
import {kernel} from "./kernel.ts";
import {nsPerItem, printPair} from "./testing/bench.ts";
import {xorEncode} from "./xor.ts";
import {xorDecodeTwin, xorEncodeTwin, xorMaxLength} from "./xor-twin.ts";

const CHUNKS = 400;
const SAMPLES = 120;

let state = 12345;
const random = (): number => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};

/** Shapes of real series: next value from the last. */
const shapes: Record<string, (last: number) => number> = {
  "counter, small steps": (last) => last + Math.floor(random() * 20),
  "counter of seconds": (last) => last + random() * 0.3,
  "gauge, two decimals": (last) => Math.round((last + random() - 0.5) * 100) / 100,
  constant: (last) => last,
  "bytes, often unchanged": (last) => (random() < 0.6 ? last : last + 4096 * Math.floor(random() * 50 - 25)),
};

const k = kernel();
const total = CHUNKS * SAMPLES;
const arenaBytes = 8 * total * 2 + CHUNKS * (8 + xorMaxLength(SAMPLES));
const tOut = k.alloc(arenaBytes);
const vOut = tOut + 8 * total;
const offsets = vOut + 8 * total;
const lengths = offsets + 4 * CHUNKS;
const data = lengths + 4 * CHUNKS;

for (const jitter of [0, 5]) {
  for (const [name, next] of Object.entries(shapes)) {
    const t = new Float64Array(total);
    const v = new Float64Array(total);
    let at = 0;
    for (let c = 0; c < CHUNKS; c++) {
      let value = Math.floor(random() * 1e6);
      for (let i = 0; i < SAMPLES; i++) {
        value = next(value);
        t[c * SAMPLES + i] = 1.7e12 + i * 15000 + Math.round((random() - 0.5) * 2 * jitter);
        v[c * SAMPLES + i] = value;
      }
      const chunk = xorEncode(t, v, c * SAMPLES, (c + 1) * SAMPLES);
      k.u32()[offsets / 4 + c] = at;
      k.u32()[lengths / 4 + c] = chunk.length;
      k.write(data + at, chunk);
      at += chunk.length;
    }
    const bytes = k.read(data, at);
    const starts = k.u32().slice(offsets / 4, offsets / 4 + CHUNKS);
    const sizes = k.u32().slice(lengths / 4, lengths / 4 + CHUNKS);
    const tTwin = new Float64Array(total);
    const vTwin = new Float64Array(total);
    const decodeKernel = nsPerItem(total, () => {
      k.exports.xorDecodeMany(data, offsets, lengths, CHUNKS, tOut, vOut, total);
    });
    const decodeTwin = nsPerItem(total, () => {
      for (let c = 0; c < CHUNKS; c++) {
        xorDecodeTwin(bytes, starts[c]!, sizes[c]!, tTwin, vTwin, c * SAMPLES);
      }
    });
    assert.deepEqual(k.f64().slice(vOut / 8, vOut / 8 + total), v);
    assert.deepEqual(vTwin, v);
    assert.deepEqual(tTwin, t);
    const label = `${name}, jitter ${jitter} (${((at * 8) / total).toFixed(0)} bit)`;
    printPair(`decode ${label}`, decodeKernel, decodeTwin, "ns/sample");

    const out = new Uint8Array(xorMaxLength(SAMPLES));
    k.f64().set(t, tOut / 8);
    k.f64().set(v, vOut / 8);
    const scratch = k.scratch(xorMaxLength(SAMPLES));
    const encodeKernel = nsPerItem(total, () => {
      for (let c = 0; c < CHUNKS; c++) {
        k.exports.xorEncode(tOut + c * SAMPLES * 8, vOut + c * SAMPLES * 8, SAMPLES, scratch, xorMaxLength(SAMPLES));
      }
    });
    const encodeTwin = nsPerItem(total, () => {
      for (let c = 0; c < CHUNKS; c++) xorEncodeTwin(t, v, c * SAMPLES, (c + 1) * SAMPLES, out);
    });
    printPair(`encode ${label}`, encodeKernel, encodeTwin, "ns/sample");
  }
}
