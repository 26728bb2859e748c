import {StrataError} from "@strata/base";
import {crc32c, snappyEncode} from "@strata/bytes";
import type {HttpClient} from "@strata/http-client";
import {Labels, type Matcher} from "@strata/model";
import {prompb} from "@strata/proto";

/** A frame of streamed chunks is about 1 MiB; anything past this is not from a Prometheus. */
const MAX_FRAME_BYTES = 256 * 1024 * 1024;

const OPS = {"=": 0, "!=": 1, "=~": 2, "!~": 3} as const;

/** One frame's series, as Prometheus streams them: labels sorted, chunks with the remote-read type (1 is XOR). */
export type ChunkedSeries = {
  readonly labels: Labels;
  readonly chunks: readonly {
    readonly mint: number;
    readonly maxt: number;
    readonly encoding: number;
    readonly data: Uint8Array;
  }[];
};

/**
 * Remote read in streamed chunks: POST /api/v1/read, answered by frames of uvarint length, big-endian CRC32C and a
 * ChunkedReadResponse. One series may go on over several frames. mint and maxt in ms, both inclusive.
 */
export async function* remoteRead(
  client: HttpClient,
  matchers: readonly Matcher[],
  mint: number,
  maxt: number,
  signal: AbortSignal,
): AsyncGenerator<ChunkedSeries> {
  const request = prompb.ReadRequest.encode({
    queries: [
      {
        startTimestampMs: mint,
        endTimestampMs: maxt,
        matchers: matchers.map((m) => ({type: OPS[m.op], name: m.name, value: m.value})),
      },
    ],
    acceptedResponseTypes: [1],
  });
  const body = await client.stream(
    {
      method: "POST",
      path: "/api/v1/read",
      headers: {
        "content-encoding": "snappy",
        "content-type": "application/x-stream-protobuf",
        "x-prometheus-remote-read-version": "0.1.0",
      },
      body: snappyEncode(request),
    },
    signal,
  );
  for await (const frame of frames(body)) {
    const message = prompb.ChunkedReadResponse.decode(frame);
    for (const series of message.chunkedSeries) {
      yield {
        labels: Labels.fromPairs(series.labels.map((l) => [l.name, l.value] as const)),
        chunks: series.chunks.map((c) => ({mint: c.minTimeMs, maxt: c.maxTimeMs, encoding: c.type, data: c.data})),
      };
    }
  }
}

/** Cuts a byte stream into the frames of streamed remote read; checks length and CRC of each. */
export async function* frames(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let pending: Uint8Array[] = [];
  let size = 0;
  let wanted = 1;
  let offset = 0;
  for await (const part of body) {
    pending.push(part);
    size += part.length;
    if (size < wanted) continue;
    const buffer = pending.length === 1 ? part : Buffer.concat(pending, size);
    let pos = 0;
    for (;;) {
      const header = frameHeader(buffer, pos, offset + pos);
      wanted = header === undefined ? buffer.length - pos + 1 : header.bodyAt - pos + header.length;
      if (header === undefined || buffer.length - pos < wanted) break;
      const frame = buffer.subarray(header.bodyAt, header.bodyAt + header.length);
      const got = crc32c(frame, 0, frame.length);
      if (got !== header.crc) {
        throw new StrataError(
          "corrupt",
          `cannot read remote read frame at ${offset + pos}: crc32c ${got} != ${header.crc}`,
        );
      }
      yield frame;
      pos += wanted;
      if (pos === buffer.length) {
        wanted = 1;
        break;
      }
    }
    offset += pos;
    pending = pos === buffer.length ? [] : [buffer.subarray(pos)];
    size = buffer.length - pos;
  }
  if (size > 0)
    throw new StrataError("corrupt", `cannot read remote read frame at ${offset}: the stream ends inside it`);
}

/** Length, CRC and start of the frame at `pos`, or undefined while its header is not whole. */
function frameHeader(buffer: Uint8Array, pos: number, offset: number) {
  let length = 0;
  let shift = 0;
  let at = pos;
  for (;;) {
    if (at >= buffer.length) return undefined;
    const b = buffer[at++] as number;
    length += (b & 0x7f) * 2 ** shift;
    if (b < 0x80) break;
    shift += 7;
    if (shift > 28) throw new StrataError("corrupt", `cannot read remote read frame at ${offset}: length is no uint32`);
  }
  if (length > MAX_FRAME_BYTES) {
    throw new StrataError(
      "corrupt",
      `cannot read remote read frame at ${offset}: ${length} bytes exceed ${MAX_FRAME_BYTES}`,
    );
  }
  if (buffer.length - at < 4) return undefined;
  const crc =
    (((buffer[at] as number) << 24) |
      ((buffer[at + 1] as number) << 16) |
      ((buffer[at + 2] as number) << 8) |
      (buffer[at + 3] as number)) >>>
    0;
  return {length, crc, bodyAt: at + 4};
}
