import type {IncomingHttpHeaders} from "node:http";
import type {RemoteMessage} from "./remote-config.ts";
import {type OutgoingSample, type SampleCounts, writeRequest, writeRequestV2} from "./write-request.ts";

/** How samples are put to a receiver. */
export type RemoteProtocol = {
  readonly headers: Readonly<Record<string, string>>;
  /** The message, good until the next call. */
  encode(samples: readonly OutgoingSample[]): Uint8Array;
  /** Whether a receiver says what it has written. */
  readonly confirms: boolean;
};

const V1: RemoteProtocol = {
  headers: {
    "content-encoding": "snappy",
    "content-type": "application/x-protobuf",
    "x-prometheus-remote-write-version": "0.1.0",
  },
  encode: writeRequest,
  confirms: false,
};

const V2: RemoteProtocol = {
  headers: {
    "content-encoding": "snappy",
    "content-type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "x-prometheus-remote-write-version": "2.0.0",
  },
  encode: writeRequestV2,
  confirms: true,
};

export const PROTOCOLS: Readonly<Record<RemoteMessage, RemoteProtocol>> = {
  "prometheus.WriteRequest": V1,
  "io.prometheus.write.v2.Request": V2,
};

/** What every receiver understands. */
export const OLDEST_PROTOCOL = V1;

/** How much an answer says was written; undefined where it says nothing. */
export function writtenIn(headers: IncomingHttpHeaders): SampleCounts | undefined {
  const [samples, histograms] = ["samples", "histograms"].map(
    (kind) => headers[`x-prometheus-remote-write-${kind}-written`],
  );
  if (samples === undefined && histograms === undefined) return undefined;
  return {samples: Number(samples) || 0, histograms: Number(histograms) || 0};
}
