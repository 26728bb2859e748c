import {type PanelState, stepFor} from "../url-state.ts";

/** Which part of time is asked for, with "now" settled. Unix seconds. */
export type Request =
  | {readonly kind: "range"; readonly start: number; readonly end: number; readonly step: number}
  | {readonly kind: "instant"; readonly time: number};

/** The options of a panel that go with each of its requests, whatever it asks. */
export type AskOptions = Pick<PanelState, "dedup" | "partialResponse" | "maxResolution" | "tenant" | "stores"> & {
  readonly tenantHeader: string | undefined;
};

/** Parameters of a query. */
export function askParams(expr: string, request: Request, options: AskOptions): URLSearchParams {
  const params = new URLSearchParams({
    query: expr,
    ...timeParams(request),
    dedup: String(options.dedup),
    partial_response: String(options.partialResponse),
    ...(options.maxResolution === "" ? {} : {max_source_resolution: options.maxResolution}),
  });
  for (const name of options.stores) params.append("storeMatch[]", `{__address__=${JSON.stringify(name)}}`);
  return params;
}

/** Headers of a query: the tenant, where one is chosen. */
export const askHeaders = ({tenant, tenantHeader}: AskOptions): Record<string, string> =>
  tenant === "" || tenantHeader === undefined ? {} : {[tenantHeader]: tenant};

/** What the panel's graph asks for. The grid's last point is the end, its first no more than `range` before. */
export function rangeRequest({range, end, step: asked}: PanelState, now: number): Request {
  const step = stepFor(range, asked);
  const last = Math.round((end ?? now) * 1000) / 1000;
  return {kind: "range", start: last - Math.floor(range / step + 1e-9) * step, end: last, step};
}

/** What the panel's table asks for. */
export const instantRequest = ({moment}: PanelState, now: number): Request => ({kind: "instant", time: moment ?? now});

const timeParams = (request: Request): Record<string, string> =>
  request.kind === "range"
    ? {start: request.start.toFixed(3), end: request.end.toFixed(3), step: String(request.step)}
    : {time: request.time.toFixed(3)};
