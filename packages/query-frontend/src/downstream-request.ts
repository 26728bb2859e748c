import {type InstantRequest, type LabelsRequest, type RangeRequest, selectorText} from "./request.ts";

/** A request as it goes to the querier. */
export type DownstreamRequest = {
  readonly method: "GET" | "POST";
  /** Path below the querier's URL, with the query where there is one. */
  readonly target: string;
  /** The form of a POST. */
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
};

/** Parameters come in the order of their names, so that equal requests are equal texts. */
export function encodeRange(r: RangeRequest): DownstreamRequest {
  const form = queryForm(r);
  form.set("start", seconds(r.start));
  form.set("end", seconds(r.end));
  form.set("step", seconds(r.step));
  return post(r.path, form, r.headers);
}

export function encodeInstant(r: InstantRequest): DownstreamRequest {
  const form = queryForm(r);
  if (r.time !== undefined) form.set("time", seconds(r.time));
  return post(r.path, form, r.headers);
}

export function encodeLabels(r: LabelsRequest): DownstreamRequest {
  const form = new URLSearchParams();
  form.set("start", seconds(r.start));
  form.set("end", seconds(r.end));
  form.set("partial_response", String(r.partialResponse));
  for (const matchers of r.matchers) form.append("match[]", selectorText(matchers));
  for (const text of r.storeMatch) form.append("storeMatch[]", text);
  if (r.op === "series") {
    form.set("dedup", String(r.dedup));
    for (const label of r.replicaLabels) form.append("replicaLabels[]", label);
  }
  if (r.op !== "label_values") return post(r.path, form, r.headers);
  form.sort();
  return {method: "GET", target: `${r.path}?${form}`, body: "", headers: r.headers};
}

function queryForm(r: RangeRequest | InstantRequest): URLSearchParams {
  const form = new URLSearchParams({
    query: r.query,
    analyze: String(r.analyze),
    dedup: String(r.dedup),
    engine: r.engine,
    partial_response: String(r.partialResponse),
    stats: r.stats,
  });
  for (const label of r.replicaLabels) form.append("replicaLabels[]", label);
  for (const text of r.storeMatch) form.append("storeMatch[]", text);
  if (r.autoResolution) form.set("max_source_resolution", "auto");
  else if (r.maxResolution !== 0) form.set("max_source_resolution", seconds(r.maxResolution));
  if (r.shardInfo !== "") form.set("shard_info", r.shardInfo);
  if (r.lookbackMs > 0) form.set("lookback_delta", seconds(r.lookbackMs));
  return form;
}

function post(path: string, form: URLSearchParams, headers: Readonly<Record<string, string>>): DownstreamRequest {
  form.sort();
  return {
    method: "POST",
    target: path,
    body: form.toString(),
    headers: {...headers, "content-type": "application/x-www-form-urlencoded"},
  };
}

/** ms as the shortest decimal seconds. */
export const seconds = (ms: number): string => String(Math.round(ms) / 1000);
