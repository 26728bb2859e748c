// npm run bench -- store-fetch [--series=10000] [--hours=24]: what a store gateway reads from its bucket to answer each query of
// the set, by its own metric, asked through a querier with nothing cached before; and the memory it took for all of them.
// Where a thanos is on PATH it answers the same.
import assert from "node:assert/strict";
import {fleetBucket} from "./support/fleet.ts";
import {ask, QUERIES} from "./support/queries.ts";
import {bySystem, record} from "./support/record.ts";
import {residentMb, type System, startSystems, withScope} from "./support/systems.ts";
import {flag, printTable, ratio} from "./support/table.ts";

const options = {series: flag("series", 10_000), hours: flag("hours", 24), stepMs: 15_000};

/** MB that the system's store gateway has read so far. */
async function fetchedMb(system: System): Promise<number> {
  const store = system.parts.find(({name}) => name === "store");
  assert.ok(store?.server.url !== undefined);
  const text = await (await fetch(`${store.server.url}/metrics`)).text();
  let bytes = 0;
  for (const [, value] of text.matchAll(/^thanos_objstore_bucket_operation_fetched_bytes_total\{[^}]*\} (\S+)$/gm)) {
    bytes += Number(value);
  }
  return bytes / 1e6;
}

await withScope(async (scope) => {
  const systems = await startSystems(scope, await fleetBucket(scope, options));
  const rows: string[][] = [];
  const totals = systems.map(() => 0);
  for (const query of QUERIES) {
    const fetched: number[] = [];
    for (const [i, system] of systems.entries()) {
      const before = await fetchedMb(system);
      await ask(system.url, query);
      const mb = (await fetchedMb(system)) - before;
      fetched.push(mb);
      totals[i] = (totals[i] ?? 0) + mb;
    }
    rows.push(rowOf(query.name, fetched));
  }
  rows.push(rowOf("all", totals));
  const peaks = systems.map(
    ({parts}) => residentMb(parts.find(({name}) => name === "store")?.server.pid as number).peak,
  );
  rows.push(rowOf("peak memory of the store", peaks));
  record(
    "bytes fetched for the query set",
    "MB",
    bySystem(systems, totals, (mb) => mb),
  );
  record(
    "store gateway over the query set",
    "MB",
    bySystem(systems, peaks, (mb) => mb),
    {measure: "peak memory"},
  );
  console.log("");
  printTable(["MB read for", ...systems.map(({name}) => name), ...(systems.length > 1 ? ["ratio"] : [])], rows);
});

function rowOf(name: string, values: readonly number[]): string[] {
  const [own, other] = values;
  const row = [name, ...values.map((mb) => mb.toFixed(1))];
  if (own !== undefined && other !== undefined) row.push(ratio(own, other));
  return row;
}
