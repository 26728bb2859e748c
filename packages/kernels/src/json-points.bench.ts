// node packages/kernels/src/json-points.bench.ts: points of an answer as JSON, kernel against twin.
import {jsonPoints} from "./json-points.ts";
import {jsonPointsTwin} from "./json-points-twin.ts";
import {nsPerItem, printPair} from "./testing/bench.ts";

const POINTS = 10_000;
const times = Float64Array.from({length: POINTS}, (_, i) => 1_700_000_000_000 + i * 60_000);
const VALUES: readonly (readonly [string, (i: number) => number])[] = [
  ["whole numbers", (i) => (i * 7919) % 1_000_003],
  ["three decimals", (i) => ((i * 7919) % 100_003) / 1000],
  ["all digits", (i) => Math.abs(Math.sin(i)) * 1000],
];
let sink = 0;

for (const [name, value] of VALUES) {
  const values = Float64Array.from({length: POINTS}, (_, i) => value(i));
  const kernel = nsPerItem(POINTS, () => {
    jsonPoints(times, values, 0, POINTS, (bytes) => {
      sink += bytes.length;
    });
  });
  const twin = nsPerItem(POINTS, () => {
    sink += Buffer.from(jsonPointsTwin(times, values, 0, POINTS)).length;
  });
  printPair(name, kernel, twin, "ns/point");
}
console.log(`(sink ${sink})`);
