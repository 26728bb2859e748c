import {writeFileSync} from "node:fs";
import {createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse} from "node:http";
import type {AddressInfo} from "node:net";
import {join} from "node:path";
import {freePort, httpReady, type Server, spawnServer, type TestScope} from "@strata/base/testing";

/** An HTTP server inside the test. */
export async function serve(
  t: TestScope,
  handle: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<string> {
  const server: HttpServer = createServer((request, response) => {
    void handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Gauges named `input` that a test sets, for a Prometheus to scrape. */
export class Exporter {
  readonly inputs = new Map<string, number>();
  url = "";

  static async start(t: TestScope): Promise<Exporter> {
    const exporter = new Exporter();
    exporter.url = await serve(t, (_, response) => {
      response.writeHead(200, {"content-type": "text/plain; version=0.0.4"});
      response.end([...exporter.inputs].map(([labels, value]) => `input{${labels}} ${value}\n`).join(""));
    });
    return exporter;
  }
}

/** A Prometheus that scrapes `target` every second. */
export async function prometheusOf(t: TestScope, path: string, dir: string, target: string): Promise<string> {
  const port = await freePort();
  const config = join(dir, "prometheus.yml");
  writeFileSync(
    config,
    `global: {scrape_interval: 1s, external_labels: {cluster: e2e}}
scrape_configs: [{job_name: test, static_configs: [{targets: ["${new URL(target).host}"]}]}]
`,
  );
  const url = `http://127.0.0.1:${port}`;
  await spawnServer(t, {
    command: path,
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(dir, "prometheus")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--storage.tsdb.min-block-duration=2h",
      "--storage.tsdb.max-block-duration=2h",
    ],
    ready: httpReady(`${url}/-/ready`),
  });
  return url;
}

export type Notification = {
  readonly receiver: string;
  readonly status: string;
  readonly alerts: readonly {
    readonly status: string;
    readonly labels: Record<string, string>;
    readonly annotations: Record<string, string>;
    readonly startsAt: string;
  }[];
};

export type AlertmanagerAlert = {
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly startsAt: string;
  readonly updatedAt: string;
  readonly status: {readonly state: string; readonly inhibitedBy: string[]; readonly silencedBy: string[]};
};

export type AlertmanagerOptions = {
  /** Everything but `receivers`; a route for all, a second one for pages and an inhibition when left out. */
  readonly routing?: string;
  /** The file of `--web.config.file`, which has to switch on TLS. */
  readonly webConfig?: string;
};

const ROUTING = `route:
  receiver: all
  group_by: [alertname]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 4h
  routes:
  - {receiver: pages, matchers: ['severity="page"']}
  # Rules run at once: what inhibits an alert may come a moment after it.
  - {receiver: all, matchers: ['severity="warning"'], group_wait: 5s}
inhibit_rules:
- {source_matchers: ['severity="critical"'], target_matchers: ['severity="warning"'], equal: [input]}
`;

/** A real Alertmanager whose receivers, `all` and `pages`, are the test. */
export class Alertmanager {
  readonly notifications: Notification[] = [];
  readonly url: string;
  readonly #spawn: () => Promise<Server>;
  #server: Server | undefined;

  private constructor(url: string, spawn: () => Promise<Server>) {
    this.url = url;
    this.#spawn = spawn;
  }

  static async start(
    t: TestScope,
    path: string,
    dir: string,
    {routing = ROUTING, webConfig}: AlertmanagerOptions = {},
  ): Promise<Alertmanager> {
    const port = await freePort();
    const config = join(dir, "alertmanager.yml");
    const url = `${webConfig === undefined ? "http" : "https"}://127.0.0.1:${port}`;
    const manager = new Alertmanager(url, () =>
      spawnServer(t, {
        command: path,
        args: [
          `--config.file=${config}`,
          `--storage.path=${join(dir, "alertmanager")}`,
          `--web.listen-address=127.0.0.1:${port}`,
          "--cluster.listen-address=",
          ...(webConfig === undefined ? [] : [`--web.config.file=${webConfig}`]),
        ],
        ready: httpReady(`${url}/-/ready`),
      }),
    );
    const hook = await serve(t, async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      manager.notifications.push(JSON.parse(Buffer.concat(parts).toString()) as Notification);
      response.end();
    });
    const receivers = ["all", "pages"].map(
      (name) => `- {name: ${name}, webhook_configs: [{url: "${hook}/", send_resolved: true}]}\n`,
    );
    writeFileSync(config, `${routing}receivers:\n${receivers.join("")}`);
    await manager.begin();
    return manager;
  }

  /** Starts it again: it remembers what it has told, not which alerts there are. */
  async begin(): Promise<void> {
    this.#server = await this.#spawn();
  }

  /** Ends it in good order: it would tell everything anew after a kill. */
  async end(): Promise<void> {
    await this.#server?.stop();
  }

  async alerts(): Promise<AlertmanagerAlert[]> {
    return (await (await fetch(`${this.url}/api/v2/alerts`)).json()) as AlertmanagerAlert[];
  }

  async alert(alertname: string): Promise<AlertmanagerAlert | undefined> {
    return (await this.alerts()).find(({labels}) => labels.alertname === alertname);
  }

  /** Keeps alerts of a name from being told. */
  async silence(alertname: string): Promise<void> {
    const now = Date.now();
    const body = {
      matchers: [{name: "alertname", value: alertname, isRegex: false, isEqual: true}],
      startsAt: new Date(now).toISOString(),
      endsAt: new Date(now + 3_600_000).toISOString(),
      createdBy: "test",
      comment: "test",
    };
    const headers = {"content-type": "application/json"};
    const answer = await fetch(`${this.url}/api/v2/silences`, {method: "POST", headers, body: JSON.stringify(body)});
    if (!answer.ok) throw new Error(await answer.text());
  }

  /** Alerts of a name that were told in a status, one entry for each time. */
  told(alertname: string, status: string): Notification["alerts"][number][] {
    return this.notifications.flatMap(({alerts}) =>
      alerts.filter((alert) => alert.labels.alertname === alertname && alert.status === status),
    );
  }
}
