import {writeFile} from "node:fs/promises";
import {join} from "node:path";

/** Rules over the demo's series: alerts that always fire, some that do most of the time, one that rarely does. */
const RULES = `# Written at every start of the demo; changes are lost. --rule-file takes files of your own instead.
groups:
  - name: shop
    interval: 15s
    rules:
      - record: job:http_requests:rate5m
        expr: sum by (cluster, job) (rate(http_requests_total[5m]))
      - record: job:http_errors:ratio5m
        expr: sum by (cluster, job) (rate(http_requests_total{code="500"}[5m])) / job:http_requests:rate5m
      - alert: ShopErrorsHigh
        expr: job:http_errors:ratio5m > 0.05
        for: 1m
        labels: {severity: critical}
        annotations:
          summary: "{{ $labels.job }} answers {{ $value | humanizePercentage }} of its requests with errors"
      - alert: ShopQueueBacklog
        expr: queue_messages_ready > 90
        for: 30s
        labels: {severity: warning}
        annotations:
          summary: "{{ $value }} messages wait in {{ $labels.queue }}"
  - name: machines
    interval: 15s
    rules:
      - record: instance:node_cpu:ratio5m
        expr: 1 - avg by (cluster, instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))
      - alert: NodeLoadHigh
        expr: node_load1 > 2
        labels: {severity: warning}
        annotations:
          summary: "{{ $labels.instance }} has a load of {{ $value | humanize }}"
  - name: demo
    interval: 5s
    rules:
      - alert: Watchdog
        expr: vector(1)
        labels: {severity: none}
        annotations:
          summary: Always firing, so that the way of alerts can be seen to work
          description: These are the rules of the demo. Start with --no-demo, or with a --rule-file of your own.
`;

/** Writes the rules of the demo below `dataDir`; the file's path. */
export async function writeDemoRules(dataDir: string): Promise<string> {
  const file = join(dataDir, "demo-rules.yml");
  await writeFile(file, RULES);
  return file;
}
