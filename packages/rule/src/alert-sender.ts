import {errorText} from "@strata/base";
import type {Logger, Registry} from "@strata/telemetry";
import {alertsBody, type OutgoingAlert} from "./alert-payload.ts";
import type {AlertmanagerGroup} from "./server-config.ts";
import type {Server, ServerSet} from "./server-set.ts";

export type AlertSenderOptions = {
  readonly servers: ServerSet<AlertmanagerGroup>;
  readonly groups: number;
  readonly registry: Registry;
  readonly logger: Logger;
};

/** Alerts that wait for one group; beyond it the oldest go. */
const CAPACITY = 10_000;
/** Alerts of one post. */
const BATCH = 100;
/** What is read of an answer. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** An alert on its way to all groups. */
type Parcel = {readonly alert: OutgoingAlert; waiting: number; delivered: boolean};

/**
 * Sends alerts to every server of every group. Groups have a queue each, so that one that hangs holds up no other. There
 * are no retries: rules send what still matters again.
 */
export class AlertSender {
  readonly #options: AlertSenderOptions;
  readonly #metrics: ReturnType<typeof senderMetrics>;
  readonly #queues: Parcel[][];
  readonly #wakes: (() => void)[];

  constructor(options: AlertSenderOptions) {
    this.#options = options;
    this.#queues = Array.from({length: options.groups}, () => []);
    this.#wakes = this.#queues.map(() => () => undefined);
    this.#metrics = senderMetrics(options.registry, () => Math.max(0, ...this.#queues.map((queue) => queue.length)));
    this.#metrics.capacity.set(CAPACITY);
  }

  /** Takes alerts over. Never waits; what finds no room pushes out the oldest. */
  push(alerts: readonly OutgoingAlert[]): void {
    if (alerts.length === 0) return;
    this.#metrics.pushed.inc(alerts.length);
    if (this.#queues.length === 0) {
      this.#metrics.undelivered.inc(alerts.length);
      this.#options.logger.warn("no Alertmanager is configured, dropping alerts", {alerts: alerts.length});
      return;
    }
    const parcels = alerts.map((alert) => ({alert, waiting: this.#queues.length, delivered: false}));
    for (const queue of this.#queues) {
      queue.push(...parcels);
      const over = queue.length - CAPACITY;
      if (over > 0) this.#overflow(queue.splice(0, over));
    }
    for (const wake of this.#wakes) wake();
  }

  #overflow(parcels: readonly Parcel[]): void {
    this.#metrics.overflowed.inc(parcels.length);
    this.#options.logger.warn("alert queue is full, dropping the oldest alerts", {alerts: parcels.length});
    this.#settle(parcels, false);
  }

  /** Sends until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#queues.map((_, group) => this.#serve(group, signal)));
  }

  async #serve(group: number, signal: AbortSignal): Promise<void> {
    const queue = this.#queues[group] as Parcel[];
    const stop = (): void => this.#wakes[group]?.();
    signal.addEventListener("abort", stop);
    while (!signal.aborted) {
      const batch = queue.splice(0, BATCH);
      if (batch.length === 0) {
        await new Promise<void>((resolve) => {
          this.#wakes[group] = resolve;
        });
        continue;
      }
      // Every alert goes through each group; it is counted where it leaves the first.
      if (group === 0) this.#metrics.popped.inc(batch.length);
      this.#settle(batch, await this.#deliver(group, batch, signal));
    }
    signal.removeEventListener("abort", stop);
  }

  /** Whether any server of the group took the batch. */
  async #deliver(group: number, batch: readonly Parcel[], signal: AbortSignal): Promise<boolean> {
    const servers = this.#options.servers.servers[group] ?? [];
    const alerts = batch.map(({alert}) => alert);
    const bodies = new Map<string, Buffer>();
    const taken = await Promise.all(
      servers.map((server) => {
        const version = server.group.apiVersion;
        const body = bodies.get(version) ?? Buffer.from(alertsBody(alerts, version));
        bodies.set(version, body);
        return this.#post(server, body, alerts.length, signal);
      }),
    );
    if (servers.length === 0) {
      this.#options.logger.warn("no Alertmanager is known, dropping alerts", {alerts: batch.length});
    }
    return taken.includes(true);
  }

  async #post(
    {client, url, group}: Server<AlertmanagerGroup>,
    body: Buffer,
    count: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const alertmanager = url.host;
    const started = performance.now();
    const request = {
      method: "POST" as const,
      path: `/api/${group.apiVersion}/alerts`,
      headers: {"content-type": "application/json"},
      body,
    };
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(group.timeoutMs)]);
      const {status, body: answer} = await client.answer(request, MAX_ANSWER_BYTES, limit);
      if (status < 200 || status > 299) throw new Error(`status ${status}: ${answer.toString("utf8").slice(0, 500)}`);
      this.#metrics.latency.with({alertmanager}).observe((performance.now() - started) / 1000);
      this.#metrics.sent.with({alertmanager}).inc(count);
      return true;
    } catch (err) {
      this.#metrics.errors.with({alertmanager}).inc();
      if (!signal.aborted) {
        this.#options.logger.warn("cannot send alerts", {alertmanager: url.href, alerts: count, err: errorText(err)});
      }
      return false;
    }
  }

  #settle(parcels: readonly Parcel[], delivered: boolean): void {
    for (const parcel of parcels) {
      parcel.waiting--;
      parcel.delivered ||= delivered;
      if (parcel.waiting === 0 && !parcel.delivered) this.#metrics.undelivered.inc();
    }
  }
}

const senderMetrics = (r: Registry, length: () => number) => ({
  pushed: r.counter({name: "thanos_alert_queue_alerts_pushed_total", help: "Alerts that rules gave to be sent."}),
  popped: r.counter({name: "thanos_alert_queue_alerts_popped_total", help: "Alerts that left the queue to be sent."}),
  overflowed: r.counter({
    name: "thanos_alert_queue_alerts_dropped_total",
    help: "Alerts pushed out of a full queue.",
  }),
  capacity: r.gauge({name: "thanos_alert_queue_capacity", help: "Alerts that the queue holds at the most."}),
  length: r.gauge({
    name: "thanos_alert_queue_length",
    help: "Alerts in the queue.",
    collect: (gauge) => gauge.set(length()),
  }),
  undelivered: r.counter({
    name: "thanos_alert_sender_alerts_dropped_total",
    help: "Alerts that no Alertmanager took.",
  }),
  sent: r.counter({
    name: "thanos_alert_sender_alerts_sent_total",
    help: "Alerts that an Alertmanager took.",
    labels: ["alertmanager"],
  }),
  errors: r.counter({
    name: "thanos_alert_sender_errors_total",
    help: "Posts of alerts that failed.",
    labels: ["alertmanager"],
  }),
  latency: r.histogram({
    name: "thanos_alert_sender_latency_seconds",
    help: "How long posting alerts took.",
    labels: ["alertmanager"],
    buckets: [0.1, 0.25, 0.5, 1, 5, 10],
  }),
});
