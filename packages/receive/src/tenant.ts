import {errorText, StrataError} from "@strata/base";
import type {WriteWindow} from "@strata/kernels";
import type {Labels} from "@strata/model";
import type {TsdbStore} from "@strata/storeapi";
import type {Logger, SubRegistry} from "@strata/telemetry";
import {Db, type DbEvent, type DbOptions} from "@strata/tsdb";
import {TenantWriter, type TenantWriterOptions} from "./tenant-writer.ts";
import type {WriteReport} from "./write-report.ts";

/** One round over a directory's finished blocks; see `Shipper` of block. */
export type BlockShipper = {sync(signal: AbortSignal): Promise<unknown>};

export type TenantOptions = {
  readonly name: string;
  readonly dir: string;
  /** External labels of its series. */
  readonly labels: Labels;
  readonly db: DbOptions;
  /** That of `db`, whose series go when the tenant is closed. */
  readonly registry?: SubRegistry | undefined;
  readonly writer: TenantWriterOptions;
  readonly shipper: BlockShipper | undefined;
  readonly logger: Logger;
};

/** A tenant's database and what belongs to it. */
export class Tenant {
  readonly name: string;
  readonly dir: string;
  readonly labels: Labels;
  readonly db: Db;
  readonly shipper: BlockShipper | undefined;
  readonly #writer: TenantWriter;
  readonly #logger: Logger;
  readonly #registry: SubRegistry | undefined;
  /** Writes are refused from then on: it is being taken away. */
  #leaving = false;

  private constructor(options: TenantOptions, db: Db) {
    this.name = options.name;
    this.dir = options.dir;
    this.labels = options.labels;
    this.db = db;
    this.shipper = options.shipper;
    this.#logger = options.logger;
    this.#registry = options.registry;
    this.#writer = new TenantWriter(db.head, options.writer);
  }

  /** Opens its directory, made when missing. */
  static async open(options: TenantOptions): Promise<Tenant> {
    const {logger} = options;
    const db = await Db.open(options.dir, {
      ...options.db,
      externalLabels: options.labels,
      onEvent: (event) => logEvent(logger, event),
    });
    const {series, samples, repaired} = db.head.report;
    logger.info("tenant opened", {series, samples, blocks: db.blocks.length});
    for (const what of repaired) logger.warn("log repaired", {what});
    return new Tenant(options, db);
  }

  /** Whether it takes no writes now. */
  get leaving(): boolean {
    return this.#leaving;
  }

  /** Time of the newest sample, ms; −Infinity when there is none. */
  get maxTime(): number {
    const blocks = this.db.blocks.reduce((t, {meta}) => Math.max(t, meta.maxTime - 1), Number.NEGATIVE_INFINITY);
    return Math.max(this.db.head.maxTime, blocks);
  }

  get store(): TsdbStore {
    return {queryable: this.db, labels: this.labels, minTime: this.db.minTime};
  }

  /** See TenantWriter; the caller awaits `acknowledge` before answering. */
  write(window: WriteWindow, list: Uint32Array | undefined, now: number): WriteReport {
    if (this.#leaving) throw notReady(`tenant ${this.name} is being flushed`);
    return this.#writer.write(window, list, now);
  }

  /** Waits until what was written is as durable as the log's policy says. */
  acknowledge(): Promise<void> {
    return this.db.head.acknowledge();
  }

  /** Writes blocks that are due, and drops what retention no longer keeps. */
  async maintain(): Promise<void> {
    const before = this.db.head.series;
    await this.db.maintain();
    if (this.db.head.series < before) this.#writer.forget();
  }

  /** Writes all that is in memory as blocks. Refuses writes meanwhile: what came in behind the block's back would be lost. */
  async flush(): Promise<void> {
    const before = this.#leaving;
    this.#leaving = true;
    try {
      await this.db.flush();
    } finally {
      this.#leaving = before;
    }
    this.#writer.forget();
  }

  /** Uploads finished blocks, when there is a bucket. */
  async ship(signal: AbortSignal): Promise<void> {
    await this.shipper?.sync(signal);
  }

  /** Refuses writes from now on. */
  leave(): void {
    this.#leaving = true;
  }

  /** Takes writes again after all. */
  stay(): void {
    this.#leaving = false;
  }

  async close(): Promise<void> {
    this.#leaving = true;
    try {
      await this.db.close();
    } catch (err) {
      this.#logger.error("cannot close tenant", {err: errorText(err)});
      throw err;
    } finally {
      this.#writer.close();
      this.#registry?.close();
    }
  }
}

/** A failure that is over soon: the sender should come again. */
export const notReady = (text: string): StrataError => new StrataError("unavailable", text, {fields: {notReady: true}});

function logEvent(logger: Logger, event: DbEvent): void {
  if (event.kind === "bad-block") logger.error("block left out", {dir: event.dir, reason: event.reason});
  else if (event.kind === "new-block") {
    const {ulid, minTime, maxTime} = event.meta;
    logger.info("block written", {block: ulid, mint: minTime, maxt: maxTime});
  } else logger.info("block deleted", {block: event.ulid, reason: event.reason});
}
