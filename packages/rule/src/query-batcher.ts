import {errorText, StrataError} from "@strata/base";
import type {HttpClient} from "@strata/http-client";
import {formatRfc3339} from "@strata/model";
import type {RuleQuery, RuleVector} from "@strata/rules";
import type {Logger} from "@strata/telemetry";
import {type LabelCache, type QueryAnswer, readVector} from "./query-json.ts";

/** A querier that may take batches. */
export type BatchServer = {readonly url: URL; readonly client: HttpClient};

export type QueryBatcherOptions = {
  /** Whom to ask next; undefined where nobody is. */
  readonly server: () => BatchServer | undefined;
  /** Asks for one query, of whoever answers. */
  readonly single: (query: RuleQuery, signal: AbortSignal) => Promise<QueryAnswer<RuleVector>>;
  readonly labels: LabelCache;
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly logger: Logger;
};

type Waiting = {
  readonly query: RuleQuery;
  readonly signal: AbortSignal;
  readonly answer: PromiseWithResolvers<QueryAnswer<RuleVector>>;
};

/** Most queries of one request. */
export const MOST_QUERIES = 128;
/** After this long a querier that knew no batches is asked again, ms: it may have become another one. */
const ASK_AGAIN_MS = 10 * 60_000;
/** Longest line of an answer. */
const MOST_LINE_BYTES = 256 << 20;

/**
 * Sends queries for the same time that are asked for in the same turn of the event loop in one request, which Strata's
 * querier takes (`POST /api/v1/query_batch`): it reads together what they select. Whatever a batch gives no answer to is
 * asked for by itself, as is everything where the querier knows no batches.
 */
export class QueryBatcher {
  readonly #o: QueryBatcherOptions;
  readonly #without = new Map<string, number>();
  #waiting: Waiting[] = [];

  constructor(options: QueryBatcherOptions) {
    this.#o = options;
  }

  query(query: RuleQuery, signal: AbortSignal): Promise<QueryAnswer<RuleVector>> {
    const waiting: Waiting = {query, signal, answer: Promise.withResolvers()};
    if (this.#waiting.push(waiting) === 1) setImmediate(() => this.#flush());
    return waiting.answer.promise;
  }

  #flush(): void {
    const all = this.#waiting;
    this.#waiting = [];
    for (const alike of Map.groupBy(all, ({query: {t, strategy}}) => `${t} ${strategy}`).values()) {
      for (let i = 0; i < alike.length; i += MOST_QUERIES) void this.#send(alike.slice(i, i + MOST_QUERIES));
    }
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const open = new Set(batch);
    const server = batch.length > 1 ? this.#o.server() : undefined;
    if (server !== undefined && (this.#without.get(server.url.href) ?? 0) <= this.#o.now()) {
      try {
        await this.#ask(server, batch, open);
      } catch (err) {
        const {status} = err instanceof StrataError ? (err.fields as {status?: number}) : {};
        if (status === 404 || status === 405) this.#without.set(server.url.href, this.#o.now() + ASK_AGAIN_MS);
        else this.#o.logger.warn("a batch of queries has failed, asking for each", {err: errorText(err)});
      }
    }
    for (const {query, signal, answer} of open) this.#o.single(query, signal).then(answer.resolve, answer.reject);
  }

  /** Takes those out of `open` that are answered. */
  async #ask({client}: BatchServer, batch: readonly Waiting[], open: Set<Waiting>): Promise<void> {
    const [{query: first}] = batch as [Waiting];
    const params = new URLSearchParams({
      dedup: "true",
      partial_response: String(first.strategy === "warn"),
      time: formatRfc3339(first.t),
    });
    for (const {query} of batch) params.append("query", query.query);
    const request = {
      method: "POST" as const,
      path: "/api/v1/query_batch",
      headers: {"content-type": "application/x-www-form-urlencoded"},
      body: Buffer.from(params.toString()),
    };
    const signals = [...new Set(batch.map(({signal}) => signal)), AbortSignal.timeout(this.#o.timeoutMs)];
    const body = await client.stream(request, AbortSignal.any(signals));
    for await (const line of linesOf(body)) {
      const index = /^\{"index":(\d+),/.exec(line)?.[1];
      const waiting = index === undefined ? undefined : batch[Number(index)];
      if (waiting === undefined || !open.has(waiting)) continue;
      if (this.#take(line.replace(/,$/, ""), waiting)) open.delete(waiting);
    }
  }

  /** Hands an answer on; false for one that says less about the query than about the batch. */
  #take(line: string, {answer}: Waiting): boolean {
    try {
      answer.resolve(readVector(line, this.#o.labels));
    } catch (err) {
      const {errorType} = JSON.parse(line) as {errorType?: string};
      if (errorType !== undefined && errorType !== "execution" && errorType !== "bad_data") return false;
      answer.reject(err);
    }
    return true;
  }
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest: Uint8Array[] = [];
  let held = 0;
  for await (const part of body) {
    let from = 0;
    for (let at = part.indexOf(NEWLINE); at >= 0; at = part.indexOf(NEWLINE, from)) {
      rest.push(part.subarray(from, at));
      yield Buffer.concat(rest).toString("utf8");
      rest = [];
      held = 0;
      from = at + 1;
    }
    rest.push(part.subarray(from));
    held += part.length - from;
    if (held > MOST_LINE_BYTES) throw new StrataError("limit", `an answer has more than ${MOST_LINE_BYTES} bytes`);
  }
}

const NEWLINE = 0x0a;
