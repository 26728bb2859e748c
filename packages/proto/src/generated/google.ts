// Written by src/generator.ts from proto/*.proto. Do not edit.
import {type Codec, codec, type Init} from "../codec.ts";
import type {WireReader} from "../wire-reader.ts";
import type {WireWriter} from "../wire-writer.ts";

/** A message of any type: its name behind "type.googleapis.com/" and its bytes. */
export type Any = {
  typeUrl: string;
  value: Uint8Array;
};

export function writeAny(m: Init<Any>, w: WireWriter): void {
  if (m.typeUrl) {
    w.uint32(10);
    w.string(m.typeUrl);
  }
  if (m.value !== undefined && m.value.length > 0) {
    w.uint32(18);
    w.bytes(m.value);
  }
}

export function readAny(r: WireReader): Any {
  const m: Any = {
    typeUrl: "",
    value: new Uint8Array(0),
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.typeUrl = r.string();
        break;
      case 18:
        m.value = r.view();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Any: Codec<Any> = codec("google.protobuf.Any", writeAny, readAny);

/** A moment: Unix seconds, and nanoseconds in [0, 1e9). */
export type Timestamp = {
  seconds: number;
  nanos: number;
};

export function writeTimestamp(m: Init<Timestamp>, w: WireWriter): void {
  if (m.seconds) {
    w.uint32(8);
    w.int64(m.seconds);
  }
  if (m.nanos) {
    w.uint32(16);
    w.int32(m.nanos);
  }
}

export function readTimestamp(r: WireReader): Timestamp {
  const m: Timestamp = {
    seconds: 0,
    nanos: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.seconds = r.int64();
        break;
      case 16:
        m.nanos = r.int32();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Timestamp: Codec<Timestamp> = codec("google.protobuf.Timestamp", writeTimestamp, readTimestamp);

/** A span: seconds, and nanoseconds of the same sign. */
export type Duration = {
  seconds: number;
  nanos: number;
};

export function writeDuration(m: Init<Duration>, w: WireWriter): void {
  if (m.seconds) {
    w.uint32(8);
    w.int64(m.seconds);
  }
  if (m.nanos) {
    w.uint32(16);
    w.int32(m.nanos);
  }
}

export function readDuration(r: WireReader): Duration {
  const m: Duration = {
    seconds: 0,
    nanos: 0,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.seconds = r.int64();
        break;
      case 16:
        m.nanos = r.int32();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Duration: Codec<Duration> = codec("google.protobuf.Duration", writeDuration, readDuration);
