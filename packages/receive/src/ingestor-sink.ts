import {StrataError, withContext} from "@strata/base";
import type {WriteWindow} from "@strata/kernels";
import {type Endpoint, endpointText} from "./endpoint.ts";
import type {LocalWriter, TenantsMissing} from "./local-writer.ts";
import type {TenantPart} from "./request-rewrite.ts";
import {severalErrors} from "./write-report.ts";
import type {WriteSink} from "./write-sink.ts";

/** A receiver without a hashring: everything is written here. */
export class IngestorSink implements WriteSink {
  readonly #local: LocalWriter;
  readonly #self: Endpoint;

  /** `address` is how errors name this receiver. */
  constructor(local: LocalWriter, address: string) {
    this.#local = local;
    this.#self = {address, capnprotoAddress: address, az: ""};
  }

  // Compat: the number of a replica is not looked at.
  begin(window: WriteWindow, parts: readonly TenantPart[], _replica: number): Promise<void> {
    this.#local.check(parts);
    const writes = parts.map((part) => this.#local.write(window, part));
    return this.#settle(writes);
  }

  async #settle(writes: readonly Promise<StrataError | undefined>[]): Promise<void> {
    const errors = (await Promise.all(writes)).filter((err) => err !== undefined);
    const worst = worstError(errors);
    if (worst === undefined) return;
    const text = severalErrors(errors.map((err) => err.message));
    throw withContext(
      new StrataError(worst.code, text, {fields: worst.fields, cause: worst}),
      `forwarding request to endpoint ${endpointText(this.#self)}: writing locally`,
    );
  }

  open(missing: TenantsMissing): Promise<void> {
    return this.#local.open(missing);
  }
}

/** The error that decides how a request is answered: what a retry may cure goes first, then conflicts. */
export function worstError(errors: readonly StrataError[]): StrataError | undefined {
  const rank = (err: StrataError): number => {
    if (err.code === "unavailable") return err.fields.notReady === true ? 1 : 0;
    if (err.code === "conflict") return 2;
    return err.code === "limit" ? 3 : 4;
  };
  return [...errors].sort((a, b) => rank(a) - rank(b))[0];
}
