import {errorCode, errorText, StrataError} from "@strata/base";

/** What the compactor stops at with `--debug.halt-on-error`. */
export class HaltError extends StrataError {
  constructor(message: string, options: {cause?: unknown} = {}) {
    super("execution", message, {...options, fields: {action: "halt"}});
    this.name = "HaltError";
  }
}

/** Whether trying again may help: the bucket, the network or another process was in the way. */
export const isRetriable = (err: unknown): boolean => {
  const code = errorCode(err);
  return code === "unavailable" || code === "timeout" || code === "not_found";
};

/** Collects what went wrong in parts of a round that do not depend on one another. */
export class Failures {
  readonly #errors: unknown[] = [];

  add(err: unknown): void {
    this.#errors.push(err);
  }

  get isEmpty(): boolean {
    return this.#errors.length === 0;
  }

  /** All in one: halting or canceled if any is, retriable only if all are. */
  get error(): StrataError {
    const text = this.#errors.map(errorText).join("; ");
    const halting = this.#errors.find((err) => err instanceof HaltError);
    if (halting !== undefined) return new HaltError(text, {cause: halting});
    const canceled = this.#errors.find((err) => errorCode(err) === "canceled");
    if (canceled !== undefined) return new StrataError("canceled", text, {cause: canceled});
    const retriable = this.#errors.every(isRetriable);
    return new StrataError(retriable ? "unavailable" : "internal", text, {cause: this.#errors[0]});
  }
}
