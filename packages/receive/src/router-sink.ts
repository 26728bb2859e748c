import {StrataError, withContext} from "@strata/base";
import type {WriteWindow} from "@strata/kernels";
import type {Counter, Registry} from "@strata/telemetry";
import {type Endpoint, endpointText} from "./endpoint.ts";
import type {Hashrings} from "./hashrings.ts";
import {worstError} from "./ingestor-sink.ts";
import type {LocalWriter, TenantsMissing} from "./local-writer.ts";
import {parcelOf, tupleOf, unpacked} from "./parcel.ts";
import {type Parcel, PLACED, parcelPieces} from "./peer-request.ts";
import type {Peers} from "./peers.ts";
import {type Placement, placeSeries} from "./placement.ts";
import {Quorum, quorumOf} from "./quorum.ts";
import type {TenantPart} from "./request-rewrite.ts";
import {refused} from "./write-failure.ts";
import {severalErrors} from "./write-report.ts";
import type {WriteSink} from "./write-sink.ts";

export type RouterOptions = {
  /** The rings in use; undefined before the first are known. */
  readonly rings: () => Hashrings | undefined;
  readonly peers: Peers;
  /** Left out when nothing is stored here. */
  readonly local: LocalWriter | undefined;
  /** How the hashrings name this receiver. */
  readonly localEndpoint: string;
  readonly replication: number;
  readonly timeoutMs: number;
  readonly registry: Registry;
};

/** Sends the series of requests to where the hashring places them, as many copies as asked, and waits for a quorum. */
export class RouterSink implements WriteSink {
  readonly #o: RouterOptions;
  readonly #replications: {readonly success: Counter; readonly error: Counter};

  constructor(options: RouterOptions) {
    this.#o = options;
    const {registry, replication} = options;
    const replications = registry.counter({
      name: "thanos_receive_replications_total",
      help: "Copies written, or not, by receivers of the hashring.",
      labels: ["result"],
      preset: [{result: "success"}, {result: "error"}],
    });
    this.#replications = {
      success: replications.with({result: "success"}),
      error: replications.with({result: "error"}),
    };
    registry
      .gauge({name: "thanos_receive_replication_factor", help: "Copies that are made of each series."})
      .set(replication);
  }

  begin(window: WriteWindow, parts: readonly TenantPart[], replica: number): Promise<void> {
    const {rings, replication, local, localEndpoint} = this.#o;
    const current = rings();
    if (current === undefined) throw new StrataError("unavailable", "Service Unavailable");
    // Compat: a receiver that only routes does not look at the number: it cannot be the end of a circle.
    const given = local === undefined ? 0 : replica;
    if (given > replication) throw refused(400, "request replica exceeds receiver replication factor");
    const replicated = given > 0;
    const replicas = replicated ? [given - 1] : Array.from({length: replication}, (_, i) => i);
    const isLocal = (endpoint: Endpoint): boolean => local !== undefined && endpoint.address === localEndpoint;
    const joins = (endpoint: Endpoint): boolean =>
      replicas.length > 1 && (isLocal(endpoint) || this.#o.peers.get(endpoint).takesParcels);
    const {groups, classes} = placeSeries(window, parts, replicas, current, joins);
    local?.check(groups.filter(({endpoint}) => isLocal(endpoint)).flatMap((group) => group.parts));
    const parcels = new Map<TenantPart, Parcel>();
    const quorum = new Quorum(classes, replicas.length, replicated ? 1 : quorumOf(replication));
    const writes = groups.map((group) => ({
      group,
      done: isLocal(group.endpoint) ? this.#writeHere(window, group) : this.#writeThere(window, group, parcels),
    }));
    return this.#settle(quorum, writes, replicated);
  }

  #writeHere(window: WriteWindow, group: Placement): Promise<StrataError | undefined> {
    const local = this.#o.local as LocalWriter;
    const writes = group.parts.map((part) => local.write(window, part));
    return Promise.all(writes).then((results) => {
      const errors = results.filter((err) => err !== undefined);
      const worst = worstError(errors);
      this.#o.peers.countLocal(worst === undefined || worst.code === "conflict");
      if (worst === undefined) return undefined;
      const text = severalErrors(errors.map((err) => err.message));
      return new StrataError(worst.code, `writing locally: ${text}`, {fields: worst.fields, cause: worst});
    });
  }

  /** `known` keeps the parcels of parts that go to several peers. */
  #writeThere(window: WriteWindow, group: Placement, known: Map<TenantPart, Parcel>): Promise<StrataError | undefined> {
    const peer = this.#o.peers.get(group.endpoint);
    if (group.replica !== PLACED) {
      const replica = group.replica + 1;
      return peer.write({pieces: group.parts.flatMap((part) => tupleOf(window, part, replica))}, replica);
    }
    const parcels = group.parts.map((part) => {
      const parcel = known.get(part) ?? parcelOf(window, part, this.#o.peers.compression !== "none");
      known.set(part, parcel);
      return parcel;
    });
    const unpack = (): Uint8Array[] => parcels.flatMap((parcel) => unpacked(parcel, PLACED));
    return peer.write({pieces: parcels.flatMap(parcelPieces), unpacked: unpack}, PLACED);
  }

  /** Resolves with the quorum; what is still under way then goes on by itself. */
  #settle(
    quorum: Quorum,
    writes: readonly {group: Placement; done: Promise<StrataError | undefined>}[],
    replicated: boolean,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      let left = writes.length;
      const timer = setTimeout(() => {
        reject(new StrataError("internal", "context deadline exceeded"));
      }, this.#o.timeoutMs);
      const end = (): void => {
        clearTimeout(timer);
        const {error} = quorum;
        if (error === undefined) resolve();
        else reject(error);
      };
      for (const {group, done} of writes) {
        void done.then((error) => {
          left--;
          const named = error && withContext(error, `forwarding request to endpoint ${endpointText(group.endpoint)}`);
          quorum.add(group.classes, named);
          if (!replicated) this.#count(error);
          if (left === 0 || quorum.isDecided) end();
        });
      }
      if (left === 0) end();
    });
  }

  #count(error: StrataError | undefined): void {
    if (error === undefined) this.#replications.success.inc();
    else if (error.code !== "conflict") this.#replications.error.inc();
  }

  open(missing: TenantsMissing): Promise<void> {
    const {local} = this.#o;
    if (local === undefined) throw new StrataError("internal", "BUG: a router has no databases to open");
    return local.open(missing);
  }
}
