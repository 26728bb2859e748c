import {errorCode, errorText, StrataError} from "@strata/base";
import {writeWindow} from "@strata/kernels";
import {type Codec, thanos, WireReader} from "@strata/proto";
import type {GrpcServer} from "@strata/storeapi";
import type {Gauge} from "@strata/telemetry";
import {type LocalWriter, TenantsMissing} from "./local-writer.ts";
import type {TenantPart} from "./request-rewrite.ts";
import {checkTenantName} from "./tenant-name.ts";
import {HARD_LIMITS} from "./write-handler.ts";
import type {WriteSink} from "./write-sink.ts";

/** What a peer sends for one tenant: `series` is a message whose field 1 are the series. */
type Tuple = {readonly tenant: string; readonly series: Uint8Array};

export type PeerRequest = {
  readonly replica: number;
  /** Everything in it is for this receiver, as whatever replica: no ring has to be asked. */
  readonly placed: boolean;
  readonly tuples: readonly Tuple[];
};

/**
 * Field 100, which only Strata knows and others skip. In a request it says that the series are placed already; in an answer,
 * that requests may say so. It spares a call for each replica, and the receiver a look at the ring.
 */
const PLACED_TAG = 800;
export const PLACED_FIELD: Uint8Array = Uint8Array.of(0xa0, 0x06, 0x01);

/** What the other side says of itself. */
export type PeerAnswer = {readonly takesPlaced: boolean};

/** The request's bytes as they are: it is parsed by hand. */
const raw: Codec<Uint8Array> = {
  typeName: thanos.WriteableStoreService.RemoteWrite.request.typeName,
  encode: (message) => (Buffer.isBuffer(message) ? message : Buffer.from(message as Uint8Array)),
  decode: (bytes) => bytes,
};

const answer: Codec<PeerAnswer> = {
  typeName: thanos.WriteableStoreService.RemoteWrite.response.typeName,
  encode: ({takesPlaced}) => Buffer.from(takesPlaced === true ? PLACED_FIELD : []),
  decode: (bytes) => ({takesPlaced: Buffer.from(bytes).equals(PLACED_FIELD)}),
};

/** `WriteableStore.RemoteWrite` with requests as bytes, for both sides. */
export const REMOTE_WRITE = {...thanos.WriteableStoreService.RemoteWrite, request: raw, response: answer};

/** Reads the outer message of a peer's request. Throws `bad_data`. */
export function readPeerRequest(bytes: Uint8Array): PeerRequest {
  const r = new WireReader(bytes, "write request");
  let replica = 0;
  let tenant = "";
  let placed = false;
  const tuples: Tuple[] = [];
  try {
    while (r.pos < r.end) {
      const tag = r.uint32();
      if (tag === 0x12) tenant = r.string();
      else if (tag === 0x18) replica = r.int64();
      else if (tag === PLACED_TAG) placed = r.bool();
      else if (tag === 0x22) {
        const series = r.view();
        tuples.push({tenant: tupleTenant(series), series});
      } else r.skip(tag);
    }
  } catch (err) {
    throw new StrataError("bad_data", errorText(err), {cause: err});
  }
  return {replica, placed, tuples: tuples.length > 0 ? tuples : [{tenant, series: bytes}]};
}

function tupleTenant(tuple: Uint8Array): string {
  const r = new WireReader(tuple, "series of a tenant");
  let tenant = "";
  while (r.pos < r.end) {
    const tag = r.uint32();
    if (tag === 0x12) tenant = r.string();
    else r.skip(tag);
  }
  return tenant;
}

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
      const named = request.tuples.map((t) => ({...t, tenant: t.tenant === "" ? options.defaultTenant : t.tenant}));
      for (const {tenant} of named) checkTenantName(tenant);
      const {local, isIngestor, startTimes} = options;
      if (local !== undefined && (isIngestor || request.placed)) await writeAll(named, local, startTimes);
      else await forwardAll(named, request.replica, options);
    } finally {
      options.pending.dec();
    }
    return {takesPlaced: options.local !== undefined};
  });
}

/** All tuples to the tenants' databases. What cannot be written of one does not keep the others out. */
async function writeAll(tuples: readonly Tuple[], local: LocalWriter, startTimes: boolean): Promise<void> {
  for (;;) {
    try {
      local.check(tuples.map(({tenant}) => ({tenant, list: undefined})));
      break;
    } catch (err) {
      if (!(err instanceof TenantsMissing)) throw err;
      await local.open(err);
    }
  }
  const writes = tuples.map(({tenant, series}) => {
    using window = writeWindow();
    window.load(series);
    window.walk(HARD_LIMITS, startTimes);
    return local.write(window, {tenant, list: undefined});
  });
  const results = await Promise.all(writes);
  const errors = results.flatMap((err, i) => (err === undefined ? [] : [{tenant: tuples[i]?.tenant, err}]));
  const first = errors[0];
  if (first === undefined) return;
  const text = `writing ${first.tenant} data to local TSDB: ${first.err.message}`;
  const several = `got ${errors.length} errors while writing to multiple tenants, first one: ${text}`;
  throw new StrataError(errorCode(first.err), errors.length > 1 ? several : text, {cause: first.err});
}

/** All tuples to where the hashring places their series. */
async function forwardAll(tuples: readonly Tuple[], replica: number, options: GrpcWritesOptions): Promise<void> {
  const writes = tuples.map((tuple) => forward(tuple, replica, options));
  const results = await Promise.allSettled(writes);
  const failed = results.find((r) => r.status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
}

async function forward(tuple: Tuple, replica: number, options: GrpcWritesOptions): Promise<void> {
  for (;;) {
    try {
      const parts: TenantPart[] = [{tenant: tuple.tenant, list: undefined}];
      let written: Promise<void>;
      {
        using window = writeWindow();
        window.load(tuple.series);
        window.walk(HARD_LIMITS, options.startTimes);
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
