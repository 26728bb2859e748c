import {StrataError} from "@strata/base";

export type FairQueueOptions = {
  /** Pieces of work under way at once, over all tenants. */
  readonly concurrency: number;
  /** Pieces of one tenant that may wait; further ones are refused. */
  readonly perTenant: number;
};

type Waiting = {readonly start: () => void};

/**
 * Lets so many pieces of work run at once and gives places to the tenants in turn, so that one tenant's many queries do not
 * hold up another's few.
 */
export class FairQueue {
  readonly #o: FairQueueOptions;
  /** Tenants with work that waits, the next one first. */
  readonly #tenants = new Map<string, Waiting[]>();
  #running = 0;

  constructor(options: FairQueueOptions) {
    this.#o = options;
  }

  /** Pieces that wait, over all tenants. */
  get waiting(): number {
    let n = 0;
    for (const list of this.#tenants.values()) n += list.length;
    return n;
  }

  /** Runs `work` in its turn. Throws `limit` where too many wait, and the signal's reason when that aborts first. */
  async run<T>(tenant: string, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (this.#running < this.#o.concurrency) this.#running++;
    else await this.#turn(tenant, signal);
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  #turn(tenant: string, signal: AbortSignal): Promise<void> {
    const list = this.#tenants.get(tenant) ?? [];
    if (list.length >= this.#o.perTenant) {
      throw new StrataError(
        "limit",
        `too many outstanding requests of tenant ${JSON.stringify(tenant)}: ${list.length} wait already`,
        {fields: {tooMany: true}},
      );
    }
    this.#tenants.set(tenant, list);
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        start: () => {
          signal.removeEventListener("abort", left);
          resolve();
        },
      };
      const left = (): void => {
        list.splice(list.indexOf(waiting), 1);
        if (list.length === 0) this.#tenants.delete(tenant);
        reject(signal.reason);
      };
      signal.addEventListener("abort", left, {once: true});
      list.push(waiting);
    });
  }

  /** Hands the place that became free to the tenant whose turn it is, and puts that tenant last. */
  #next(): void {
    const first = this.#tenants.entries().next();
    if (first.done === true) {
      this.#running--;
      return;
    }
    const [tenant, list] = first.value;
    this.#tenants.delete(tenant);
    const waiting = list.shift() as Waiting;
    if (list.length > 0) this.#tenants.set(tenant, list);
    waiting.start();
  }
}
