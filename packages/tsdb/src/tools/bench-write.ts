import {mkdir, readdir} from "node:fs/promises";
import {join} from "node:path";
import {StrataError, unlimited} from "@strata/base";
import {decodeChunk} from "@strata/chunkenc";
import {type Labels, matcher} from "@strata/model";
import {mergeBatches} from "@strata/series";
import type {BlockMeta} from "../block-meta.ts";
import {BlockReader} from "../block-reader.ts";
import {Head} from "../head/head.ts";
import {compactHead} from "../head/head-blocks.ts";
import {fileError} from "../random-access.ts";

export type BenchOptions = {
  /** A directory that is missing or empty; the data stay there. */
  readonly out: string;
  readonly series: readonly Labels[];
  readonly scrapes: number;
  /** Told each stage, when it ends. */
  readonly onStage: (stage: BenchStage) => Promise<void> | undefined;
  readonly onProgress?: ((scrapes: number) => void) | undefined;
};

export type BenchStage = {readonly name: string; readonly seconds: number; readonly samples: number};

const SCRAPE_MS = 15_000;
const START = 1_700_006_400_000;

/**
 * Measures a TSDB on this machine: scrapes of all series are committed to a head with its log on, the head is written to
 * blocks, and all samples are read and decoded again. Throws `internal` when not all of them come back.
 */
export async function benchWrite(options: BenchOptions, signal: AbortSignal): Promise<void> {
  const {out, series, scrapes, onStage, onProgress} = options;
  await checkEmpty(out);
  const samples = series.length * scrapes;
  const stage = async (name: string, work: () => Promise<void>): Promise<void> => {
    const start = performance.now();
    await work();
    await onStage({name, seconds: (performance.now() - start) / 1000, samples});
  };
  const head = await Head.open(out);
  const blocks: BlockReader[] = [];
  try {
    await stage("ingestScrapes", () => ingest(head, series, scrapes, signal, onProgress));
    await stage("writeBlocks", async () => {
      const metas: BlockMeta[] = [];
      await compactHead(head, out, async (meta) => void metas.push(meta));
      for (const {ulid} of metas) blocks.push(await BlockReader.open(join(out, ulid)));
    });
    await stage("selectAll", async () => {
      const found = await countSamples([...blocks, head], signal);
      if (found !== samples) throw new StrataError("internal", `BUG: wrote ${samples} samples, but read ${found}`);
    });
  } finally {
    await Promise.all(blocks.map((b) => b.close()));
    await head.close();
  }
}

async function checkEmpty(out: string): Promise<void> {
  try {
    await mkdir(out, {recursive: true});
    if ((await readdir(out)).length === 0) return;
  } catch (err) {
    throw fileError(err, out);
  }
  throw new StrataError("conflict", `cannot use ${out} for a benchmark: it is not empty`);
}

async function ingest(
  head: Head,
  series: readonly Labels[],
  scrapes: number,
  signal: AbortSignal,
  onProgress: ((scrapes: number) => void) | undefined,
): Promise<void> {
  const first = head.appender();
  const refs = series.map((labels) => first.seriesOf(labels));
  await first.commit();
  for (let scrape = 0; scrape < scrapes; scrape++) {
    signal.throwIfAborted();
    const appender = head.appender();
    const t = START + scrape * SCRAPE_MS;
    // Counters that grow by different amounts, some of them with fractions.
    for (const [i, ref] of refs.entries()) appender.float(ref, t, i + scrape * ((i % 100) + (i % 3 === 0 ? 0.5 : 0)));
    await appender.commit();
    onProgress?.(scrape + 1);
  }
}

async function countSamples(sources: readonly (BlockReader | Head)[], signal: AbortSignal): Promise<number> {
  const q = {
    matchers: [matcher("__name__", "!=", "")],
    mint: Number.MIN_SAFE_INTEGER,
    maxt: Number.MAX_SAFE_INTEGER,
    step: 0,
    range: 0,
    func: "",
    maxResolution: 0,
    aggregates: [],
    withoutReplicaLabels: [],
    skipChunks: false,
    limit: 0,
    partialResponse: false,
    budget: unlimited(),
  };
  let samples = 0;
  for await (const batch of mergeBatches(sources.map((source) => source.select(q, signal)))) {
    for (let c = 0; c < (batch.firstChunk[batch.labels.length] as number); c++) {
      const [at, length] = [batch.offset[c] as number, batch.length[c] as number];
      const decoded = decodeChunk(batch.encoding[c] as number, batch.bytes, at, length);
      if (decoded.kind === "floats") samples += decoded.columns.n;
    }
  }
  return samples;
}
