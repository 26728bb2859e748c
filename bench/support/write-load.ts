import {Agent, request} from "node:http";
import {ByteWriter, snappyEncode} from "@strata/bytes";
import {type Init, prompb, writeV2} from "@strata/proto";

/** What is sent: remote write 1.0, 2.0, or OTLP in either form. */
export type Protocol = "v1" | "v2" | "otlp" | "otlp-json";

export type Load = {
  readonly protocol: Protocol;
  /** Bodies in the order they are sent. */
  readonly bodies: readonly Uint8Array[];
  /** How many of them are a round over all series. */
  readonly perRound: number;
  readonly samples: number;
};

export type LoadOptions = {
  readonly protocol: Protocol;
  readonly series: number;
  readonly rounds: number;
  readonly perRequest: number;
  /** Time of the first round, ms. */
  readonly start: number;
};

const STEP_MS = 15_000;

/** Labels of a series as a scrape of a Kubernetes cluster gives them, sorted by name. */
export const labelsOf = (i: number): [string, string][] => [
  ["__name__", `http_request_duration_seconds_${i % 50}`],
  ["cluster", "eu-west-1"],
  ["code", String(200 + (i % 5))],
  ["container", "server"],
  ["handler", `/api/v1/${i % 20}`],
  ["instance", `10.0.${(i >> 8) & 255}.${i & 255}:9100`],
  ["job", `job-${i % 30}`],
  ["namespace", "production"],
  ["pod", `server-${i}`],
];

/** A counter that goes on by a seventeenth-cycle of its number. */
export const sampleOf = (i: number, round: number): number => round * ((i % 17) + 1) + (i % 1000);

/** Encodes all requests beforehand, so that sending costs the least there is. */
export function encodeLoad(o: LoadOptions): Load {
  const bodies: Uint8Array[] = [];
  for (let round = 0; round < o.rounds; round++) {
    for (let from = 0; from < o.series; from += o.perRequest) {
      bodies.push(ENCODERS[o.protocol](from, Math.min(o.series, from + o.perRequest), round, o.start));
    }
  }
  const perRound = Math.ceil(o.series / o.perRequest);
  return {protocol: o.protocol, bodies, perRound, samples: o.rounds * o.series};
}

type Encoder = (from: number, to: number, round: number, start: number) => Uint8Array;

const numbers = (from: number, to: number): number[] => Array.from({length: to - from}, (_, k) => from + k);

const ENCODERS: Readonly<Record<Protocol, Encoder>> = {
  v1: (from, to, round, start) =>
    snappyEncode(
      prompb.WriteRequest.encode({
        timeseries: numbers(from, to).map((i) => ({
          labels: labelsOf(i).map(([name, value]) => ({name, value})),
          samples: [{value: sampleOf(i, round), timestamp: start + round * STEP_MS + (i % 1000)}],
        })),
      }),
    ),
  v2: (from, to, round, start) => {
    const symbols = new Map([["", 0]]);
    const ref = (text: string): number => {
      const known = symbols.get(text) ?? symbols.size;
      symbols.set(text, known);
      return known;
    };
    const timeseries: Init<writeV2.TimeSeries>[] = numbers(from, to).map((i) => ({
      labelsRefs: labelsOf(i).flatMap(([name, value]) => [ref(name), ref(value)]),
      samples: [{value: sampleOf(i, round), timestamp: start + round * STEP_MS + (i % 1000)}],
    }));
    return snappyEncode(writeV2.Request.encode({symbols: [...symbols.keys()], timeseries}));
  },
  otlp: (from, to, round, start) => {
    const points = numbers(from, to).map((i) =>
      message(
        ...labelsOf(i)
          .slice(1)
          .map(([key, value]) => field(0x3a, keyValue(key, value))),
        fixed(0x19, (w) => w.u64le(BigInt(start + round * STEP_MS + (i % 1000)) * 1_000_000n)),
        fixed(0x21, (w) => w.f64le(sampleOf(i, round))),
      ),
    );
    const gauge = message(...points.map((point) => field(0x0a, point)));
    const metric = message(field(0x0a, Buffer.from("http.request.duration")), field(0x2a, gauge));
    const resource = message(field(0x0a, keyValue("service.name", "bench")));
    const resourceMetrics = message(field(0x0a, resource), field(0x12, message(field(0x12, metric))));
    return message(field(0x0a, resourceMetrics));
  },
  "otlp-json": (from, to, round, start) => {
    const points = numbers(from, to).map((i) => ({
      attributes: labelsOf(i)
        .slice(1)
        .map(([key, value]) => ({key, value: {stringValue: value}})),
      timeUnixNano: `${start + round * STEP_MS + (i % 1000)}000000`,
      asDouble: sampleOf(i, round),
    }));
    const metrics = [{name: "http.request.duration", gauge: {dataPoints: points}}];
    const resource = {attributes: [{key: "service.name", value: {stringValue: "bench"}}]};
    return Buffer.from(JSON.stringify({resourceMetrics: [{resource, scopeMetrics: [{metrics}]}]}));
  },
};

const message = (...fields: Uint8Array[]): Uint8Array => Buffer.concat(fields);

/** A protobuf field of bytes. */
function field(tag: number, content: Uint8Array): Uint8Array {
  const w = new ByteWriter(content.length + 6);
  w.u8(tag);
  w.uvarint(content.length);
  w.bytes(content);
  return w.view();
}

/** A protobuf field of eight bytes. */
function fixed(tag: number, write: (w: ByteWriter) => void): Uint8Array {
  const w = new ByteWriter(9);
  w.u8(tag);
  write(w);
  return w.view();
}

/** An attribute whose value is a text. */
const keyValue = (key: string, value: string): Uint8Array =>
  message(field(0x0a, Buffer.from(key)), field(0x12, field(0x0a, Buffer.from(value))));

export const HEADERS: Readonly<Record<Protocol, Record<string, string>>> = {
  v1: {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"},
  v2: {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "X-Prometheus-Remote-Write-Version": "2.0.0",
  },
  otlp: {"Content-Type": "application/x-protobuf"},
  "otlp-json": {"Content-Type": "application/json"},
};

/**
 * Sends all bodies over so many connections, each body once, and gives the milliseconds each took. A series keeps its
 * connection, as with the shards of Prometheus: else its samples could overtake one another. An address without a path gets
 * that of Strata and Thanos.
 */
export async function sendLoad(address: string, load: Load, connections: number): Promise<number[]> {
  const agent = new Agent({keepAlive: true, maxSockets: connections});
  const path = load.protocol.startsWith("otlp") ? "/api/v1/otlp" : "/api/v1/receive";
  const url = `http://${address.includes("/") ? address : `${address}${path}`}`;
  const took: number[] = [];
  const worker = async (_: unknown, connection: number): Promise<void> => {
    for (let i = 0; i < load.bodies.length; i++) {
      if ((i % load.perRound) % connections !== connection) continue;
      const from = performance.now();
      await post(agent, url, load.bodies[i] as Uint8Array, HEADERS[load.protocol]);
      took.push(performance.now() - from);
    }
  };
  try {
    await Promise.all(Array.from({length: connections}, worker));
  } finally {
    agent.destroy();
  }
  return took;
}

export function post(agent: Agent, url: string, body: Uint8Array, headers: Record<string, string>): Promise<void> {
  return new Promise((resolve, reject) => {
    const req = request(url, {method: "POST", agent, headers: {...headers, "Content-Length": body.length}}, (res) => {
      let text = "";
      res.on("data", (piece) => (text += String(piece)));
      res.on("end", () => {
        if (res.statusCode === 200 || res.statusCode === 204) resolve();
        else reject(new Error(`status ${res.statusCode} from ${url}: ${text.slice(0, 200)}`));
      });
    });
    req.on("error", reject);
    req.end(body);
  });
}
