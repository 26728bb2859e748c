import assert from "node:assert/strict";
import type {Case} from "./queries.ts";

type Point = readonly [number, string];
type Series = {readonly metric: Record<string, string>; readonly value?: Point; readonly values?: readonly Point[]};
/** A vector or matrix as the HTTP API answers it. */
export type Answer = {
  readonly status: string;
  readonly error?: string;
  readonly warnings?: readonly string[];
  readonly data: {readonly resultType: string; readonly result: readonly Series[]};
};

/** Runs a case against the query API at `base`, ending at `end` (ms). Anything but success without warnings fails. */
export async function ask(base: string, c: Case, end: number): Promise<Answer> {
  const form = new URLSearchParams({query: c.query});
  if (c.range === undefined) {
    form.set("time", (end / 1000).toFixed(3));
  } else {
    form.set("start", ((end - c.range) / 1000).toFixed(3));
    form.set("end", (end / 1000).toFixed(3));
    form.set("step", String((c.step as number) / 1000));
  }
  const path = c.range === undefined ? "query" : "query_range";
  const response = await fetch(`${base}/api/v1/${path}`, {method: "POST", body: form});
  const answer = (await response.json()) as Answer;
  assert.equal(answer.status, "success", `${c.query} at ${base}: ${answer.error}`);
  assert.deepEqual(answer.warnings ?? [], [], `${c.query} at ${base}`);
  return answer;
}

/** Fails unless both answers hold the same series with the same times and values equal within 1e-12, relative. */
export function assertSame(got: Answer, want: Answer, name: string): void {
  assert.equal(got.data.resultType, want.data.resultType, name);
  const wanted = byLabels(want);
  const found = byLabels(got);
  assert.deepEqual([...found.keys()], [...wanted.keys()], `${name}: labels`);
  for (const [labels, points] of wanted) {
    const other = found.get(labels) as readonly Point[];
    assert.deepEqual(
      other.map(([t]) => t),
      points.map(([t]) => t),
      `${name}: times of ${labels}`,
    );
    for (const [i, [t, value]] of points.entries()) {
      const value2 = (other[i] as Point)[1];
      assert.ok(close(Number(value2), Number(value)), `${name}: ${labels} at ${t}: ${value2}, want ${value}`);
    }
  }
}

function byLabels(answer: Answer): Map<string, readonly Point[]> {
  const rows = answer.data.result.map((s) => {
    const labels = Object.entries(s.metric).sort(([a], [b]) => (a < b ? -1 : 1));
    return [JSON.stringify(labels), s.values ?? [s.value as Point]] as const;
  });
  return new Map(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function close(a: number, b: number): boolean {
  if (Object.is(a, b) || a === b) return true;
  return Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));
}
