import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {join} from "node:path";
import {until} from "../strata.ts";
import {type Due, firstMissing, type Known, type Series, wrongClock, wrongLedger, wrongTotal} from "./checks.ts";
import type {MixedFleet} from "./mixed-fleet.ts";
import {askDoor} from "./prober.ts";
import type {Truth} from "./truth.ts";

/** Series of which everything is read at once. */
type Subject = {
  readonly metric: string;
  readonly due: Due;
  /** Tells what a series counts for. */
  readonly label: string;
  readonly wrong: (series: readonly Series[]) => string | undefined;
  /** End of what is due (ms), now when left out. */
  readonly until?: number;
};

/** Reads the whole run at once from a querier and judges it. */
async function readRun(
  fleet: MixedFleet,
  begun: number,
  subject: Subject,
  more: Readonly<Record<string, string>> = {},
): Promise<void> {
  const now = Date.now();
  const query = `${subject.metric}[${Math.ceil((now - begun) / 1000)}s]`;
  const params = {query, time: String(now / 1000), dedup: "false", ...more};
  const {series, problem, warnings} = await askDoor(fleet.part("query-a").url, "query", params);
  assert.deepEqual(warnings, []);
  assert.ok(series !== undefined, problem);
  assert.equal(subject.wrong(series), undefined, subject.metric);
  assert.ok(subject.due.size > 0, subject.metric);
  const missing = firstMissing(subject.due, series, (m) => m[subject.label], begun, (subject.until ?? now) - 1);
  assert.equal(missing, undefined, `${subject.metric} of ${JSON.stringify(more)}`);
}

const subjects = (truth: Truth, known: Known): Record<"pair" | "ledger" | "clocks", Subject> => ({
  pair: {
    metric: "truth_total",
    due: known.totals,
    label: "replica",
    wrong: (s: readonly Series[]) => wrongTotal(s, truth),
  },
  ledger: {metric: "ledger", due: known.ledger, label: "i", wrong: wrongLedger},
  clocks: {metric: "clock", due: known.clocks, label: "ruler", wrong: wrongClock},
});

/** Everything that is due is read from a querier, and right. */
export async function everythingDue(fleet: MixedFleet, truth: Truth, known: Known, begun: number): Promise<void> {
  for (const subject of Object.values(subjects(truth, known))) await readRun(fleet, begun, subject);
}

/** What was shipped is in the bucket; receivers ship everything when they end. */
export async function everythingInTheBucket(
  fleet: MixedFleet,
  truth: Truth,
  known: Known,
  begun: number,
): Promise<void> {
  await Promise.all(fleet.all("receive-").map((part) => part.stop()));
  const stores = fleet.all("store-").map(({grpc}) => grpc);
  const onlyStores = {"storeMatch[]": `{__address__=~"${stores.join("|")}"}`};
  const {pair, ledger, clocks} = subjects(truth, known);
  const ofOne = (due: Due, key: string): Due => new Map([[key, due.get(key) ?? new Map<number, number>()]]);
  const parts: Subject[] = [
    ...["a", "b"].map((replica) => ({
      ...pair,
      due: ofOne(pair.due, replica),
      until: shippedUntil(fleet.part(`prometheus-${replica}`).dir),
    })),
    {...clocks, due: ofOne(clocks.due, "stateful"), until: shippedUntil(fleet.part("rule-stateful").dir)},
    {...clocks, due: ofOne(clocks.due, "stateless")},
    ledger,
  ];
  for (const part of parts) {
    let problem: unknown;
    assert.ok(part.until === undefined || part.until > begun, `${part.metric} was not shipped`);
    // What was uploaded a moment ago is seen a moment later.
    const holds = async (): Promise<boolean> => {
      problem = await readRun(fleet, begun, part, onlyStores).catch((err: unknown) => err);
      return problem === undefined;
    };
    await until(holds, `${part.metric} in the bucket`).catch((err: unknown) => assert.fail(`${err}: ${problem}`));
  }
}

/** Up to where (ms) a shipper has uploaded the blocks of a database that are still there; 0 when none was. */
function shippedUntil(dir: string): number {
  const {uploaded} = JSON.parse(readFileSync(join(dir, "thanos.shipper.json"), "utf8")) as {uploaded: string[] | null};
  const ends = (uploaded ?? []).map((ulid) => {
    return (JSON.parse(readFileSync(join(dir, ulid, "meta.json"), "utf8")) as {maxTime: number}).maxTime;
  });
  return Math.max(0, ...ends);
}
