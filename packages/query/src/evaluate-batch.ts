import {setImmediate as nextTurn} from "node:timers/promises";
import {errorCode, errorText} from "@strata/base";
import {type EngineOptions, execute, type QueryResult, writeResultJson} from "@strata/engine";
import {parseExpr} from "@strata/promql";
import type {Select, Selectable, SeriesBatch} from "@strata/series";
import {enforceOnExpr} from "./enforce-tenancy.ts";
import type {Evaluated} from "./evaluate-job.ts";
import {FusedSelects, type SelectSource} from "./fused-selects.ts";
import type {Job} from "./messages.ts";

/**
 * Evaluates many queries for the same times at once; what they select is asked for together (`FusedSelects`). The answer is
 * a JSON array of answers in the order in which they were ready, each on a line of its own, with the query's index in
 * front; a query that fails is an answer, too.
 */
export function evaluateBatch(
  job: Job,
  queries: readonly string[],
  source: SelectSource,
  progress: NonNullable<EngineOptions["progress"]>,
  signal: AbortSignal,
): Evaluated {
  const selects = new FusedSelects(source);
  const sum = new ProgressSum(queries.length, progress);
  const run = async (query: string, i: number): Promise<string> => {
    const view = new BatchView(selects);
    try {
      const expr = parseExpr(query, job.parse);
      const enforced = enforceOnExpr(expr, job.tenant);
      const result = await execute(enforced, job.params, view, {...job.options, progress: sum.of(i)}, signal);
      return answerText(i, result, view.warnings);
    } catch (err) {
      // The end of the whole batch is no answer to one of its queries.
      signal.throwIfAborted();
      return `{"index":${i},"status":"error","errorType":${JSON.stringify(errorCode(err))},"error":${JSON.stringify(errorText(err))}}`;
    }
  };
  const head = {resultType: "vector", annotations: [], stats: undefined, analysis: undefined} as const;
  return {head: {...head, preparation: 0, evaluation: 0}, pieces: lines(queries, run)};
}

/** One query's own view of what all select: its warnings are those of its own selections. */
class BatchView implements Selectable {
  readonly #selects: FusedSelects;
  readonly #warnings = new Set<string>();

  constructor(selects: FusedSelects) {
    this.#selects = selects;
  }

  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  select(q: Select, signal: AbortSignal): AsyncIterable<SeriesBatch> {
    return this.#selects.select(q, signal, (text) => this.#warnings.add(text));
  }
}

/** What the queries of a batch have done, as if they were one. */
class ProgressSum {
  readonly #samples: Float64Array;
  readonly #bytes: Float64Array;
  readonly #tell: NonNullable<EngineOptions["progress"]>;
  #all = {samples: 0, bytes: 0, peak: 0};

  constructor(queries: number, tell: NonNullable<EngineOptions["progress"]>) {
    this.#samples = new Float64Array(queries);
    this.#bytes = new Float64Array(queries);
    this.#tell = tell;
  }

  of(i: number): NonNullable<EngineOptions["progress"]> {
    return (samples, bytes) => {
      const all = this.#all;
      all.samples += samples - (this.#samples[i] as number);
      all.bytes += bytes - (this.#bytes[i] as number);
      all.peak = Math.max(all.peak, all.bytes);
      this.#samples[i] = samples;
      this.#bytes[i] = bytes;
      return this.#tell(all.samples, all.bytes, all.peak);
    };
  }
}

function answerText(index: number, result: QueryResult, warnings: readonly string[]): string {
  const parts: string[] = [`{"index":${index},"status":"success","data":{"resultType":"${result.type}","result":`];
  for (const piece of writeResultJson(result)) parts.push(Buffer.from(piece).toString("utf8"));
  const all = [...result.warnings, ...result.infos, ...warnings];
  parts.push(all.length === 0 ? "}}" : `},"warnings":${JSON.stringify(all)}}`);
  return parts.join("");
}

/** Starts all, and gives what is ready after each turn of the event loop; the first failure ends it. */
async function* lines(
  queries: readonly string[],
  run: (query: string, i: number) => Promise<string>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let ready: string[] = [];
  let left = queries.length;
  let failure: {err: unknown} | undefined;
  let wake = (): void => {};
  for (const [i, query] of queries.entries()) {
    run(query, i).then(
      (text) => {
        ready.push(text);
        wake();
      },
      (err: unknown) => {
        failure ??= {err};
        wake();
      },
    );
  }
  let before = "[\n";
  while (left > 0) {
    if (ready.length === 0 && failure === undefined) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      await nextTurn();
    }
    if (failure !== undefined) throw failure.err;
    left -= ready.length;
    const text = `${before}${ready.join(",\n")}${left === 0 ? "\n]" : ""}`;
    ready = [];
    before = ",\n";
    yield new TextEncoder().encode(text);
  }
}
