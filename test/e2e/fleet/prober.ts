import {type Check, checksAt, type Known, type Series} from "./checks.ts";
import type {Part} from "./part.ts";
import type {Truth} from "./truth.ts";

export type ProberOptions = {
  /** Where queries are sent. */
  readonly doors: readonly Part[];
  readonly truth: Truth;
  readonly known: Known;
  /** What an answer of which something is missing has to name one of: the addresses of endpoints. */
  readonly endpoints: readonly string[];
  /** Takes note of what the sources have. */
  readonly learn: () => Promise<void>;
};

type Outcome =
  | {readonly kind: "whole"; readonly series: readonly Series[]}
  /** It says what is missing, or that it cannot answer. */
  | {readonly kind: "partial"; readonly why: string}
  | {readonly kind: "false"; readonly why: string};

/** Asks everything that is known through every door, and judges what comes back. */
export class Prober {
  readonly #o: ProberOptions;
  /** Answers that were whole, and that said what was missing. */
  readonly counts = {whole: 0, partial: 0};

  constructor(options: ProberOptions) {
    this.#o = options;
  }

  /** Takes note of what the sources have. */
  learn(): Promise<void> {
    return this.#o.learn();
  }

  /**
   * One round over all doors. Throws where an answer is wrong, or lacks something and says nothing. Gives what kept
   * answers from being whole. A door in `closed`, or one that stands before it, need not answer.
   */
  async round(closed: readonly string[]): Promise<readonly string[]> {
    await this.#o.learn();
    const {truth, known, doors} = this.#o;
    const checks = checksAt(Date.now(), truth, known);
    const why: string[] = [];
    const recorded: (readonly Series[])[] = [];
    await Promise.all(
      doors.map(async (part) => {
        for (const check of checks) {
          const outcome = await this.#ask(part, check, closed);
          const text = outcome.kind === "whole" ? "" : `${check.name} from ${part.name}: ${outcome.why}`;
          if (outcome.kind === "false") throw new Error(text);
          this.counts[outcome.kind]++;
          if (outcome.kind === "partial") why.push(text);
          else if (check.name === "recorded times") recorded.push(outcome.series);
        }
      }),
    );
    // Not before: what one door was told may have come after another was asked.
    for (const series of recorded) this.#remember(series);
    return why;
  }

  /** Recorded times that were told once have to be there ever after. */
  #remember(series: readonly Series[]): void {
    for (const {metric, values} of series) {
      const own = this.#o.known.clocks.get(metric.ruler ?? "") ?? new Map<number, number>();
      this.#o.known.clocks.set(metric.ruler ?? "", own);
      for (const [, value] of values) own.set(Math.round(Number(value) * 1000), Number(value));
    }
  }

  async #ask(door: Part, check: Check, closed: readonly string[]): Promise<Outcome> {
    const answer = await askDoor(door.url, check.path, check.params);
    if (answer.series === undefined) {
      const mayFail = closed.includes(door.name);
      return {kind: mayFail ? "partial" : "false", why: answer.problem};
    }
    const wrong = check.wrong(answer.series);
    if (wrong !== undefined) return {kind: "false", why: wrong};
    const missing = check.missing(answer.series);
    const told = answer.warnings.filter((text) => this.#o.endpoints.some((address) => text.includes(address)));
    if (missing !== undefined && told.length === 0) {
      return {kind: "false", why: `${missing}, and it names no endpoint in ${JSON.stringify(answer.warnings)}`};
    }
    if (answer.warnings.length > 0) return {kind: "partial", why: answer.warnings.join("; ")};
    return {kind: "whole", series: answer.series};
  }
}

export type DoorAnswer = {
  /** undefined when there is no good answer. */
  readonly series: readonly Series[] | undefined;
  readonly warnings: readonly string[];
  readonly problem: string;
};

/** Sends a query in the form in which Grafana and rulers send it. A failure is an answer, too. */
export async function askDoor(
  url: string,
  path: string,
  params: Readonly<Record<string, string>>,
): Promise<DoorAnswer> {
  const body = new URLSearchParams(params);
  let text = "";
  try {
    const answer = await fetch(`${url}/api/v1/${path}`, {method: "POST", body, signal: AbortSignal.timeout(30_000)});
    text = await answer.text();
    if (!answer.ok) return {series: undefined, warnings: [], problem: `${answer.status} ${text}`};
    const {data, warnings} = JSON.parse(text) as {data: {result: Series[]}; warnings?: string[]};
    return {series: data.result, warnings: warnings ?? [], problem: ""};
  } catch (err) {
    const {message, cause} = err as Error;
    return {series: undefined, warnings: [], problem: `${message} ${cause ?? ""} ${text.slice(0, 200)}`};
  }
}
