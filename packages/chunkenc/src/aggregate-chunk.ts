import {ByteReader, ByteWriter} from "@strata/bytes";
import {type ChunkPlace, corruptChunk, UNKNOWN_PLACE} from "./chunk-error.ts";
import {ENCODING, encodingName} from "./encoding.ts";

// A downsampled chunk's data, five entries in this order:
//
//   uvarint length of the inner data, 0 when absent | (unless absent) encoding u8 | inner data
export const AGGREGATES = ["count", "sum", "min", "max", "counter"] as const;
export type AggregateName = (typeof AGGREGATES)[number];

/** Where one aggregate's chunk data lies in the buffer that holds the whole. */
export type AggregatePart = {readonly encoding: number; readonly from: number; readonly length: number};

/** By position in AGGREGATES; undefined where the chunk has none. */
export type AggregateParts = readonly (AggregatePart | undefined)[];

/** Splits the aggregate chunk data[from, from + length) into its columns, without reading them. Throws `corrupt`. */
export function splitAggregates(
  data: Uint8Array,
  from: number,
  length: number,
  place: ChunkPlace = UNKNOWN_PLACE,
): AggregateParts {
  if (from + length > data.length) throw corruptChunk(ENCODING.aggregate, length, place, "too short");
  const r = new ByteReader(data, place.name, from, from + length, place.offset - from);
  const parts: (AggregatePart | undefined)[] = [];
  for (const name of AGGREGATES) {
    const size = r.uvarint();
    if (size === 0) {
      parts.push(undefined);
      continue;
    }
    const encoding = r.u8();
    if (encodingName(encoding) === undefined || encoding === ENCODING.none || encoding === ENCODING.aggregate) {
      throw r.corrupt(`the ${name} aggregate has encoding ${encoding}`);
    }
    parts.push({encoding, from: r.pos, length: size});
    r.skip(size);
  }
  return parts;
}

/** The data of an aggregate chunk of the given inner chunks, by position in AGGREGATES. */
export function joinAggregates(
  parts: readonly ({readonly encoding: number; readonly data: Uint8Array} | undefined)[],
): Uint8Array<ArrayBuffer> {
  const w = new ByteWriter(512);
  for (let i = 0; i < AGGREGATES.length; i++) {
    const part = parts[i];
    w.uvarint(part?.data.length ?? 0);
    if (part === undefined) continue;
    w.u8(part.encoding);
    w.bytes(part.data);
  }
  return w.take();
}
