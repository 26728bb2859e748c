import {errorCode, errorText, StrataError} from "@strata/base";
import {Labels} from "@strata/model";
import type {info} from "@strata/proto";
import type {Family, Gauge, Logger, Registry} from "@strata/telemetry";
import type {Connection} from "./connection.ts";
import {type Compression, GrpcClient, type Transport} from "./grpc-client.ts";
import {type RpcMetrics, rpcMetrics} from "./grpc-metrics.ts";
import {StoreClient} from "./store-client.ts";
import {labelSetsText, type StoreHandle} from "./store-handle.ts";
import type {ClientTls} from "./tls-config.ts";

/** An endpoint that is to be part of the set. */
export type EndpointSpec = {
  /** `host:port`, or the name of a group. Endpoints are told apart by it. */
  readonly address: string;
  /** Stays in the set and is queried even while it does not answer. */
  readonly strict: boolean;
  readonly tls?: ClientTls | undefined;
  readonly compression?: Compression | undefined;
  /** Makes the connection in another way than to `address`: groups. */
  readonly connect?: ((metrics: RpcMetrics) => Transport) | undefined;
};

/** The APIs an endpoint may serve, by the block of Info that says so. */
export type EndpointApi = "store" | "rules" | "targets" | "metricMetadata" | "exemplars" | "query" | "status";

/** What `/api/v1/stores` shows of an endpoint. */
export type EndpointStatus = {
  readonly name: string;
  /** Of the last Info that succeeded; undefined when none did. */
  readonly lastCheck: Date | undefined;
  readonly lastError: string | undefined;
  readonly labelSets: readonly Labels[];
  /** undefined when no Info succeeded yet. */
  readonly componentType: string | undefined;
  readonly mint: number;
  readonly maxt: number;
};

/** An endpoint that serves some API, for the clients of that API. */
export type EndpointHandle = {
  readonly address: string;
  readonly componentType: string;
  readonly labelSets: readonly Labels[];
  readonly tsdbInfos: readonly info.TSDBInfo[];
  readonly transport: Transport;
  /** Why it is not asked for now, so that whoever wants partial answers is told what is missing. */
  readonly away?: string | undefined;
  /** How another thread reaches it. */
  readonly connection: Connection;
};

export type EndpointSetOptions = {
  /** Asked at each round: the endpoints there are to be. */
  readonly specs: () => readonly EndpointSpec[];
  /** Both how often Info is asked and how long an answer may take. */
  readonly infoTimeoutMs: number;
  /** An endpoint whose last good Info is older is dropped. */
  readonly unhealthyTimeoutMs: number;
  /** Connections of dropped endpoints stay open so long, for calls that are running. */
  readonly lingerMs: number;
  readonly registry: Registry;
  readonly logger: Logger;
  /** Labels of the connection gauge. */
  readonly connectionLabels?: readonly ConnectionLabel[] | undefined;
  /** The clock, in ms. */
  readonly now?: (() => number) | undefined;
};

export type ConnectionLabel = "external_labels" | "store_type";

/**
 * The endpoints a querier speaks to, kept up to date by asking each for its Info. One that fails to answer is not
 * queried until it answers again, unless it is strict; until it is dropped, it is among the others as one that is away.
 */
export class EndpointSet {
  readonly #options: EndpointSetOptions;
  readonly #metrics: RpcMetrics;
  readonly #connections: Family<ConnectionLabel, Gauge>;
  readonly #now: () => number;
  readonly #abort = new AbortController();
  readonly #lingering = new Map<Transport, NodeJS.Timeout>();
  #endpoints = new Map<string, Endpoint>();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  #isFirst = true;

  constructor(options: EndpointSetOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#metrics = rpcMetrics(options.registry, "client");
    this.#connections = options.registry.gauge({
      name: "thanos_store_nodes_grpc_connections",
      help: "Endpoints that answer, by their external labels and kind.",
      labels: options.connectionLabels ?? ["external_labels", "store_type"],
    });
  }

  /** Runs rounds until `close`; resolves after the first. */
  async start(): Promise<void> {
    await this.update();
    const again = (): void => {
      if (this.#abort.signal.aborted) return;
      this.#timer = setTimeout(() => void this.update().then(again), this.#options.infoTimeoutMs);
      this.#timer.unref();
    };
    again();
  }

  /** One round over all endpoints; joins a round that is running. Never throws. */
  update(): Promise<void> {
    this.#round ??= this.#update().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  /** Every endpoint of the set, by name. */
  statuses(): readonly EndpointStatus[] {
    return [...this.#endpoints.values()].map((e) => e.status()).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The stores, those that are away included. */
  stores(): readonly StoreHandle[] {
    return this.#serving("store").map((e) => e.store());
  }

  /** The endpoints that serve `api`, those that are away included. */
  endpoints(api: EndpointApi): readonly EndpointHandle[] {
    return this.#serving(api).map((e) => e.handle());
  }

  /** Ends rounds and closes all connections. Safe to call twice. */
  async close(): Promise<void> {
    this.#abort.abort(new StrataError("canceled", "cannot go on: the endpoint set is closed"));
    clearTimeout(this.#timer);
    await this.#round;
    for (const timer of this.#lingering.values()) clearTimeout(timer);
    for (const transport of this.#lingering.keys()) transport.close();
    for (const e of this.#endpoints.values()) e.transport.close();
    this.#lingering.clear();
    this.#endpoints.clear();
  }

  #serving(api: EndpointApi): Endpoint[] {
    return [...this.#endpoints.values()].filter((e) => e.serves(api));
  }

  async #update(): Promise<void> {
    const specs = new Map(this.#options.specs().map((s) => [s.address, s]));
    const next = new Map<string, Endpoint>();
    const known = new Set([...this.#endpoints.values()].filter((e) => e.known));
    // All at once and not by a gate: one that hangs costs nothing but its timer, and must not delay the others.
    await Promise.all(
      [...specs.values()].map(async (spec) => {
        const before = this.#endpoints.get(spec.address);
        const isNew = before === undefined || before.settings !== settingsOf(spec);
        const endpoint = isNew ? this.#connect(spec) : before;
        if (endpoint === undefined) return;
        await this.#ask(endpoint);
        if (this.#keep(endpoint, isNew)) next.set(spec.address, endpoint);
        else if (isNew) endpoint.transport.close();
      }),
    );
    for (const [address, e] of next) {
      if (e.known && !known.has(e)) {
        this.#options.logger.info("adding endpoint", {address, component: e.status().componentType});
      }
    }
    for (const [address, e] of this.#endpoints) {
      if (next.get(address) === e) continue;
      this.#options.logger.info("removing endpoint", {address, lastError: e.lastError});
      this.#linger(e.transport);
    }
    this.#endpoints = next;
    this.#isFirst = false;
    this.#count();
  }

  #connect(spec: EndpointSpec): Endpoint | undefined {
    try {
      const transport =
        spec.connect?.(this.#metrics) ??
        new GrpcClient({address: spec.address, tls: spec.tls, compression: spec.compression, metrics: this.#metrics});
      return new Endpoint(spec, transport, this.#now());
    } catch (err) {
      this.#options.logger.warn("cannot connect endpoint", {address: spec.address, err});
      return undefined;
    }
  }

  async #ask(endpoint: Endpoint): Promise<void> {
    try {
      endpoint.answered(await endpoint.client.info(this.#options.infoTimeoutMs, this.#abort.signal), this.#now());
    } catch (err) {
      const fresh = endpoint.lastError === undefined;
      const fault =
        errorCode(err) === "timeout" ? await endpoint.client.connectionFault(this.#abort.signal) : undefined;
      // Compat: Go's words; why there is no connection says more than that the time passed.
      const told = `rpc error: code = DeadlineExceeded desc = latest balancer error: connection error: desc = "${fault}"`;
      const text = fault === undefined ? errorText(err) : told;
      endpoint.failed(text);
      if (fresh) this.#options.logger.warn("endpoint does not answer", {address: endpoint.address, err: text});
    }
  }

  /** What was there from the start is missed even if it never answered; what comes later has to introduce itself. */
  #keep(endpoint: Endpoint, isNew: boolean): boolean {
    if (endpoint.usable) return true;
    return (!isNew || this.#isFirst) && this.#now() - endpoint.lastGood < this.#options.unhealthyTimeoutMs;
  }

  /** Closes a connection once the calls that use it must have ended. */
  #linger(transport: Transport): void {
    const timer = setTimeout(() => {
      this.#lingering.delete(transport);
      transport.close();
    }, this.#options.lingerMs);
    timer.unref();
    this.#lingering.set(transport, timer);
  }

  #count(): void {
    this.#connections.clear();
    const wanted = this.#options.connectionLabels ?? ["external_labels", "store_type"];
    for (const e of this.#endpoints.values()) {
      if (!e.usable) continue;
      const {labelSets, componentType} = e.status();
      const all = {
        external_labels: clip(labelSetsText(labelSets)) || "no_external_labels",
        store_type: componentType ?? "unknown-store-api",
      };
      this.#connections.with(Object.fromEntries(wanted.map((w) => [w, all[w]])) as typeof all).inc();
    }
  }
}

/** Label values of a metric have to end somewhere. Compat: Thanos cuts at 1000 bytes and closes the brace. */
function clip(text: string): string {
  return text.length > 1000 ? `${text.slice(0, 998)}}`.toWellFormed() : text;
}

/** Component names as Info gives them; any other is shown as unknown. */
const COMPONENTS = new Set(["debug", "receive", "rule", "sidecar", "store", "query"]);

/** What makes a connection another one, although its address stays. */
const settingsOf = ({strict, tls, compression}: EndpointSpec): string => JSON.stringify([strict, tls, compression]);

/** One endpoint and what it last said of itself. */
class Endpoint {
  readonly address: string;
  readonly transport: Transport;
  readonly client: StoreClient;
  readonly settings: string;
  readonly #strict: boolean;
  #info: info.InfoResponse | undefined;
  #labelSets: readonly Labels[] = [];
  #lastCheck: Date | undefined;
  /** When it was last good, or made. */
  lastGood: number;
  lastError: string | undefined;

  constructor(spec: EndpointSpec, transport: Transport, now: number) {
    this.address = spec.address;
    this.transport = transport;
    this.client = new StoreClient(transport);
    this.settings = settingsOf(spec);
    this.#strict = spec.strict;
    this.lastGood = now;
  }

  /** Whether it has introduced itself. */
  get known(): boolean {
    return this.#info !== undefined;
  }

  get usable(): boolean {
    return this.#strict || this.lastError === undefined;
  }

  serves(api: EndpointApi): boolean {
    // A strict endpoint of which nothing is known counts as a store over all time.
    return this.#info === undefined ? api === "store" : this.#info[api] !== undefined;
  }

  answered(answer: info.InfoResponse, now: number): void {
    this.#info = answer;
    this.#labelSets = answer.labelSets
      .map((set) => Labels.fromPairs(set.labels.map((l) => [l.name, l.value] as const)))
      .filter((labels) => labels.size > 0);
    this.#lastCheck = new Date(now);
    this.lastGood = now;
    this.lastError = undefined;
  }

  failed(text: string): void {
    this.lastError = text;
  }

  status(): EndpointStatus {
    const component = this.#info?.componentType;
    return {
      name: this.address,
      lastCheck: this.#lastCheck,
      lastError: this.lastError,
      labelSets: this.#labelSets,
      componentType: component === undefined || COMPONENTS.has(component) ? component : "unknown-store-api",
      mint: this.#info?.store?.minTime ?? -(2 ** 63),
      maxt: this.#info?.store?.maxTime ?? 2 ** 63,
    };
  }

  handle(): EndpointHandle {
    return {
      address: this.address,
      componentType: this.#info?.componentType ?? "",
      labelSets: this.#labelSets,
      tsdbInfos: this.#info?.store?.tsdbInfos ?? [],
      transport: this.transport,
      away: this.#away,
      connection: this.client.connection,
    };
  }

  get #away(): string | undefined {
    return this.usable ? undefined : `endpoint does not answer: ${this.lastError}`;
  }

  store(): StoreHandle {
    const {mint, maxt} = this.status();
    return {
      address: this.address,
      labelSets: this.#labelSets,
      mint,
      maxt,
      supportsSharding: this.#info?.store?.supportsSharding ?? false,
      supportsWithoutReplicaLabels: this.#info?.store?.supportsWithoutReplicaLabels ?? false,
      tsdbInfos: this.#info?.store?.tsdbInfos ?? [],
      away: this.#away,
      source: {kind: "remote", client: this.client},
    };
  }
}
