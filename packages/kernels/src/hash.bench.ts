// node packages/kernels/src/hash.bench.ts: crc32c, xxhash64 and snappy, kernel against twin, over input sizes.
import {crc32cKernel, crc32cTwin} from "./crc32c.ts";
import {kernel} from "./kernel.ts";
import {snappyEncode} from "./snappy.ts";
import {snappyDecodeTwin, snappyEncodeTwin} from "./snappy-twin.ts";
import {nsPerItem, printPair} from "./testing/bench.ts";
import {xxhash64, xxhash64Twin, xxhash64Words} from "./xxhash64.ts";

const k = kernel();
const text = Array.from(
  {length: 20_000},
  (_, i) => `metric_${i % 97}{job="api",instance="10.0.0.${i % 250}:9100"} ${i * 17}\n`,
);
const data = new TextEncoder().encode(text.join("")).slice(0, 1 << 20);
const gbPerS = (ns: number, bytes: number): string => `${(bytes / ns).toFixed(2)} GB/s`;
let sink = 0;

for (const size of [16, 32, 64, 128, 256, 1024, 16384, 1 << 20]) {
  const a = nsPerItem(1, () => {
    sink ^= crc32cKernel(data, 0, size, 0);
  });
  const b = nsPerItem(1, () => {
    sink ^= crc32cTwin(data, 0, size, 0);
  });
  printPair(`crc32c ${size} B, ${gbPerS(a, size)}`, a, b, "ns");
}
const inside = k.alloc(1 << 20);
k.write(inside, data);
const bare = nsPerItem(1, () => {
  sink ^= k.exports.crc32c(inside, 1 << 20, 0);
});
console.log(`crc32c inside linear memory: ${gbPerS(bare, 1 << 20)}`);

const words = {hi: 0, lo: 0};
for (const size of [16, 64, 256, 4096]) {
  const a = nsPerItem(1, () => {
    sink ^= xxhash64Words(data, 0, size, words).lo;
  });
  const big = nsPerItem(1, () => {
    sink ^= Number(xxhash64(data, 0, size) & 1n);
  });
  const b = nsPerItem(1, () => {
    sink ^= Number(xxhash64Twin(data, 0, size) & 1n);
  });
  printPair(`xxhash64 ${size} B, words (bigint ${big.toFixed(0)})`, a, b, "ns");
}

for (const size of [64, 128, 256, 1024, 16384, 1 << 20]) {
  const block = snappyEncode(data, 0, size);
  const out = new Uint8Array(size);
  const a = nsPerItem(1, () => {
    const src = k.scratch(block.length + size + 128);
    k.u8().set(block, src);
    k.exports.snappyDecode(src, block.length, src + block.length + 32, size + 32);
    sink ^= k.read(src + block.length + 32, size).length;
  });
  const b = nsPerItem(1, () => {
    sink ^= snappyDecodeTwin(block, 0, block.length, out);
  });
  printPair(`snappy decode ${size} B, ${gbPerS(a, size)}`, a, b, "ns");
  const c = nsPerItem(1, () => {
    sink ^= snappyEncode(data, 0, size).length;
  });
  const d = nsPerItem(1, () => {
    sink ^= snappyEncodeTwin(data, 0, size).length;
  });
  const ratio = (size / block.length).toFixed(2);
  printPair(`snappy encode ${size} B (${ratio}:1), ${gbPerS(c, size)}`, c, d, "ns");
}
console.log(`(sink ${sink})`);
