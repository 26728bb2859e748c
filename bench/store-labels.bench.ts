// npm run bench -- store-labels [--series=100000] [--reps=5]: the values of a label under a matcher over very many series,
// beside the instant query that counts the same selector, both through querier and store gateway: a drop-down must not be
// slower than the graph under it. Where a thanos is on PATH it answers the same.
import assert from "node:assert/strict";
import {mkdtempSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {encodeXorChunks} from "@strata/chunkenc";
import {Labels, newUlid} from "@strata/model";
import {BlockWriter, EMPTY_THANOS_META} from "@strata/tsdb";
import {FLEET_END} from "./support/fleet.ts";
import {record} from "./support/record.ts";
import {residentMb, type System, startSystems, withScope} from "./support/systems.ts";
import {flag, median, ms, printTable, ratio} from "./support/table.ts";

const SERIES = flag("series", 100_000);
const REPS = flag("reps", 5);
const BLOCK_MS = 2 * 3_600_000;
const END = FLEET_END / 1000 - 1;

/** One series of each pod; a hundred pods to a namespace, of which half are in each of two zones. */
async function writePods(bucket: string): Promise<void> {
  const writer = await BlockWriter.create(bucket, {ulid: newUlid(FLEET_END - BLOCK_MS)});
  const n = 8;
  const t = Float64Array.from({length: n}, (_, i) => FLEET_END - (n - i) * 30_000);
  const [chunk] = encodeXorChunks({t, v: new Float64Array(n).fill(1), st: undefined, n});
  assert.ok(chunk !== undefined);
  const width = String(SERIES).length;
  for (let i = 0; i < SERIES; i++) {
    const pod = String(i).padStart(width, "0");
    const namespace = `ns-${pod.slice(0, -2)}`;
    const zone = i % 2 === 0 ? "a" : "b";
    writer.startSeries(Labels.fromObject({__name__: "kube_pod_info", namespace, pod: `pod-${pod}`, zone}));
    await writer.addChunk(chunk.mint, chunk.maxt, chunk.encoding, chunk.data);
    await writer.endSeries();
  }
  const thanos = {...EMPTY_THANOS_META, labels: {cluster: "a"}, source: "sidecar", segmentFiles: ["000001"]};
  await writer.finish({minTime: FLEET_END - BLOCK_MS, maxTime: FLEET_END, thanos});
}

const SELECTORS = ['kube_pod_info{zone="a"}', 'kube_pod_info{namespace=~"ns-.*1"}'];

/** Values of `label` under a selector: how many there are. */
async function values(url: string, label: string, selector: string): Promise<number> {
  const params = new URLSearchParams({"match[]": selector, start: String(END - 7000), end: String(END)});
  const response = await fetch(`${url}/api/v1/label/${label}/values?${params}`);
  const body = (await response.json()) as {data: string[]};
  assert.equal(response.status, 200);
  return body.data.length;
}

async function count(url: string, selector: string): Promise<number> {
  const response = await fetch(
    `${url}/api/v1/query?${new URLSearchParams({query: `count(${selector})`, time: String(END)})}`,
  );
  const body = (await response.json()) as {data: {result: {value: [number, string]}[]}};
  return Number(body.data.result[0]?.value[1]);
}

async function timed(work: () => Promise<number>, want: number): Promise<number> {
  const begun = performance.now();
  assert.equal(await work(), want);
  return performance.now() - begun;
}

async function measure(selector: string, systems: readonly System[]): Promise<string[][]> {
  const rows: string[][] = [];
  const want = await count(systems[0]?.url as string, selector);
  assert.ok(want > 0);
  for (const system of systems) {
    const [query, pods, namespaces]: [number[], number[], number[]] = [[], [], []];
    const spaces = await values(system.url, "namespace", selector);
    for (let rep = 0; rep <= REPS; rep++) {
      query.push(await timed(() => count(system.url, selector), want));
      pods.push(await timed(() => values(system.url, "pod", selector), want));
      namespaces.push(await timed(() => values(system.url, "namespace", selector), spaces));
    }
    const of = (times: number[]) => median(times.slice(1));
    const peak = system.parts.map(({server}) => residentMb(server.pid).peak.toFixed(0));
    rows.push([
      `${selector}, ${system.name}`,
      ms(of(query)),
      ms(of(pods)),
      ratio(of(pods), of(query)),
      ms(of(namespaces)),
      ratio(of(namespaces), of(query)),
      peak.join(" + "),
    ]);
    record(`values of pod in ${SERIES} series under ${selector}`, "ms", {[system.name]: of(pods)});
  }
  return rows;
}

await withScope(async (scope) => {
  const bucket = mkdtempSync(join(tmpdir(), "strata-bench-"));
  scope.after(() => rmSync(bucket, {recursive: true}));
  await writePods(bucket);
  const systems = await startSystems(scope, bucket);
  const rows: string[][] = [];
  for (const selector of SELECTORS) rows.push(...(await measure(selector, systems)));
  console.log(`\n${SERIES} series; medians of ${REPS}`);
  printTable(["selector", "count ms", "pods ms", "of count", "namespaces ms", "of count", "peak MB"], rows);
});
