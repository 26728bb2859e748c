import assert from "node:assert/strict";
import {test} from "node:test";
import {anySkip, random, repeat, requireTool, seed} from "@strata/base/testing";
import {Ledger} from "../receive/ledger.ts";
import type {Notification} from "../rule/fleet.ts";
import {until} from "../strata.ts";
import {Known, ms} from "./checks.ts";
import {MixedFleet} from "./mixed-fleet.ts";
import {askDoor, Prober} from "./prober.ts";
import {Truth} from "./truth.ts";
import {everythingDue, everythingInTheBucket} from "./whole-run.ts";

const skip = anySkip(
  ...(["prometheus", "alertmanager", "redis-server", "memcached", "moto"] as const).map(requireTool),
);

/** How long parts go on being ended once each was away: some three minutes with start and end, twenty in a soak run. */
const TROUBLE_MS = repeat(20) * 60_000;
/** Then a machine too busy for a whole pass is let off: which parts were away is told, and another seed takes others. */
const LATEST_MS = TROUBLE_MS + 60_000;
const LEDGER_SERIES = ["0", "1", "2", "3", "4"];
const WRITE_EVERY_MS = 200;

/** How long a fleet may need to be whole again: it shares the machine with other tests. */
const MENDED_MS = 180_000;

test("in a mixed fleet whose parts are killed in turn, queries are right or say what is missing", {skip}, async (t) => {
  const next = random(seed());
  const truth = new Truth(Date.now());
  const began = performance.now();
  const story: string[] = [];
  const tell = (text: string): void => void story.push(`${((performance.now() - began) / 1000).toFixed(1)} s: ${text}`);
  const fleet = await MixedFleet.start(t, truth);
  tell("started");
  const begun = Date.now();
  const ledger = new Ledger(LEDGER_SERIES, () => fleet.writeUrls, WRITE_EVERY_MS);
  const writing = ledger.run();
  const known = new Known();
  const prober = new Prober({
    doors: fleet.doors,
    truth,
    known,
    endpoints: [...fleet.parts.values()].flatMap(({grpc}) => grpc ?? []),
    learn: learner(fleet, ledger, known),
  });
  const whole = async (): Promise<void> => {
    let why: readonly string[] = [];
    const holds = async (): Promise<boolean> => {
      why = await prober.round([]);
      return why.length === 0;
    };
    await until(holds, "whole answers", undefined, MENDED_MS).catch((err: unknown) =>
      assert.fail(`${err}: ${why.join("\n")}`),
    );
  };
  try {
    await until(async () => {
      await prober.learn();
      return known.totals.size === 2 && known.ledger.size > 0;
    }, "first samples");
    await whole();
    tell("all answers are whole");
    const raised: string[] = [];
    const troubles = fleet.troubles();
    for (const victim of endlessly([...troubles.keys()], next)) {
      if (performance.now() - began > (raised.length < troubles.size ? LATEST_MS : TROUBLE_MS)) break;
      const {end, begin} = troubles.get(victim) ?? assert.fail();
      const alert = `${victim}-${raised.length}`;
      raised.push(alert);
      await end();
      tell(`${victim} is away`);
      truth.inputs.set(alert, 1);
      // The front-end stands before one querier.
      const partial = await prober.round(victim === "query-a" ? [victim, "query-frontend"] : [victim]);
      await begin();
      tell(`${victim} is back; ${partial.length} answers were not whole, such as ${partial[0]}`);
      await whole();
      tell("all answers are whole");
      await until(() => told(fleet, alert, "firing").length > 0, `the alert ${alert}`, undefined, MENDED_MS);
      // Before the next one goes, both of the pair know of it.
      await until(
        async () => (await holders(fleet, alert)) === 2,
        `the input of ${alert} in both`,
        undefined,
        MENDED_MS,
      );
    }
    for (const alert of raised) assertToldOnce(fleet, alert);
    ledger.stop();
    await writing;
    await whole();
    tell(`${new Set(raised.map((alert) => alert.replace(/-\d+$/, ""))).size} of ${troubles.size} parts were away`);
    tell(`asked ${prober.counts.whole + prober.counts.partial} times, ${prober.counts.partial} were not whole`);
    await everythingDue(fleet, truth, known, begun);
    tell("everything due was read");
    for (const alert of raised) truth.inputs.set(alert, 0);
    await until(() => raised.every((alert) => told(fleet, alert, "resolved").length > 0), "the end of all alerts");
    await everythingInTheBucket(fleet, truth, known, begun);
    tell("everything due was read from the bucket");
    await until(() => isMerged(fleet), "blocks of both replicas that are one");
  } finally {
    ledger.stop();
    console.log(story.join("\n"));
  }
});

/** Takes note of what both Prometheus and the ledger say they have. One that is away says nothing. */
function learner(fleet: MixedFleet, ledger: Ledger, known: Known): () => Promise<void> {
  let acknowledged = 0;
  return async () => {
    for (; acknowledged < ledger.acknowledged.length; acknowledged++) {
      const at = ledger.acknowledged[acknowledged] as number;
      for (const i of LEDGER_SERIES) Known.add(known.ledger, i, at, Ledger.value(i, at));
    }
    for (const replica of ["a", "b"]) {
      const {series} = await askDoor(fleet.part(`prometheus-${replica}`).url, "query", {query: "truth_total[30s]"});
      for (const [at, value] of series?.[0]?.values ?? []) Known.add(known.totals, replica, ms(at), Number(value));
    }
  };
}

/** How many of the pair have the input of an alert. */
async function holders(fleet: MixedFleet, alert: string): Promise<number> {
  const params = {query: `last_over_time(input{name="${alert}"}[10s])`, dedup: "false"};
  return (await askDoor(fleet.part("query-a").url, "query", params)).series?.length ?? 0;
}

/** Whether the compactor has made one block of those of the pair, and of those of the receivers. */
async function isMerged(fleet: MixedFleet): Promise<boolean> {
  const answer = await fetch(`${fleet.part("compact").url}/api/v1/blocks?view=global`);
  const {data} = (await answer.json()) as {data: {blocks: {thanos: {labels: Record<string, string>}}[]}};
  const merged = data.blocks
    .map(({thanos}) => thanos.labels)
    .filter((l) => !("replica" in l || "receive_replica" in l));
  return (
    merged.some((labels) => "tenant_id" in labels) &&
    merged.some((labels) => !("tenant_id" in labels || "ruler" in labels))
  );
}

/** What Alertmanager told of an alert in a state. */
const told = (fleet: MixedFleet, alert: string, status: string): Notification["alerts"][number][] =>
  fleet.manager.told("Raised", status).filter(({labels}) => labels.name === alert);

/** Told as new once, and not as ended. Alertmanager itself may tell one thing twice when nobody thanks it in time. */
function assertToldOnce(fleet: MixedFleet, alert: string): void {
  const all = ["firing", "resolved"].flatMap((status) => told(fleet, alert, status));
  const events = new Set(all.map(({status, startsAt}) => `${status} since ${startsAt}`));
  assert.equal(events.size, 1, `${alert} was told as ${[...events].join(", ")}`);
}

/** Each of a list in some order, then in another, for ever. */
function* endlessly<T>(list: T[], next: () => number): Generator<T> {
  for (;;) {
    for (let i = list.length - 1; i > 0; i--) {
      const j = Math.floor(next() * (i + 1));
      [list[i], list[j]] = [list[j] as T, list[i] as T];
    }
    yield* list;
  }
}
