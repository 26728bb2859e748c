import {errorCode, StrataError} from "@strata/base";
import {writeWindow} from "@strata/kernels";
import type {GrpcServer} from "@strata/storeapi";
import type {Gauge} from "@strata/telemetry";
import {type LocalWriter, TenantsMissing} from "./local-writer.ts";
import {openParcel} from "./parcel.ts";
import {type Parcel, REMOTE_WRITE, readPeerRequest} from "./peer-request.ts";
import type {TenantPart} from "./request-rewrite.ts";
import {checkTenantName} from "./tenant-name.ts";
import type {WriteSink} from "./write-sink.ts";

export type GrpcWritesOptions = {
  /** Routes what is not written here. */
  readonly sink: WriteSink;
  /** The databases of this process; left out where nothing is stored. */
  readonly local: LocalWriter | undefined;
  /** A receiver without a hashring writes everything here. */
  readonly isIngestor: boolean;
  readonly defaultTenant: string;
  /** Why nothing can be written now; undefined when it can. */
  readonly notReady: () => string | undefined;
  readonly startTimes: boolean;
  readonly pending: Gauge;
};

/** Serves WriteableStore: what other receivers forward. */
export function serveWrites(server: GrpcServer, options: GrpcWritesOptions): void {
  server.unary(REMOTE_WRITE, async (bytes) => {
    const reason = options.notReady();
    if (reason !== undefined) throw new StrataError("unavailable", reason);
    options.pending.inc();
    try {
      const request = readPeerRequest(bytes);
      const named = request.parcels.map((t) => ({...t, tenant: t.tenant === "" ? options.defaultTenant : t.tenant}));
      for (const {tenant} of named) checkTenantName(tenant);
      const {local, isIngestor, startTimes} = options;
      if (local !== undefined && (isIngestor || request.placed)) await writeAll(named, local, startTimes);
      else await forwardAll(named, request.replica, options);
    } finally {
      options.pending.dec();
    }
    return {takesParcels: options.local !== undefined};
  });
}

/** All parcels to the tenants' databases. What cannot be written of one does not keep the others out. */
async function writeAll(parcels: readonly Parcel[], local: LocalWriter, startTimes: boolean): Promise<void> {
  for (;;) {
    try {
      local.check(parcels.map(({tenant}) => ({tenant, list: undefined})));
      break;
    } catch (err) {
      if (!(err instanceof TenantsMissing)) throw err;
      await local.open(err);
    }
  }
  const writes = parcels.map((parcel) => {
    using window = writeWindow();
    openParcel(window, parcel, startTimes);
    return local.write(window, {tenant: parcel.tenant, list: undefined});
  });
  const results = await Promise.all(writes);
  const errors = results.flatMap((err, i) => (err === undefined ? [] : [{tenant: parcels[i]?.tenant, err}]));
  const first = errors[0];
  if (first === undefined) return;
  const text = `writing ${first.tenant} data to local TSDB: ${first.err.message}`;
  const several = `got ${errors.length} errors while writing to multiple tenants, first one: ${text}`;
  throw new StrataError(errorCode(first.err), errors.length > 1 ? several : text, {cause: first.err});
}

/** All parcels to where the hashring places their series. */
async function forwardAll(parcels: readonly Parcel[], replica: number, options: GrpcWritesOptions): Promise<void> {
  const writes = parcels.map((parcel) => forward(parcel, replica, options));
  const results = await Promise.allSettled(writes);
  const failed = results.find((r) => r.status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}

async function forward(parcel: Parcel, replica: number, options: GrpcWritesOptions): Promise<void> {
  for (;;) {
    try {
      const parts: TenantPart[] = [{tenant: parcel.tenant, list: undefined}];
      let written: Promise<void>;
      {
        using window = writeWindow();
        openParcel(window, parcel, options.startTimes);
        if (window.series === 0) return;
        written = options.sink.begin(window, parts, replica);
      }
      await written;
      return;
    } catch (err) {
      if (!(err instanceof TenantsMissing)) throw err;
      await options.sink.open(err);
    }
  }
}
