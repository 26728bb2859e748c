import {createRequire} from "node:module";
import type prom from "prom-client";

/*
 * The parts of prom-client that are used, file by file. PERF: its index loads what only its own process metrics, push
 * gateway and clusters need, OpenTelemetry's interface among it: 75 files, 40 ms at the start of every program.
 */
const load = createRequire(import.meta.url);

export const Registry = load("prom-client/lib/registry.js") as typeof prom.Registry;
export const Counter = load("prom-client/lib/counter.js") as typeof prom.Counter;
export const Gauge = load("prom-client/lib/gauge.js") as typeof prom.Gauge;
export const Histogram = load("prom-client/lib/histogram.js") as typeof prom.Histogram;
export const Summary = load("prom-client/lib/summary.js") as typeof prom.Summary;

export type Registry = prom.Registry;
export type Counter = prom.Counter;
export type Gauge = prom.Gauge;
export type Histogram = prom.Histogram;
export type Summary = prom.Summary;
