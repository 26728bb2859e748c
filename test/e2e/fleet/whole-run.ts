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

/** How long the machine may be too busy for a whole answer. */
const BUSY_MS = 180_000;

/** Reads the whole run at once from a querier and judges it. Gives what the answer says it lacks. */
async function readRun(
  fleet: MixedFleet,
  begun: number,
  subject: Subject,
  more: Readonly<Record<string, string>> = {},
): Promise<string | undefined> {
  const now = Date.now();
  const query = `${subject.metric}[${Math.ceil((now - begun) / 1000)}s]`;
  const params = {query, time: String(now / 1000), dedup: "false", ...more};
  const {series, problem, warnings} = await askDoor(fleet.part("query-a").url, "query", params);
  if (series === undefined) return problem;
  assert.equal(subject.wrong(series), undefined, subject.metric);
  if (warnings.length > 0) return warnings.join("; ");
  assert.ok(subject.due.size > 0, subject.metric);
  const missing = firstMissing(subject.due, series, (m) => m[subject.label], begun, (subject.until ?? now) - 1);
  assert.equal(missing, undefined, `${subject.metric} of ${JSON.stringify(more)}`);
  return undefined;
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

/** Reads until nothing is lacking. */
async function untilWhole(what: string, read: () => Promise<string | undefined>): Promise<void> {
  let lacks: string | undefined;
  const holds = async (): Promise<boolean> => {
    lacks = await read();
    return lacks === undefined;
  };
  await until(holds, what, undefined, BUSY_MS).catch((err: unknown) => assert.fail(`${err}: ${lacks}`));
}

/** Everything that is due is read from a querier, and right. */
export async function everythingDue(fleet: MixedFleet, truth: Truth, known: Known, begun: number): Promise<void> {
  for (const subject of Object.values(subjects(truth, known))) {
    await untilWhole(`all of ${subject.metric}`, () => readRun(fleet, begun, subject));
  }
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
    assert.ok(part.until === undefined || part.until > begun, `${part.metric} was not shipped`);
    // What was uploaded a moment ago is seen a moment later.
    const read = () => readRun(fleet, begun, part, onlyStores).catch((err: unknown) => String(err));
    await untilWhole(`${part.metric} in the bucket`, read);
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
