import {mkdir} from "node:fs/promises";
import {parentPort, workerData} from "node:worker_threads";
import {writeDemoHistory} from "./demo-history.ts";
import {demoSeries} from "./demo-series.ts";
import type {DemoJob, WrittenDemo} from "./demo-thread.ts";
import {writeDemoYear} from "./demo-year.ts";

const {recentDir, yearDir, now} = workerData as DemoJob;
await mkdir(yearDir, {recursive: true});
const series = demoSeries();
const year = await writeDemoYear(yearDir, now, series);
const recent = await writeDemoHistory(recentDir, now, series);
parentPort?.postMessage({year, recent} satisfies WrittenDemo);
