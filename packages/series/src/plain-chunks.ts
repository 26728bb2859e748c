import {
  appendFloatChunk,
  decodeHistograms,
  ENCODING,
  type Encoding,
  encodeHistograms,
  encodeXorChunks,
  newFloatColumns,
} from "@strata/chunkenc";
import type {SeriesBatch} from "./series-batch.ts";

/** Whether chunks of this encoding can carry start times, which readers older than Prometheus 3.14 do not know. */
const carriesStartTimes = (encoding: number): boolean =>
  encoding === ENCODING.xor2 || encoding === ENCODING.histogramST || encoding === ENCODING.floatHistogramST;

/**
 * The batch with chunks that every reader knows: those with start times are encoded anew without them. A batch without
 * such chunks is given back as it is. Throws `corrupt` for a chunk that cannot be decoded.
 */
export function plainChunks(batch: SeriesBatch): SeriesBatch {
  if (!batch.encoding.some(carriesStartTimes)) return batch;
  const encoding = batch.encoding.slice();
  const offset = batch.offset.slice();
  const length = batch.length.slice();
  const added: Uint8Array[] = [];
  let end = batch.bytes.length;
  for (let i = 0; i < encoding.length; i++) {
    if (!carriesStartTimes(encoding[i] as number)) continue;
    const place = {offset: batch.offset[i] as number};
    const chunk = plain(encoding[i] as Encoding, batch.bytes, place.offset, batch.length[i] as number);
    encoding[i] = chunk.encoding;
    offset[i] = end;
    length[i] = chunk.data.length;
    end += chunk.data.length;
    added.push(chunk.data);
  }
  return {...batch, encoding, offset, length, bytes: Buffer.concat([batch.bytes, ...added], end)};
}

function plain(encoding: Encoding, data: Uint8Array, from: number, length: number) {
  if (encoding !== ENCODING.xor2) {
    return encodeHistograms({...decodeHistograms(encoding, data, from, length), st: undefined});
  }
  const columns = newFloatColumns(256);
  const count = appendFloatChunk(encoding, data, from, length, columns);
  // One chunk stays one, whatever its size: its times stay those that the batch has for it.
  const [chunk] = encodeXorChunks(columns, 0, count, Math.max(1, count));
  return chunk ?? {encoding: ENCODING.xor, data: new Uint8Array(2)};
}
