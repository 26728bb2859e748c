// npm run bench -- query-dedup [--series=5000] [--reps=5] [--bucket=DIR]: queries over two replicas through store gateway
// and querier, the replicas merged and left as they are, in turn. Where a thanos is on PATH it does the same.
import {fleetBucket} from "./support/fleet.ts";
import {ask, QUERIES} from "./support/queries.ts";
import {record} from "./support/record.ts";
import {startSystems, withScope} from "./support/systems.ts";
import {flag, median, ms, printTable, ratio} from "./support/table.ts";

const SERIES = flag("series", 5000);
const REPS = flag("reps", 5);

await withScope(async (scope) => {
  const bucket = await fleetBucket(scope, {series: SERIES, hours: 24, stepMs: 15_000, replicas: 2});
  const rows: string[][] = [];
  const means: Record<string, number> = {};
  for (const system of await startSystems(scope, bucket)) {
    const ratios: number[] = [];
    for (const query of QUERIES) {
      const waits: Record<"true" | "false", number[]> = {true: [], false: []};
      for (let rep = 0; rep <= REPS; rep++) {
        for (const dedup of ["true", "false"] as const) {
          const from = performance.now();
          await ask(system.url, query, {dedup});
          if (rep > 0) waits[dedup].push(performance.now() - from);
        }
      }
      const [on, off] = [median(waits.true), median(waits.false)];
      ratios.push(on / off);
      rows.push([`${query.name}, ${system.name}`, ms(on), ms(off), ratio(on, off)]);
    }
    const mean = Math.exp(ratios.reduce((sum, r) => sum + Math.log(r), 0) / ratios.length);
    means[system.name] = mean;
    rows.push([`geometric mean, ${system.name}`, "", "", ratio(mean, 1)]);
  }
  console.log();
  record("two replicas merged", "× as they are", means, {measure: "cost of merging"});
  printTable(["query", "merged ms", "as they are ms", ""], rows);
});
