import {StrataError} from "@strata/base";
import {encodingName} from "./encoding.ts";

/** Where a chunk's bytes come from, for messages: a file or block, and the data's offset there. */
export type ChunkPlace = {readonly name: string; readonly offset: number};

export const UNKNOWN_PLACE: ChunkPlace = {name: "chunk", offset: 0};

export function corruptChunk(encoding: number, length: number, place: ChunkPlace, why: string): StrataError {
  const kind = encodingName(encoding) ?? `encoding ${encoding}`;
  return new StrataError(
    "corrupt",
    `cannot decode ${kind} chunk of ${length} bytes in ${place.name} at ${place.offset}: ${why}`,
    {
      fields: {file: place.name, offset: place.offset},
    },
  );
}
