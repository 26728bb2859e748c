import {mkdir, readdir, rm} from "node:fs/promises";
import {join} from "node:path";
import {errorText, forEachLimit, StrataError} from "@strata/base";
import {Labels} from "@strata/model";
import {type StoreHandle, type TsdbStore, tsdbHandle} from "@strata/storeapi";
import type {Logger, Registry} from "@strata/telemetry";
import type {DbOptions} from "@strata/tsdb";
import {type BlockShipper, Tenant} from "./tenant.ts";
import {checkTenantName, NO_TENANTS} from "./tenant-name.ts";
import type {SeriesLimits} from "./tenant-writer.ts";

export type TenantsOptions = {
  /** Root of the tenants' directories. */
  readonly dir: string;
  /** Labels of every tenant's series. */
  readonly labels: Labels;
  /** Label that names the tenant. */
  readonly tenantLabel: string;
  /** Labels that a tenant's hashring adds; they never win over the others. */
  readonly ringLabels?: ((tenant: string) => Labels) | undefined;
  readonly db: DbOptions;
  readonly limits: (tenant: string) => SeriesLimits;
  readonly tooFarInFutureMs: number;
  readonly startTimes: boolean;
  /** Tenants whose newest sample is older are taken away; 0 keeps all. ms. */
  readonly retentionMs: number;
  /** Where the databases' metrics go, with a label `tenant`. */
  readonly registry?: Registry | undefined;
  /** Makes the shipper of a tenant's directory; left out when there is no bucket. */
  readonly shipper?: ((dir: string, tenant: string, labels: Labels) => BlockShipper) | undefined;
  readonly logger: Logger;
};

/** Tenants opened, flushed or shipped at once. */
const CONCURRENCY = 2;
/** The databases of all tenants, one directory each, opened when first written to. */
export class Tenants {
  readonly #o: TenantsOptions;
  readonly #open = new Map<string, Tenant>();
  readonly #opening = new Map<string, Promise<Tenant>>();
  #closed = false;

  constructor(options: TenantsOptions) {
    this.#o = options;
  }

  /** Opens every tenant that has a directory. */
  async openAll(signal: AbortSignal): Promise<void> {
    await mkdir(this.#o.dir, {recursive: true});
    const entries = await readdir(this.#o.dir, {withFileTypes: true});
    const names = entries.filter((e) => e.isDirectory() && !NO_TENANTS.has(e.name)).map((e) => e.name);
    await forEachLimit(names, CONCURRENCY, async (name) => {
      signal.throwIfAborted();
      await this.open(name);
    });
  }

  /** The tenants that are open, by name. */
  get all(): readonly Tenant[] {
    return [...this.#open.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get(name: string): Tenant | undefined {
    return this.#open.get(name);
  }

  /** The tenant, opened or made when it is not there. Throws `bad_data` for a name that is no name. */
  async open(name: string): Promise<Tenant> {
    const there = this.#open.get(name);
    if (there !== undefined) return there;
    checkTenantName(name);
    if (this.#closed) throw new StrataError("unavailable", "cannot open a tenant: the receiver is stopping");
    let opening = this.#opening.get(name);
    if (opening === undefined) {
      opening = this.#openNew(name).finally(() => this.#opening.delete(name));
      this.#opening.set(name, opening);
    }
    return opening;
  }

  async #openNew(name: string): Promise<Tenant> {
    const {db, tooFarInFutureMs, startTimes, shipper} = this.#o;
    const dir = join(this.#o.dir, name);
    const labels = this.#labelsOf(name);
    const logger = this.#o.logger.with({tenant: name});
    const registry = this.#o.registry?.sub({tenant: name});
    const tenant = await Tenant.open({
      name,
      dir,
      labels,
      db: {...db, startTimes, registry},
      registry,
      writer: {limits: () => this.#o.limits(name), tooFarInFutureMs, startTimes, logger},
      shipper: shipper?.(dir, name, labels),
      logger,
    });
    this.#open.set(name, tenant);
    return tenant;
  }

  #labelsOf(name: string): Labels {
    const ring = this.#o.ringLabels?.(name) ?? Labels.EMPTY;
    return ring.extend(this.#o.labels).extend(Labels.fromObject({[this.#o.tenantLabel]: name}));
  }

  stores(): readonly TsdbStore[] {
    return this.all.map((tenant) => tenant.store);
  }

  handles(): readonly StoreHandle[] {
    return this.stores().map(tsdbHandle);
  }

  /** Blocks that are due, then retention, for every tenant. What fails is logged, and tried again next time. */
  maintain(signal: AbortSignal): Promise<void> {
    return this.#each("cannot write blocks", signal, (tenant) => tenant.maintain());
  }

  /** One round of uploads. */
  ship(signal: AbortSignal): Promise<void> {
    return this.#each("cannot upload all blocks, trying again", signal, (tenant) => tenant.ship(signal));
  }

  /** Writes everything in memory as blocks. Throws when a tenant's cannot be written. */
  async flush(): Promise<void> {
    const failures: string[] = [];
    await forEachLimit(this.all, CONCURRENCY, async (tenant) => {
      try {
        await tenant.flush();
      } catch (err) {
        failures.push(`${tenant.name}: ${errorText(err)}`);
      }
    });
    if (failures.length > 0) throw new StrataError("unavailable", `cannot flush all tenants: ${failures.join("; ")}`);
  }

  /** Takes away tenants that got nothing for longer than the retention: flushed, uploaded, closed, deleted. */
  async prune(now: number, signal: AbortSignal): Promise<void> {
    const {retentionMs} = this.#o;
    if (retentionMs <= 0) return;
    await this.#each("cannot take tenant away", signal, async (tenant) => {
      const isIdle = (): boolean => tenant.maxTime < now - retentionMs;
      if (!isIdle()) return;
      tenant.leave();
      try {
        await tenant.flush();
        // An upload that fails throws, and the tenant stays.
        await tenant.ship(signal);
        if (!isIdle()) {
          tenant.stay();
          return;
        }
        this.#open.delete(tenant.name);
        await tenant.close();
        await rm(tenant.dir, {recursive: true, force: true});
        this.#o.logger.info("tenant taken away: idle for longer than the retention", {tenant: tenant.name});
      } catch (err) {
        tenant.stay();
        throw err;
      }
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#opening.values());
    const results = await Promise.allSettled(this.all.map((tenant) => tenant.close()));
    this.#open.clear();
    const failed = results.find((r) => r.status === "rejected");
    if (failed?.status === "rejected") throw failed.reason;
  }

  async #each(message: string, signal: AbortSignal, work: (tenant: Tenant) => Promise<void>): Promise<void> {
    await forEachLimit(this.all, CONCURRENCY, async (tenant) => {
      if (signal.aborted) return;
      try {
        await work(tenant);
      } catch (err) {
        if (!signal.aborted) this.#o.logger.error(message, {tenant: tenant.name, err: errorText(err)});
      }
    });
  }
}
