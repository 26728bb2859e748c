import {type EngineOptions, execute, type QueryResult, writeResultJson} from "@strata/engine";
import {type Matcher, matcher} from "@strata/model";
import {type Expr, parseExpr, transform} from "@strata/promql";
import type {Selectable} from "@strata/series";
import {analysisOf} from "./analysis.ts";
import {RemoteQueryable} from "./distributed/remote-queryable.ts";
import {enforceOnExpr} from "./enforce-tenancy.ts";
import type {FanoutLog} from "./fanout-log.ts";
import {federateText} from "./federate-text.ts";
import type {FromQuery, Job} from "./messages.ts";
import {resultMessages} from "./result-messages.ts";

/** What a job came to: what its answer begins with, and the pieces that follow; each piece owns its buffer. */
export type Evaluated = {
  readonly head: Omit<Extract<FromQuery, {kind: "answer"}>, "kind" | "query" | "warnings">;
  readonly pieces: Iterable<Uint8Array<ArrayBuffer>> | AsyncIterable<Uint8Array<ArrayBuffer>>;
};

/** The answer leaves in pieces of about this size. */
const PIECE_BYTES = 256 * 1024;

/** Evaluates a job over `queryable`; `progress` is the engine's. */
export async function evaluateJob(
  job: Job,
  queryable: Selectable,
  progress: NonNullable<EngineOptions["progress"]>,
  fanout: FanoutLog,
  signal: AbortSignal,
): Promise<Evaluated> {
  const {output} = job;
  const options = {...job.options, progress};
  const run = (asked: Expr): Promise<QueryResult> => {
    const enforced = enforceOnExpr(asked, job.tenant);
    const expr = queryable instanceof RemoteQueryable ? queryable.distribute(enforced, job.params) : enforced;
    return execute(expr, job.params, queryable, options, signal);
  };

  const started = performance.now();
  if (output?.kind === "federate") {
    const parts: {current: QueryResult; recent: QueryResult}[] = [];
    for (const selector of output.selectors) {
      const matchers = selector.map((m) => matcher(m.name, m.op, m.value));
      // Which series live is what an instant vector says; the times of their samples are in a range.
      const current = await run(selecting("x", matchers));
      const recent = await run(selecting(`x[${options.lookbackMs}ms]`, matchers));
      parts.push({current, recent});
    }
    const first = parts[0]?.current;
    const head = {resultType: "vector" as const, annotations: [], stats: first?.stats, analysis: undefined};
    return {head: {...head, ...since(started, started)}, pieces: gathered(federateText(parts, output.escaping))};
  }
  const expr = parseExpr(job.query, job.parse);
  const parsed = performance.now();
  const result = await run(expr);
  return {
    head: {
      resultType: result.type,
      annotations: [...result.warnings, ...result.infos],
      stats: result.stats,
      analysis: result.plan && analysisOf(result.plan, fanout.entries()),
      ...since(started, parsed),
    },
    pieces: output?.kind === "messages" ? resultMessages(result, output.series) : writeResultJson(result),
  };
}

/** `text` with `matchers` in place of its selector's own. */
const selecting = (text: string, matchers: readonly Matcher[]): Expr =>
  transform(parseExpr(text), (node) => (node.kind === "vector" ? {...node, name: "", matchers} : node));

/** Seconds for preparation and evaluation. */
const since = (started: number, parsed: number) => ({
  preparation: (parsed - started) / 1000,
  evaluation: (performance.now() - parsed) / 1000,
});

/** Joins small pieces; each result owns its buffer, so that it can be transferred. */
function* gathered(pieces: Iterable<Uint8Array>): Generator<Uint8Array<ArrayBuffer>> {
  let parts: Uint8Array[] = [];
  let size = 0;
  const join = (): Uint8Array<ArrayBuffer> => {
    const out = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      out.set(part, at);
      at += part.length;
    }
    parts = [];
    size = 0;
    return out;
  };
  for (const piece of pieces) {
    parts.push(piece);
    size += piece.length;
    if (size >= PIECE_BYTES) yield join();
  }
  if (size > 0) yield join();
}
