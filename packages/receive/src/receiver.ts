import {setTimeout as sleep} from "node:timers/promises";
import {errorText, StrataError} from "@strata/base";
import type {Init, info} from "@strata/proto";
import type {Queryable} from "@strata/series";
import {announce, ProxyStore, type ReadApis, tsdbInfo} from "@strata/storeapi";
import type {Logger, Registry} from "@strata/telemetry";
import {tenantApis} from "./tenant-apis.ts";
import type {Tenants} from "./tenants.ts";

export type ReceiverOptions = {
  /** Left out when nothing is stored here. */
  readonly tenants: Tenants | undefined;
  /** Its database is opened at start, before anything is written to it. */
  readonly defaultTenant: string;
  /** Whether there is a bucket: then blocks are uploaded. */
  readonly uploads: boolean;
  readonly blockMs: number;
  readonly logger: Logger;
  readonly registry: Registry;
};

/** How often heads are looked at for blocks that are due. */
const MAINTAIN_MS = 60_000;
const SHIP_MS = 30_000;

/** The databases' life: opened, kept, uploaded, flushed at the end. */
export class Receiver {
  readonly store: Queryable;
  /** Exemplars and statistics; none where nothing is stored. */
  readonly apis: ReadApis;
  readonly #o: ReceiverOptions;
  #open = false;

  constructor(options: ReceiverOptions) {
    this.#o = options;
    this.apis = options.tenants === undefined ? {} : tenantApis(options.tenants);
    this.store = new ProxyStore({
      stores: () => options.tenants?.handles() ?? [],
      responseTimeoutMs: 0,
      registry: options.registry,
    });
  }

  /** Whether every database there was is open. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** How it introduces itself; `unavailable` until it is ready. */
  info(ready: boolean): Init<info.InfoResponse> {
    if (!ready) throw new StrataError("unavailable", "Not ready");
    const {tenants} = this.#o;
    if (tenants === undefined) return {componentType: "receive"};
    return tsdbInfo("receive", tenants.stores(), announce(this.apis));
  }

  /** Opens all databases, then keeps them until `signal` aborts. `onOpen` is called once they can be written to. */
  async run(onOpen: () => void, signal: AbortSignal): Promise<void> {
    const {tenants, uploads, defaultTenant} = this.#o;
    if (tenants === undefined) {
      this.#open = true;
      onOpen();
      await untilAborted(signal);
      return;
    }
    await tenants.openAll(signal);
    await tenants.open(defaultTenant);
    if (uploads) await this.#firstUpload(tenants, signal);
    this.#open = true;
    if (!signal.aborted) onOpen();
    await Promise.all([
      every(MAINTAIN_MS, signal, () => tenants.maintain(signal)),
      uploads ? every(SHIP_MS, signal, () => tenants.ship(signal)) : undefined,
      this.#prune(tenants, signal),
    ]);
  }

  /** Compat: a bucket that cannot be written to ends the start. */
  async #firstUpload(tenants: Tenants, signal: AbortSignal): Promise<void> {
    try {
      for (const tenant of tenants.all) await tenant.ship(signal);
    } catch (err) {
      if (signal.aborted) return;
      throw new StrataError("unavailable", `initial upload failed: ${errorText(err)}`, {cause: err});
    }
  }

  async #prune(tenants: Tenants, signal: AbortSignal): Promise<void> {
    const minutes = Math.max(1, Math.round((2 * this.#o.blockMs) / 60_000));
    let last = -1;
    await every(MAINTAIN_MS, signal, async () => {
      const minute = Math.floor(Date.now() / 60_000);
      if (minute % minutes !== 0 || minute === last) return;
      last = minute;
      await tenants.prune(Date.now(), signal);
    });
  }

  /** Writes everything in memory as blocks, uploads them, closes. Call it when nothing is written any more. */
  async stop(graceMs: number): Promise<void> {
    const {tenants, uploads, logger} = this.#o;
    if (tenants === undefined) return;
    try {
      await tenants.flush();
      if (uploads) await tenants.ship(AbortSignal.timeout(graceMs));
    } catch (err) {
      // What is not in a block is in the log, and comes back at the next start.
      logger.error("cannot flush at the end", {err: errorText(err)});
    } finally {
      await tenants.close();
    }
  }
}

async function every(ms: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await sleep(ms, undefined, {signal}).catch(() => {});
    if (!signal.aborted) await work();
  }
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), {once: true});
  });
