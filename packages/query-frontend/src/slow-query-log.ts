import type {Logger} from "@strata/telemetry";
import type {HttpRequest, HttpResponse} from "@strata/web";
import type {QueryStats} from "./range-answer.ts";

export type SlowLogOptions = {
  /** `--query-frontend.log-queries-longer-than`, ms: 0 is off, negative logs every query. */
  readonly longerThanMs: number;
  /** `--query-frontend.slow-query-logs-user-header`. */
  readonly userHeader: string;
};

/** Writes a line for queries that took long. Compat: fields and their order are the original's. */
export class SlowQueryLog {
  readonly #o: SlowLogOptions;
  readonly #logger: Logger;

  constructor(options: SlowLogOptions, logger: Logger) {
    this.#o = options;
    this.#logger = logger;
  }

  async request(
    request: HttpRequest,
    answer: HttpResponse,
    tookMs: number,
    stats: QueryStats | undefined,
  ): Promise<void> {
    const {longerThanMs} = this.#o;
    if (longerThanMs === 0 || (longerThanMs > 0 && tookMs <= longerThanMs)) return;
    if (!request.path.includes("/api/v1")) return;
    const header = (name: string): string => String(request.headers[name] ?? "") || "-";
    // A form that cannot be read was answered as an error; the line does without it.
    const form = await request.form().catch(() => request.query);
    this.#logger.info("slow query detected", {
      org_id: header("thanos-tenant"),
      method: request.method,
      host: header("host"),
      path: request.path,
      remote_user: this.#user(request),
      remote_addr: `${request.raw.socket.remoteAddress ?? ""}:${request.raw.socket.remotePort ?? ""}`,
      time_taken_ms: Math.round(tookMs),
      grafana_dashboard_uid: header("x-dashboard-uid"),
      grafana_panel_id: header("x-panel-id"),
      trace_id: answer.headers?.["x-thanos-trace-id"] ?? "-",
      ...Object.fromEntries([...new Set(form.keys())].map((name) => [`param_${name}`, form.getAll(name).join(",")])),
      ...rangeFields(form),
      ...(stats === undefined ? {} : {peak_samples: stats.peak, total_samples_loaded: stats.total}),
    });
  }

  #user({headers}: HttpRequest): string {
    const {userHeader} = this.#o;
    if (userHeader !== "") return String(headers[userHeader.toLowerCase()] ?? "");
    const basic = /^Basic (.+)$/i.exec(headers.authorization ?? "");
    return basic === null
      ? ""
      : (Buffer.from(basic[1] as string, "base64")
          .toString("utf8")
          .split(":", 1)[0] as string);
  }
}

function rangeFields(form: URLSearchParams): Record<string, string | number> {
  const [start, end] = [Number(form.get("start") ?? "x"), Number(form.get("end") ?? "x")];
  if (!Number.isFinite(start) || !Number.isFinite(end)) return {};
  const hours = (end - start) / 3600;
  return {query_range_hours: Math.trunc(hours), query_range_human: `${Number(hours.toFixed(2))}h`};
}
