import {writeFileSync} from "node:fs";
import {join} from "node:path";
import {
  freePort,
  httpReady,
  requireTool,
  type Server,
  spawnServer,
  type TestScope,
  tempDir,
} from "@strata/base/testing";
import {strata} from "../strata.ts";

/** One process of a fleet: its ports and its place on the disk stay, the process comes and goes. */
export class Part {
  readonly name: string;
  /** Where its pages and APIs are. */
  readonly url: string;
  /** Where its StoreAPI is, as endpoints are named in warnings; undefined where it has none. */
  readonly grpc: string | undefined;
  /** Where it keeps its data. */
  readonly dir: string;
  readonly #start: () => Promise<Server>;
  #server: Server | undefined;

  constructor(place: Place, start: () => Promise<Server>) {
    this.name = place.name;
    this.url = place.url;
    this.grpc = place.grpc;
    this.dir = place.dir;
    this.#start = start;
  }

  /** What the process said; of one that ended, nothing. */
  logs(): string {
    return this.#server?.logs() ?? "";
  }

  async start(): Promise<void> {
    this.#server = await this.#start();
  }

  /** Ends it in the middle of whatever it does. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.kill();
  }

  /** Lets it end by itself. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.stop();
  }

  /** Keeps it from doing anything: it is there and does not answer. */
  freeze(): void {
    if (this.#server !== undefined) process.kill(this.#server.pid, "SIGSTOP");
  }

  thaw(): void {
    if (this.#server !== undefined) process.kill(this.#server.pid, "SIGCONT");
  }
}

export type Place = Pick<Part, "name" | "url" | "grpc" | "dir">;

/** What `componentPart` has to know of a component. */
export type ComponentPart = {
  readonly name: string;
  readonly command: string;
  /** Arguments by the address and the directory it was given; asked for at each start. */
  readonly args: (place: {readonly grpc: string; readonly dir: string}) => readonly string[];
  readonly hasGrpc: boolean;
  /** A `thanos` instead of Strata. */
  readonly program?: string | undefined;
};

/** A component, encrypted HTTP and all, that is not yet running. */
export async function componentPart(t: TestScope, component: ComponentPart): Promise<Part> {
  const {name, command, hasGrpc, program} = component;
  const port = await freePort();
  const grpc = `127.0.0.1:${await freePort()}`;
  const dir = tempDir(t);
  const url = `https://127.0.0.1:${port}`;
  return new Part({name, url, grpc: hasGrpc ? grpc : undefined, dir}, () => {
    const args = [...component.args({grpc, dir}), ...(hasGrpc ? [`--grpc-address=${grpc}`] : [])];
    if (program === undefined) return strata(t, command, args, {scheme: "https", port, deadlineMs: START_MS});
    return spawnServer(t, {
      command: program,
      args: [command, `--http-address=127.0.0.1:${port}`, ...args],
      name,
      ready: httpReady(`${url}/-/ready`),
      deadlineMs: START_MS,
    });
  });
}

/** A Prometheus, encrypted HTTP and all, that is not yet running. `config` is its file, flags come on top. */
export async function prometheusPart(
  t: TestScope,
  name: string,
  {config, webConfig, flags}: {readonly config: object; readonly webConfig: string; readonly flags: readonly string[]},
): Promise<Part> {
  const port = await freePort();
  const dir = tempDir(t);
  const file = join(dir, "prometheus.yml");
  writeFileSync(file, JSON.stringify(config));
  const url = `https://127.0.0.1:${port}`;
  const data = join(dir, "data");
  const args = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${data}`,
    `--web.listen-address=127.0.0.1:${port}`,
    `--web.config.file=${webConfig}`,
    ...flags,
  ];
  return new Part({name, url, grpc: undefined, dir: data}, () =>
    spawnServer(t, {
      command: requireTool("prometheus").path,
      args,
      name,
      ready: httpReady(`${url}/-/ready`),
      deadlineMs: START_MS,
    }),
  );
}

/** How long a start may take: a dozen come at once, on machines that have other work too. */
const START_MS = 120_000;
