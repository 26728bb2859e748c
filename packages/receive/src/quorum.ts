import {StrataError} from "@strata/base";
import {worstError} from "./ingestor-sink.ts";
import {severalErrors} from "./write-report.ts";

/** Copies that must be written before a write counts. Compat: of two copies, one. */
export const quorumOf = (replication: number): number => (replication === 2 ? 1 : Math.floor(replication / 2) + 1);

/**
 * Counts answers for classes of series that share their endpoints, until each has its quorum or cannot have it any more.
 */
export class Quorum {
  readonly #successes: Uint32Array;
  readonly #failures: Uint32Array;
  readonly #conflicts: Uint32Array;
  readonly #errors: StrataError[][];
  readonly #need: number;
  readonly #tooMany: number;

  /** `replicas` copies of each class, of which `need` must be written. */
  constructor(classes: number, replicas: number, need: number) {
    this.#successes = new Uint32Array(classes);
    this.#failures = new Uint32Array(classes);
    this.#conflicts = new Uint32Array(classes);
    this.#errors = Array.from({length: classes}, () => []);
    this.#need = need;
    this.#tooMany = replicas - need + 1;
  }

  /** Takes the answer of an endpoint for the classes it got. */
  add(classes: Iterable<number>, error: StrataError | undefined): void {
    for (const c of classes) {
      if (error === undefined) this.#successes[c] = (this.#successes[c] as number) + 1;
      else {
        this.#failures[c] = (this.#failures[c] as number) + 1;
        if (error.code === "conflict") this.#conflicts[c] = (this.#conflicts[c] as number) + 1;
        (this.#errors[c] as StrataError[]).push(error);
      }
    }
  }

  /**
   * Whether nothing more has to be waited for: every class has its quorum, or so many conflicts that trying again will not
   * help. Other failures do not end the wait: the answers still to come may.
   */
  get isDecided(): boolean {
    for (let c = 0; c < this.#successes.length; c++) {
      if ((this.#successes[c] as number) < this.#need && (this.#conflicts[c] as number) < this.#tooMany) return false;
    }
    return true;
  }

  /** Why the request failed, by what is known now; undefined when every class that can fail did not. */
  get error(): StrataError | undefined {
    const failed: StrataError[] = [];
    const texts: string[] = [];
    for (let c = 0; c < this.#failures.length; c++) {
      if ((this.#failures[c] as number) < this.#tooMany) continue;
      const errors = this.#errors[c] as StrataError[];
      texts.push(...errors.map((err) => err.message));
      failed.push(this.#cause(errors));
    }
    const worst = worstError(failed);
    if (worst === undefined) return undefined;
    return new StrataError(worst.code, severalErrors(texts.sort()), {fields: worst.fields, cause: worst});
  }

  /**
   * What a class failed with: the kind that reached the quorum's number (of equals: conflict, then what passes), else
   * "unavailable", so that the sender tries again. What is of no known kind is an internal error.
   */
  #cause(errors: readonly StrataError[]): StrataError {
    const byCount = (code: StrataError["code"]): StrataError[] => errors.filter((err) => err.code === code);
    const kinds = [byCount("conflict"), byCount("unavailable"), byCount("limit")].filter((k) => k.length > 0);
    const most = kinds.sort((a, b) => b.length - a.length)[0];
    if (most !== undefined && most.length >= this.#need) return most[0] as StrataError;
    if (errors.length >= this.#need) return new StrataError("unavailable", "target not available");
    return new StrataError("internal", "cannot reach a quorum");
  }
}
