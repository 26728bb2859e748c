import type {Matcher} from "@strata/model";
import {format, parseExpr, transform} from "@strata/promql";
import type {SeriesBatch} from "@strata/series";
import type {FrameGroup} from "@strata/storeapi";

/** What one endpoint gave for one selection. */
export type FanoutEntry = {
  readonly endpointAddr: string;
  durationMs: number;
  bytesProcessed: number;
  numResponses: number;
  series: number;
  chunks: number;
  samples: number;
};

/** One selection: its selector as PromQL text, and what each endpoint gave. */
export type FanoutSelect = {readonly selector: string; readonly endpoints: readonly FanoutEntry[]};

/** A raw chunk that is full holds so many samples. */
const XOR = 1;

/** Counts what endpoints give to a query that is analyzed. */
export class FanoutLog {
  readonly #selects: {readonly selector: string; readonly endpoints: FanoutEntry[]}[] = [];

  entries(): readonly FanoutSelect[] {
    return this.#selects;
  }

  /** A selection begins; gives what notes the streams of its endpoints. */
  select(matchers: readonly Matcher[]): (address: string) => StreamLog {
    const endpoints: FanoutEntry[] = [];
    this.#selects.push({selector: selectorText(matchers), endpoints});
    return (endpointAddr) => {
      const none = {durationMs: 0, bytesProcessed: 0, numResponses: 0, series: 0, chunks: 0, samples: 0};
      const entry: FanoutEntry = {endpointAddr, ...none};
      endpoints.push(entry);
      return new StreamLog(entry);
    };
  }
}

/** Counts the frames of one stream and what is in them, as they pass. */
export class StreamLog {
  readonly #entry: FanoutEntry;
  readonly #started = performance.now();

  constructor(entry: FanoutEntry) {
    this.#entry = entry;
  }

  async *frames(groups: AsyncIterable<FrameGroup>): AsyncGenerator<FrameGroup> {
    for await (const group of groups) {
      for (const frame of group) {
        this.#entry.numResponses++;
        this.#entry.bytesProcessed += frame.length;
      }
      yield group;
    }
    this.#entry.durationMs = performance.now() - this.#started;
  }

  async *batches(batches: AsyncIterable<SeriesBatch>): AsyncGenerator<SeriesBatch> {
    for await (const batch of batches) {
      const {bytes, offset, length, encoding} = batch;
      this.#entry.series += batch.labels.length;
      this.#entry.chunks += offset.length;
      for (let i = 0; i < offset.length; i++) {
        // Chunks of every encoding but downsampled ones begin with how many samples there are.
        if (encoding[i]! >= XOR && length[i]! >= 2)
          this.#entry.samples += (bytes[offset[i]!]! << 8) | bytes[offset[i]! + 1]!;
      }
      yield batch;
    }
  }
}

/** A selector as plans show it. */
const selectorText = (matchers: readonly Matcher[]): string =>
  format(
    transform(parseExpr("x"), (node) => (node.kind === "vector" ? {...node, name: nameOf(matchers), matchers} : node)),
  );

/** The name that a selector shows before its braces. */
function nameOf(matchers: readonly Matcher[]): string {
  const last = matchers.at(-1);
  return last?.name === "__name__" && last.op === "=" ? last.value : "";
}
