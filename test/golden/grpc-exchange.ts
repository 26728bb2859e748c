import {ChannelCredentials, Client} from "@grpc/grpc-js";
import type {TestScope} from "@strata/base/testing";
import {hints, info, type MethodDef, thanos} from "@strata/proto";

/** One gRPC exchange with an original, as recorded. */
export type GrpcExchange = {
  readonly id: string;
  readonly service: string;
  readonly method: string;
  readonly request_base64: string;
  readonly responses_base64: readonly string[] | null;
  readonly status: {readonly code_number: number; readonly message?: string};
};

export type GrpcResult = {
  readonly responses: readonly Buffer[];
  readonly status: {readonly code_number: number; readonly message?: string};
};

const METHODS: Readonly<Record<string, MethodDef<never, never>>> = {
  "thanos.Store/Series": thanos.StoreService.Series as never,
  "thanos.Store/LabelNames": thanos.StoreService.LabelNames as never,
  "thanos.Store/LabelValues": thanos.StoreService.LabelValues as never,
  "thanos.Query/Query": thanos.QueryService.Query as never,
  "thanos.Query/QueryRange": thanos.QueryService.QueryRange as never,
  "thanos.Exemplars/Exemplars": thanos.ExemplarsService.Exemplars as never,
  "thanos.Status/TSDBStatistics": thanos.StatusService.TSDBStatistics as never,
  "thanos.info.Info/Info": info.InfoService.Info as never,
};

/** Sends the recorded bytes with the library's own client, which shares no code with ours; gives the bytes that come. */
export function grpcReplay(t: TestScope, address: string): (exchange: GrpcExchange) => Promise<GrpcResult> {
  const client = new Client(address, ChannelCredentials.createInsecure(), {"grpc.max_receive_message_length": -1});
  t.after(() => client.close());
  const same = (bytes: Buffer): Buffer => bytes;
  return ({service, method, request_base64: request}) =>
    new Promise((resolve) => {
      const responses: Buffer[] = [];
      const path = METHODS[`${service}/${method}`]?.path ?? `/${service}/${method}`;
      const call = client.makeServerStreamRequest(path, same, same, Buffer.from(request, "base64"));
      call.on("data", (bytes: Buffer) => responses.push(bytes));
      // The status says it all.
      call.on("error", () => undefined);
      call.on("status", (status) => {
        resolve({responses, status: {code_number: status.code, message: status.details}});
      });
    });
}

/** The answer as text of which two are equal exactly when nothing that matters differs, for `exchange.method`. */
export function normalized(exchange: GrpcExchange, result: GrpcResult): string {
  const {code_number: code, message = ""} = result.status;
  const method = METHODS[`${exchange.service}/${exchange.method}`] as MethodDef<never, never>;
  const decoded = result.responses.map((bytes) => method.response.decode(bytes) as unknown);
  // An error ends a stream at a place of chance.
  const answer = code === 0 ? shown(exchange.method, decoded) : [];
  return JSON.stringify({code, message: code === 0 ? "" : message, answer}, replacer, 1);
}

function shown(method: string, responses: readonly unknown[]): unknown {
  switch (method) {
    case "Series":
      return seriesShown(responses as readonly thanos.SeriesResponse[]);
    case "LabelNames":
      return (responses as readonly thanos.LabelNamesResponse[]).map((r) => ({...r, hints: queriedBlocks(r.hints)}));
    case "LabelValues":
      return (responses as readonly thanos.LabelValuesResponse[]).map((r) => ({...r, hints: queriedBlocks(r.hints)}));
    case "Query":
    case "QueryRange":
      return queryShown(responses as readonly thanos.QueryResponse[]);
    case "Exemplars":
      return responses;
    case "TSDBStatistics":
      return (responses as readonly thanos.TSDBStatisticsResponse[]).map((r) => [...(r.statistics?.statistics ?? [])]);
    default:
      return (responses as readonly info.InfoResponse[]).map(infoShown);
  }
}

/** Messages in their order, warnings and the series of a batch or in a row in any. */
function queryShown(responses: readonly thanos.QueryResponse[]): unknown {
  const sorted = (list: readonly unknown[]) => list.map((item) => JSON.stringify(item, replacer)).sort();
  const single = responses.flatMap((r) => r.timeseries ?? []);
  return {
    kinds: responses.map((r) => Object.entries(r).flatMap(([kind, value]) => (value === undefined ? [] : [kind]))),
    batches: responses.flatMap((r) => (r.timeseriesBatch === undefined ? [] : [r.timeseriesBatch.series.length])),
    warnings: sorted(responses.flatMap((r) => r.warnings?.split(", ") ?? [])),
    series: sorted([...single, ...responses.flatMap((r) => r.timeseriesBatch?.series ?? [])]),
    stats: responses.flatMap((r) => r.stats ?? []),
  };
}

/** Frames by kind and size, and the series in order; one that comes in several messages is put together. */
function seriesShown(responses: readonly thanos.SeriesResponse[]): unknown {
  const series: {labels: string; chunks: unknown[]}[] = [];
  for (const response of responses) {
    for (const one of response.batch?.series ?? (response.series === undefined ? [] : [response.series])) {
      const labels = JSON.stringify(one.labels);
      const last = series.at(-1);
      if (last?.labels === labels) last.chunks.push(...one.chunks);
      else series.push({labels, chunks: [...one.chunks]});
    }
  }
  return {
    kinds: [...new Set(responses.map(kindOf))].sort(),
    largestBatch: Math.max(0, ...responses.map((r) => r.batch?.series.length ?? 0)),
    warnings: responses.flatMap((r) => (r.warning === undefined ? [] : [r.warning])),
    hints: responses.flatMap((r) => (r.hints === undefined ? [] : [r.hints])),
    series,
  };
}

const kindOf = (response: thanos.SeriesResponse): string =>
  Object.entries(response)
    .filter(([, value]) => value !== undefined)
    .map(([key]) => key)
    .join("+");

/** Blocks are named in any order. */
const queriedBlocks = (any: {typeUrl: string; value: Uint8Array} | undefined): unknown =>
  any && [
    any.typeUrl,
    hints.LabelNamesResponseHints.decode(any.value)
      .queriedBlocks.map((block) => block.id)
      .sort(),
  ];

function infoShown(response: info.InfoResponse): unknown {
  const sorted = (list: readonly unknown[]) => list.map((item) => JSON.stringify(item)).sort();
  const {store} = response;
  return {
    ...response,
    labelSets: sorted(response.labelSets),
    store: store && {...store, tsdbInfos: sorted(store.tsdbInfos)},
  };
}

const replacer = (_key: string, value: unknown): unknown => {
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (typeof value === "object" && value !== null && "type" in value && value.type === "Buffer" && "data" in value) {
    return Buffer.from(value.data as number[]).toString("base64");
  }
  return value;
};
