// npm run bench -- receive [--series=20000] [--rounds=30] [--per=2000] [--connections=4]: remote write and OTLP into one
// receiver, and with three copies into three. CPU is that of the receivers alone. Where a thanos is on PATH it gets the
// same requests in turn, and the ratios are printed; a prometheus and a victoria-metrics get those of remote write 1.0. Each receiver is warmed up with as many requests as are measured.
import assert from "node:assert/strict";
import type {Server, TestScope} from "@strata/base/testing";
import {otherWriters} from "./support/others.ts";
import {appended, type Receiver, startReceivers} from "./support/receivers.ts";
import {bySystem, record} from "./support/record.ts";
import {cpuSeconds, type Program, programs, residentMb, withScope} from "./support/systems.ts";
import {flag, ms, printTable, quantile, ratio} from "./support/table.ts";
import {encodeLoad, type Protocol, sendLoad} from "./support/write-load.ts";

const SERIES = flag("series", 20_000);
const ROUNDS = flag("rounds", 30);
const PER_REQUEST = flag("per", 2000);
const CONNECTIONS = flag("connections", 4);

type Result = {readonly rate: number; readonly cpu: number; readonly p99: number; readonly peak: number};

const scenarios: readonly {name: string; protocol: Protocol; copies: number}[] = [
  {name: "remote write 1.0", protocol: "v1", copies: 1},
  {name: "remote write 2.0", protocol: "v2", copies: 1},
  {name: "OTLP, protobuf", protocol: "otlp", copies: 1},
  {name: "OTLP, JSON", protocol: "otlp-json", copies: 1},
  {name: "1.0, three copies", protocol: "v1", copies: 3},
];

console.log(`${SERIES} series, ${PER_REQUEST} samples a request, ${CONNECTIONS} connections`);
const PROGRAMS = programs();
const OTHERS = otherWriters();
const rows: string[][] = [];
for (const {name, protocol, copies} of scenarios) {
  const results: Result[] = [];
  for (const program of PROGRAMS) results.push(await withScope((scope) => measure(scope, program, protocol, copies)));
  const others = protocol === "v1" && copies === 1 ? OTHERS : [];
  const othersResults: Result[] = [];
  for (const other of others) {
    othersResults.push(
      await withScope(async (scope) => {
        const writer = await other.start(scope);
        return loaded([writer], writer.write, () => [writer.taken()], protocol, other.name);
      }),
    );
  }
  for (const [key, measure, unit] of [
    ["cpu", "CPU", "s per million copies"],
    ["rate", "throughput", "samples/s"],
    ["p99", "99 of 100 requests within", "ms"],
    ["peak", "peak memory", "MB"],
  ] as const) {
    const values = {
      ...bySystem(PROGRAMS, results, (result) => result[key]),
      ...bySystem(others, othersResults, (result) => result[key]),
    };
    record(name, unit, values, {measure, better: key === "rate" ? "more" : "less"});
  }
  const [own, other] = results as [Result, Result | undefined];
  const show = ({rate, cpu, p99, peak}: Result): string[] => [
    (rate / 1000).toFixed(0),
    cpu.toFixed(2),
    ms(p99),
    peak.toFixed(0),
  ];
  rows.push([name, ...show(own), ...(other === undefined ? [] : [...show(other), ratio(own.cpu, other.cpu)])]);
  for (const [i, result] of othersResults.entries()) {
    rows.push([`${name}, ${others[i]?.name}`, ...show(result), ratio(own.cpu, result.cpu)]);
  }
}
const head = ["k samples/s", "CPU s/M copies", "p99 ms", "peak MB"];
printTable(["", ...head, ...(PROGRAMS.length > 1 ? [...head.map((h) => `thanos ${h}`), "CPU"] : [])], rows);

async function measure(scope: TestScope, program: Program, protocol: Protocol, copies: number): Promise<Result> {
  const receivers = await startReceivers(scope, program, copies);
  const [first] = receivers as [Receiver];
  const taken = () => receivers.map(({metrics}) => appended(metrics));
  return loaded(receivers, first.write, taken, protocol, program.name);
}

/** Warms servers up, measures them under the load, and looks whether they have taken all of it. */
async function loaded(
  receivers: readonly Server[],
  address: string,
  taken: () => readonly Promise<number>[],
  protocol: Protocol,
  name: string,
): Promise<Result> {
  const now = Date.now() - 2 * ROUNDS * 15_000;
  const options = {protocol, series: SERIES, rounds: ROUNDS, perRequest: PER_REQUEST};
  await sendLoad(address, encodeLoad({...options, start: now}), CONNECTIONS);
  const load = encodeLoad({...options, start: now + ROUNDS * 15_000});
  const cpu = (): number => receivers.reduce((sum, r) => sum + cpuSeconds(r.pid), 0);
  const [cpu0, from] = [cpu(), performance.now()];
  const took = await sendLoad(address, load, CONNECTIONS);
  const seconds = (performance.now() - from) / 1000;
  const used = cpu() - cpu0;
  const counts = await Promise.all(taken());
  const stored = counts.reduce((sum, count) => sum + count, 0);
  // Of several copies a quorum is acknowledged; on a machine that is too busy the others may be given up.
  const quorum = Math.floor(receivers.length / 2) + 1;
  assert.ok(stored >= 2 * load.samples * quorum && stored <= 2 * load.samples * receivers.length, `${name}: ${counts}`);
  return {
    rate: load.samples / seconds,
    cpu: (used / (stored / 2)) * 1e6,
    p99: quantile(took, 0.99),
    peak: Math.max(...receivers.map((r) => residentMb(r.pid).peak)),
  };
}
