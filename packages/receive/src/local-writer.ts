import {errorText, StrataError} from "@strata/base";
import type {WriteWindow} from "@strata/kernels";
import type {TenantPart} from "./request-rewrite.ts";
import {notReady, type Tenant} from "./tenant.ts";
import type {Tenants} from "./tenants.ts";

/** Tenants whose databases must be opened before a request can be written; open them and parse it anew. */
export class TenantsMissing extends Error {
  readonly names: readonly string[];

  constructor(names: readonly string[]) {
    super(`tenants are not open: ${names.join(", ")}`);
    this.names = names;
  }
}

/** What became of one tenant's part: an error that says what was not written, once the rest is durable. */
export type LocalWrite = Promise<StrataError | undefined>;

/** Writes requests into the databases of this process. */
export class LocalWriter {
  readonly tenants: Tenants;
  readonly #now: () => number;

  constructor(tenants: Tenants, now: () => number = Date.now) {
    this.tenants = tenants;
    this.#now = now;
  }

  /** Throws TenantsMissing unless all tenants are open. Call it before anything is written. */
  check(parts: Iterable<TenantPart>): void {
    const missing = [...parts].map((p) => p.tenant).filter((name) => this.tenants.get(name) === undefined);
    if (missing.length > 0) throw new TenantsMissing([...new Set(missing)]);
  }

  /** Opens what `check` missed. */
  async open(missing: TenantsMissing): Promise<void> {
    for (const name of missing.names) await this.tenants.open(name);
  }

  /** Writes a part at once; its promise settles when that is durable. Never throws: failures are its value. */
  write(window: WriteWindow, part: TenantPart): LocalWrite {
    const tenant = this.tenants.get(part.tenant);
    if (tenant === undefined) return Promise.resolve(notReady(`tenant ${part.tenant} is not open`));
    try {
      const report = tenant.write(window, part.list, this.#now());
      return acknowledged(tenant, report.error());
    } catch (err) {
      return Promise.resolve(failure(err));
    }
  }
}

async function acknowledged(tenant: Tenant, refused: StrataError | undefined): LocalWrite {
  try {
    await tenant.acknowledge();
    return refused;
  } catch (err) {
    return failure(err);
  }
}

/** Compat: what the log refuses is a failed commit. */
function failure(err: unknown): StrataError {
  if (err instanceof StrataError && err.fields.notReady === true) return err;
  if (err instanceof StrataError && err.code !== "unavailable") return err;
  return new StrataError("internal", `commit samples: ${errorText(err)}`, {cause: err});
}
