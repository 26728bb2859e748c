import {createReadStream} from "node:fs";
import type {BlockMeta} from "../block-meta.ts";
import {fileError} from "../random-access.ts";
import {BlocksFromSamples, type BlocksFromSamplesOptions} from "./blocks-from-samples.ts";
import {OpenMetricsParser} from "./openmetrics-parser.ts";

const PIECE_BYTES = 1024 * 1024;

export type ImportOptions = BlocksFromSamplesOptions & {
  /** Told the bytes read so far. */
  readonly onRead?: ((bytes: number) => void) | undefined;
  /** Told, at the end, how many samples were left out because their series has another one at the same time. */
  readonly onDropped?: ((samples: number) => void) | undefined;
};

/**
 * Makes blocks in `outDir` of the OpenMetrics text `file`, oldest first. The whole text is read and checked before the
 * first block is written. Throws `bad_data` with file and line where the text is wrong.
 */
export async function* importOpenMetrics(
  file: string,
  outDir: string,
  options: ImportOptions,
  signal: AbortSignal,
): AsyncGenerator<{readonly dir: string; readonly meta: BlockMeta}> {
  const blocks = new BlocksFromSamples(outDir, options);
  try {
    const parser = new OpenMetricsParser(file, {
      series: (labels) => blocks.series(labels),
      sample: (series, t, value) => blocks.add(series, t, value),
    });
    let bytes = 0;
    for await (const piece of pieces(file)) {
      signal.throwIfAborted();
      parser.push(piece);
      bytes += piece.length;
      options.onRead?.(bytes);
      if (blocks.isDue) await blocks.flush();
    }
    parser.end();
    yield* blocks.write(signal);
    if (blocks.dropped > 0) options.onDropped?.(blocks.dropped);
  } finally {
    await blocks.close();
  }
}

async function* pieces(file: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(file, {highWaterMark: PIECE_BYTES}) as AsyncIterable<Buffer>;
  } catch (err) {
    throw fileError(err, file);
  }
}
