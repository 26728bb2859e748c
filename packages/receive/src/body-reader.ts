import {ByteBudget, errorText, StrataError} from "@strata/base";
import type {HttpRequest} from "@strata/web";
import {refused} from "./write-failure.ts";

export type BodyLimits = {
  /** Bytes of one body. */
  readonly bytes: number;
  /** Bytes of all bodies that are being read, and of those of one tenant. */
  readonly total: number;
  readonly perTenant: number;
  /** How long a body may take to arrive, ms. */
  readonly timeoutMs: number;
};

export const BODY_LIMITS: BodyLimits = {
  bytes: 64 << 20,
  total: 512 << 20,
  // No tenant can keep the others out.
  perTenant: 192 << 20,
  timeoutMs: 60_000,
};

/** Reads bodies within limits: what has arrived counts, not what was announced. */
export class BodyReader {
  readonly #limits: BodyLimits;
  readonly #all: ByteBudget;
  readonly #tenants = new Map<string, ByteBudget>();

  constructor(limits: BodyLimits = BODY_LIMITS) {
    this.#limits = limits;
    this.#all = new ByteBudget("bodies of write requests", limits.total);
  }

  /** Reads the body and gives it to `use`; its bytes count until that is done. Throws 408, 413, 500, or `unavailable`. */
  async read<T>(request: HttpRequest, tenant: string, use: (body: Uint8Array) => Promise<T>): Promise<T> {
    const budget = this.#budgetOf(tenant);
    const pieces: Buffer[] = [];
    let size = 0;
    try {
      for await (const piece of this.#pieces(request)) {
        if (size + piece.length > this.#limits.bytes) throw refused(413, "write request too large");
        take(budget, piece.length);
        size += piece.length;
        pieces.push(piece);
      }
      return await use(pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, size));
    } finally {
      budget.give(size);
      if (budget.used === 0) this.#tenants.delete(tenant);
    }
  }

  #budgetOf(tenant: string): ByteBudget {
    let budget = this.#tenants.get(tenant);
    if (budget === undefined) {
      budget = new ByteBudget(`bodies of tenant ${tenant}`, this.#limits.perTenant, this.#all);
      this.#tenants.set(tenant, budget);
    }
    return budget;
  }

  /** The body as it arrives. One that takes too long is broken off. */
  async *#pieces({raw}: HttpRequest): AsyncGenerator<Buffer> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      raw.destroy();
    }, this.#limits.timeoutMs);
    try {
      yield* raw as AsyncIterable<Buffer>;
    } catch (err) {
      if (late)
        throw new StrataError("timeout", `the body took longer than ${this.#limits.timeoutMs} ms`, {cause: err});
      throw refused(500, `read compressed request body: ${errorText(err)}`);
    } finally {
      clearTimeout(timer);
    }
  }
}

function take(budget: ByteBudget, bytes: number): void {
  try {
    budget.take(bytes, "a request");
  } catch (err) {
    throw new StrataError("unavailable", errorText(err), {cause: err});
  }
}
