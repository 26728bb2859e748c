import {errorText, StrataError} from "@strata/base";
import type {GrpcServer} from "@strata/storeapi";
import {
  type BuildInfo,
  type Logger,
  newLogger,
  newRegistry,
  nullTracer,
  type Registry,
  registerRuntimeMetrics,
  type Tracer,
  tracerFromConfig,
} from "@strata/telemetry";
import {assetsDir, pages} from "@strata/ui";
import {
  Api,
  addCommonRoutes,
  addPagesRoute,
  addStaticRoutes,
  addStatusRoutes,
  cipherList,
  curveList,
  type HttpServer,
  httpMetrics,
  listen,
  loadWebConfig,
  newProbes,
  type PrefixOptions,
  type Probes,
  parseRequestLogConfig,
  prefixOptions,
  type RequestLogConfig,
  Router,
  type TenantConfig,
} from "@strata/web";
import type {CommandContext} from "./commands/tree.ts";
import type {Content} from "./flags/content.ts";
import type {globalFlags, grpcServerFlags, httpFlags} from "./flags/shared.ts";
import type {FlagTable, FlagValues} from "./flags/spec.ts";
import {listenToSignals} from "./stop-signal.ts";
import {buildInfo} from "./version.ts";

/** The work of a component once it is set up. */
export type Work = {
  /**
   * Background work. Must end soon after `signal` aborts; servers still answer then. When it ends or throws by itself,
   * the whole process ends. Left out: the component only serves.
   */
  run?(signal: AbortSignal): Promise<void>;
  /** Frees what requests needed; called once no request runs any more. */
  close?(): Promise<void> | void;
};

/** Where a component's API and pages are. */
export type ApiMount = {
  readonly prefixes?: PrefixOptions;
  readonly cors: boolean;
  /** Whether the web pages are served, too; true by default. */
  readonly pages?: boolean;
};

/** What a component is set up with. */
export type Runtime = {
  readonly component: string;
  readonly log: Logger;
  readonly registry: Registry;
  readonly tracer: Tracer;
  readonly build: BuildInfo;
  /** Routes may be added at any time; probes, metrics and profiles are there from the start. */
  readonly router: Router;
  readonly probes: Probes;
  /** Services are registered during set-up; it listens after that, and says SERVING when the component is ready. */
  readonly grpc: GrpcServer | undefined;
  /** Where HTTP listens. */
  readonly http: HttpServer;
  /** Aborted when the process is to stop; long set-ups obey it. */
  readonly signal: AbortSignal;
  /** Called at SIGHUP. */
  onReload(reload: () => Promise<void> | void): void;
  /** The envelope's routes below `/api/v1`, with the status routes added, and the web pages beside them. */
  api(options: ApiMount): Api;
};

export type RuntimeOptions<T extends FlagTable> = {
  /** Name in `thanos_status`. */
  readonly component: string;
  readonly context: CommandContext<T>;
  /** Requests are measured by tenant, which is found this way. */
  readonly tenants?: TenantConfig | undefined;
  readonly setup: (runtime: Runtime) => Promise<Work> | Work;
};

const NO_PREFIX = prefixOptions("", "", "");

type HttpFlags = FlagValues<Pick<typeof httpFlags, "http-address" | "http-grace-period">> & {
  readonly "http.config"?: string;
};
type GrpcFlags = FlagValues<typeof grpcServerFlags>;
type CommonFlags = HttpFlags & Partial<GrpcFlags> & {readonly "request.logging-config"?: Content};

/**
 * Runs a component from set-up to clean end and resolves with the exit code: 0 after a signal, 1 when set-up or work
 * failed. Servers: HTTP at once (not ready), gRPC after set-up when the command has `--grpc-address`.
 */
export async function runComponent<T extends FlagTable>(options: RuntimeOptions<T>): Promise<number> {
  const {context, component} = options;
  const globals = context.flags as FlagValues<typeof globalFlags>;
  const flags = context.flags as unknown as CommonFlags;
  const log = newLogger({
    level: globals["log.level"],
    format: globals["log.format"],
    name: globals["debug.name"],
  });
  const fatal = (err: unknown): void => {
    log.error("unexpected fault, ending", {err, stack: err instanceof Error ? err.stack : undefined});
    process.exit(1);
  };
  process.on("uncaughtException", fatal);
  process.on("unhandledRejection", fatal);
  for (const notice of context.notices) log.warn(notice);
  const signals = listenToSignals(log);
  try {
    return await new Running(options, flags, globals, log, signals.signal, signals.onReload).run();
  } finally {
    signals.close();
    process.off("uncaughtException", fatal);
    process.off("unhandledRejection", fatal);
    log.info("exiting", {component});
  }
}

/** One life of a component. */
class Running<T extends FlagTable> {
  readonly #options: RuntimeOptions<T>;
  readonly #flags: CommonFlags;
  readonly #globals: FlagValues<typeof globalFlags>;
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  readonly #onReload: Runtime["onReload"];
  readonly #registry = newRegistry();
  readonly #router = new Router();
  readonly #probes: Probes;
  #tracer: Tracer = nullTracer();
  #http: HttpServer | undefined;
  #grpc: GrpcServer | undefined;
  #work: Work = {};

  constructor(
    options: RuntimeOptions<T>,
    flags: CommonFlags,
    globals: FlagValues<typeof globalFlags>,
    log: Logger,
    signal: AbortSignal,
    onReload: Runtime["onReload"],
  ) {
    this.#options = options;
    this.#flags = flags;
    this.#globals = globals;
    this.#log = log;
    this.#signal = signal;
    this.#onReload = onReload;
    this.#probes = this.#servingProbes(newProbes(options.component, this.#registry, log));
  }

  async run(): Promise<number> {
    const command = this.#options.context.command;
    const build = buildInfo();
    const stopMetrics = registerRuntimeMetrics(this.#registry, build);
    this.#log.info(`starting ${command}`, {version: build.version, revision: build.revision, node: process.version});
    let code = 1;
    try {
      if (await this.#attempt(`preparing ${command} command failed`, () => this.#setUp(build))) {
        if (await this.#attempt(`${command} command failed`, () => this.#runWork())) code = 0;
      }
    } finally {
      const stopped = await this.#attempt("cannot stop cleanly", () => this.#shutDown());
      if (!stopped) code = 1;
      stopMetrics();
    }
    return code;
  }

  /** Logs what went wrong; an interruption by a signal is not a failure. */
  async #attempt(message: string, step: () => Promise<void>): Promise<boolean> {
    try {
      await step();
      return true;
    } catch (err) {
      if (this.#signal.aborted && (err === this.#signal.reason || isAbort(err))) return true;
      this.#log.error(message, {err});
      return false;
    }
  }

  async #setUp(build: BuildInfo): Promise<void> {
    const {component, context, tenants} = this.#options;
    this.#tracer = await newTracer(this.#globals["tracing.config"], component);
    const requestLog = await readRequestLog(this.#flags["request.logging-config"]);
    const webConfigPath = this.#flags["http.config"] ?? "";
    addCommonRoutes(this.#router, this.#registry, this.#probes);
    this.#http = await listen({
      address: this.#flags["http-address"],
      router: this.#router,
      log: this.#log,
      metrics: httpMetrics(this.#registry, tenants !== undefined),
      tracer: this.#tracer,
      requestLog: requestLog.http,
      webConfig: webConfigPath === "" ? undefined : loadWebConfig(webConfigPath, this.#log),
      tenants,
    });
    this.#log.info("listening for requests and metrics", {address: this.#http.url});
    this.#probes.setHealthy();
    if (this.#flags["grpc-address"] !== undefined) {
      this.#grpc = await newGrpcServer(this.#flags as GrpcFlags, this.#registry, this.#log, this.#tracer, requestLog);
    }
    const runtime: Runtime = {
      component,
      log: this.#log,
      registry: this.#registry,
      tracer: this.#tracer,
      build,
      router: this.#router,
      probes: this.#probes,
      grpc: this.#grpc,
      http: this.#http,
      signal: this.#signal,
      onReload: this.#onReload,
      api: ({prefixes = NO_PREFIX, cors, pages: withPages = true}) => {
        const api = new Api(this.#router, {routePrefix: prefixes.route, cors, log: this.#log});
        addStatusRoutes(api, {flags: context.shownFlags, build});
        addPagesRoute(api, {component, version: build.version, tenantHeader: tenants?.header});
        if (withPages) addStaticRoutes(this.#router, {dir: assetsDir, prefixes, pages});
        return api;
      },
    };
    this.#work = await this.#options.setup(runtime);
    if (this.#grpc !== undefined) {
      const port = await this.#grpc.listen();
      this.#log.info("listening for StoreAPI gRPC", {address: this.#flags["grpc-address"], port});
      this.#grpc.setServing(this.#probes.ready);
    }
  }

  async #runWork(): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      if (this.#signal.aborted) resolve();
      this.#signal.addEventListener("abort", () => resolve(), {once: true});
    });
    await (this.#work.run?.(this.#signal) ?? stopped);
  }

  /** Not ready, then drained, then freed. */
  async #shutDown(): Promise<void> {
    this.#probes.setNotReady(this.#signal.aborted ? errorText(this.#signal.reason) : "stopping");
    await Promise.all([
      this.#http?.close(this.#flags["http-grace-period"]),
      this.#grpc?.stop(this.#flags["grpc-grace-period"] ?? 0),
    ]);
    await this.#work.close?.();
    await this.#tracer.close();
  }

  /** gRPC health follows readiness. */
  #servingProbes(probes: Probes): Probes {
    const follow = (): void => this.#grpc?.setServing(probes.ready);
    return {
      get healthy() {
        return probes.healthy;
      },
      get ready() {
        return probes.ready;
      },
      setHealthy: probes.setHealthy,
      setNotHealthy: probes.setNotHealthy,
      setReady() {
        probes.setReady();
        follow();
      },
      setNotReady(reason) {
        probes.setNotReady(reason);
        follow();
      },
    };
  }
}

const isAbort = (err: unknown): boolean =>
  (err instanceof Error && err.name === "AbortError") || (err instanceof StrataError && err.code === "canceled");

async function readRequestLog(content: Content | undefined): Promise<RequestLogConfig> {
  return content === undefined ? {} : content.parse(parseRequestLogConfig);
}

async function newTracer(content: Content, component: string): Promise<Tracer> {
  if (!content.given) return nullTracer();
  return content.parse((text) => tracerFromConfig(text, component));
}

async function newGrpcServer(
  flags: GrpcFlags,
  registry: Registry,
  log: Logger,
  tracer: Tracer,
  requestLog: RequestLogConfig,
): Promise<GrpcServer> {
  // 46 ms of start-up that commands without gRPC do not pay.
  const [{GrpcServer: Server}, {grpcObserver}] = await Promise.all([
    import("@strata/storeapi"),
    import("./grpc-observer.ts"),
  ]);
  const [cert, key] = [flags["grpc-server-tls-cert"], flags["grpc-server-tls-key"]];
  const encrypted = cert !== "" || key !== "";
  if (!encrypted && flags["grpc-server-tls-client-ca"] !== "") {
    throw new StrataError(
      "bad_data",
      "--grpc-server-tls-client-ca needs --grpc-server-tls-cert and --grpc-server-tls-key",
    );
  }
  const tls = {
    cert,
    key,
    clientCa: flags["grpc-server-tls-client-ca"],
    minVersion: flags["grpc-server-tls-min-version"],
    ciphers: cipherList(flags["grpc-server-tls-ciphers"]),
    curves: curveList(flags["grpc-server-tls-curves"]),
  };
  return new Server({
    address: flags["grpc-address"],
    tls: encrypted ? tls : undefined,
    maxConnectionAgeMs: flags["grpc-server-max-connection-age"],
    registry,
    logger: log,
    observe: grpcObserver(log, requestLog.grpc, tracer),
  });
}
