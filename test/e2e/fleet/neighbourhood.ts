import {writeFileSync} from "node:fs";
import {join} from "node:path";
import {freePort, httpReady, requireTool, spawnServer, type TestScope, tempDir} from "@strata/base/testing";
import {Alertmanager, serve} from "../rule/fleet.ts";
import {Encryption} from "./encryption.ts";
import {type ComponentPart, componentPart, type Part, prometheusPart} from "./part.ts";

/** What Prometheus itself evaluates. */
const RULES = `groups:
- name: nodes
  interval: 1s
  rules:
  - {record: "job:up:sum", expr: sum by (job) (up)}
  - {alert: Page, expr: 'input{name="page"} > 0', labels: {severity: page}, annotations: {summary: "{{ $labels.name }}"}}
  - {alert: Cause, expr: 'input{name="cause"} > 0', labels: {severity: critical, input: x}}
  - {alert: Effect, expr: 'input{name="cause"} > 0', labels: {severity: warning, input: x}}
  - {alert: Quiet, expr: 'input{name="quiet"} > 0'}
`;

/** What a ruler evaluates over all clusters. */
const GLOBAL_RULES = `groups:
- name: clusters
  interval: 1s
  rules:
  - {record: "cluster:up:sum", expr: sum by (cluster) (up)}
  - {alert: Everywhere, expr: 'count(count by (cluster) (up)) == 2 and on () input{name="page"} > 0', labels: {severity: page}}
`;

/** A program of a site with histograms, exemplars and whatever `inputs` say, in OpenMetrics. */
class App {
  readonly inputs = new Map<string, number>();
  readonly #start = Date.now() / 1000;

  listen(t: TestScope): Promise<string> {
    return serve(t, (_, response) => {
      const now = Date.now() / 1000;
      const n = Math.floor(now - this.#start) + 1;
      response.writeHead(200, {"content-type": "application/openmetrics-text; version=1.0.0; charset=utf-8"});
      response.end(`# HELP app_request_seconds Time of requests.
# TYPE app_request_seconds histogram
# UNIT app_request_seconds seconds
app_request_seconds_bucket{le="0.1"} ${n} # {trace_id="trace-${n}"} 0.05 ${now}
app_request_seconds_bucket{le="+Inf"} ${2 * n} # {trace_id="slow-${n}"} 3.5 ${now}
app_request_seconds_count ${2 * n}
app_request_seconds_sum ${n}
# HELP input What the test says.
# TYPE input gauge
${[...this.inputs].map(([name, value]) => `input{name="${name}"} ${value}\n`).join("")}# EOF
`);
    });
  }
}

/**
 * Two clusters with what people run beside Prometheus: the first has a pair of them that finds a node exporter, a
 * Pushgateway and a program, evaluates rules and tells Alertmanager; each has a querier, and one above both, with a
 * ruler and a front-end, reaches them by certificates. One more Prometheus federates from there.
 */
export class Neighbourhood {
  readonly #t: TestScope;
  readonly #dir: string;
  readonly #encryption: Encryption;
  readonly #parts = new Map<string, Part>();
  readonly app = new App();
  #appUrl = "";
  #nodeUrl = "";
  pushUrl = "";
  #manager: Alertmanager | undefined;

  private constructor(t: TestScope) {
    this.#t = t;
    this.#dir = tempDir(t);
    this.#encryption = new Encryption(join(this.#dir, "certificates"));
  }

  static async start(t: TestScope): Promise<Neighbourhood> {
    const all = new Neighbourhood(t);
    t.after(async () => void (await Promise.all([...all.#parts.values()].map((part) => part.kill()))));
    for (const name of ["page", "cause", "quiet"]) all.app.inputs.set(name, 0);
    [all.#appUrl, all.#nodeUrl, all.pushUrl] = await Promise.all([
      all.app.listen(t),
      all.#spawn("node-exporter", ["--collector.disable-defaults", "--collector.cpu", "--collector.uname"]),
      all.#spawn("pushgateway", []),
    ]);
    all.#manager = await Alertmanager.start(t, requireTool("alertmanager").path, all.#dir, {
      webConfig: all.#encryption.webConfig,
    });
    await all.manager.silence("Quiet");
    all.findNodes("r1");
    writeFileSync(all.#file("rules.yml"), RULES);
    writeFileSync(all.#file("global-rules.yml"), GLOBAL_RULES);
    for (const replica of ["a", "b"]) await all.#addCluster("one", replica);
    await all.#addCluster("two", "a");
    await all.#addQueriers();
    await Promise.all([...all.#parts.values()].map((part) => part.start()));
    return all;
  }

  get manager(): Alertmanager {
    return this.#manager as Alertmanager;
  }

  part(name: string): Part {
    const part = this.#parts.get(name);
    if (part === undefined) throw new Error(`no part is named ${name}`);
    return part;
  }

  /** Writes the file by which the pair finds the node exporter, in a rack. */
  findNodes(rack: string): void {
    const targets = [{targets: [new URL(this.#nodeUrl).host], labels: {__meta_rack: rack, __meta_name: "node-1"}}];
    writeFileSync(this.#file("nodes.json"), JSON.stringify(targets));
  }

  #file(name: string): string {
    return join(this.#dir, name);
  }

  async #spawn(tool: "node-exporter" | "pushgateway", flags: readonly string[]): Promise<string> {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const args = [`--web.listen-address=127.0.0.1:${port}`, ...flags];
    await spawnServer(this.#t, {command: requireTool(tool).path, args, ready: httpReady(`${url}/metrics`)});
    return url;
  }

  /** The jobs of a cluster: the first has everything, the second only the program. */
  #jobs(cluster: string): object[] {
    const targets = (url: string) => [{targets: [new URL(url).host]}];
    const app = {job_name: "app", static_configs: targets(this.#appUrl)};
    if (cluster === "two") return [app];
    return [
      app,
      {
        job_name: "nodes",
        file_sd_configs: [{files: [this.#file("nodes.json")], refresh_interval: "1s"}],
        relabel_configs: [
          {source_labels: ["__meta_rack"], target_label: "rack"},
          {source_labels: ["__meta_name"], target_label: "instance"},
        ],
        metric_relabel_configs: [
          {source_labels: ["__name__"], regex: "node_cpu_guest.*", action: "drop"},
          {regex: "machine|nodename|domainname", action: "labeldrop"},
        ],
      },
      {job_name: "push", honor_labels: true, static_configs: targets(this.pushUrl)},
    ];
  }

  async #addCluster(cluster: string, replica: string): Promise<void> {
    const {httpClient, webConfig} = this.#encryption;
    const name = `${cluster}-${replica}`;
    const alerting = {
      alert_relabel_configs: [{regex: "replica", action: "labeldrop"}],
      alertmanagers: [{scheme: "https", ...httpClient, static_configs: [{targets: [new URL(this.manager.url).host]}]}],
    };
    const prometheus = await prometheusPart(this.#t, `prometheus-${name}`, {
      config: {
        global: {scrape_interval: "1s", evaluation_interval: "1s", external_labels: {cluster, replica}},
        scrape_configs: this.#jobs(cluster),
        storage: {exemplars: {max_exemplars: 1000}},
        ...(cluster === "one" ? {rule_files: [this.#file("rules.yml")], alerting} : {}),
      },
      webConfig,
      flags: ["--enable-feature=exemplar-storage"],
    });
    this.#parts.set(prometheus.name, prometheus);
    await this.#add(`sidecar-${name}`, "sidecar", () => [
      `--prometheus.url=${prometheus.url}`,
      `--prometheus.http-client=${JSON.stringify(httpClient)}`,
    ]);
  }

  async #addQueriers(): Promise<void> {
    const {httpClient, grpcClient} = this.#encryption;
    const querier = (name: string, below: readonly string[]): Promise<void> =>
      this.#add(name, "query", () => {
        const endpoints = below.map((part) => ({address: this.part(part).grpc, strict: true}));
        return [
          `--endpoint.sd-config=${JSON.stringify({default_client_config: grpcClient, endpoints})}`,
          "--endpoint.info-timeout=2s",
          "--query.replica-label=replica",
        ];
      });
    await querier("query-one", ["sidecar-one-a", "sidecar-one-b"]);
    await querier("query-two", ["sidecar-two-a"]);
    await querier("query-global", ["query-one", "query-two", "rule"]);
    const https = (url: string) => ({scheme: "https", http_config: httpClient, static_configs: [new URL(url).host]});
    await this.#add("rule", "rule", ({dir}) => [
      `--data-dir=${dir}`,
      `--rule-file=${this.#file("global-rules.yml")}`,
      `--query.config=${JSON.stringify([https(this.part("query-global").url)])}`,
      `--alertmanagers.config=${JSON.stringify({alertmanagers: [https(this.manager.url)]})}`,
      '--label=ruler="global"',
      "--resend-delay=15s",
    ]);
    const downstream = this.part("query-global").url;
    await this.#add(
      "query-frontend",
      "query-frontend",
      () => [
        `--query-frontend.downstream-url=${downstream}`,
        `--query-frontend.downstream-tripper-config=${JSON.stringify(httpClient)}`,
        `--query-range.response-cache-config=${JSON.stringify({type: "IN-MEMORY", config: {max_size: "16MB"}})}`,
        "--query-range.response-cache-max-freshness=1s",
      ],
      false,
    );
    const federation = {
      job_name: "federate",
      honor_labels: true,
      metrics_path: "/federate",
      params: {"match[]": ['{__name__=~"job:.+|cluster:.+"}', "node_cpu_seconds_total"]},
      scheme: "https",
      ...httpClient,
      static_configs: [{targets: [new URL(downstream).host]}],
    };
    const above = await prometheusPart(this.#t, "prometheus-above", {
      config: {global: {scrape_interval: "1s"}, scrape_configs: [federation]},
      webConfig: this.#encryption.webConfig,
      flags: [],
    });
    this.#parts.set(above.name, above);
  }

  async #add(name: string, command: string, args: ComponentPart["args"], hasGrpc = true): Promise<void> {
    const own = [`--http.config=${this.#encryption.webConfig}`, ...(hasGrpc ? this.#encryption.grpcServer : [])];
    const all: ComponentPart["args"] = (place) => [...args(place), ...own];
    this.#parts.set(name, await componentPart(this.#t, {name, command, hasGrpc, args: all}));
  }
}
