// Written by src/generator.ts from proto/*.proto. Do not edit.
import {type Codec, codec, type Init} from "../codec.ts";
import type {WireReader} from "../wire-reader.ts";
import type {WireWriter} from "../wire-writer.ts";
import * as googlePb from "./google.ts";
import * as thanosPb from "./thanos.ts";

export type SeriesRequestHints = {
  blockMatchers: thanosPb.LabelMatcher[];
  enableQueryStats: boolean;
};

export function writeSeriesRequestHints(m: Init<SeriesRequestHints>, w: WireWriter): void {
  if (m.blockMatchers !== undefined) for (const x of m.blockMatchers) {
    w.uint32(10);
    const mark = w.open();
    thanosPb.writeLabelMatcher(x, w);
    w.close(mark);
  }
  if (m.enableQueryStats) {
    w.uint32(16);
    w.bool(m.enableQueryStats);
  }
}

export function readSeriesRequestHints(r: WireReader): SeriesRequestHints {
  const m: SeriesRequestHints = {
    blockMatchers: [],
    enableQueryStats: false,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.blockMatchers.push(thanosPb.readLabelMatcher(r));
        r.leave(outer);
        break;
      }
      case 16:
        m.enableQueryStats = r.bool();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const SeriesRequestHints: Codec<SeriesRequestHints> = codec("hintspb.SeriesRequestHints", writeSeriesRequestHints, readSeriesRequestHints);

export type SeriesResponseHints = {
  queriedBlocks: Block[];
  queryStats: QueryStats | undefined;
};

export function writeSeriesResponseHints(m: Init<SeriesResponseHints>, w: WireWriter): void {
  if (m.queriedBlocks !== undefined) for (const x of m.queriedBlocks) {
    w.uint32(10);
    const mark = w.open();
    writeBlock(x, w);
    w.close(mark);
  }
  if (m.queryStats !== undefined) {
    w.uint32(18);
    const mark = w.open();
    writeQueryStats(m.queryStats, w);
    w.close(mark);
  }
}

export function readSeriesResponseHints(r: WireReader): SeriesResponseHints {
  const m: SeriesResponseHints = {
    queriedBlocks: [],
    queryStats: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.queriedBlocks.push(readBlock(r));
        r.leave(outer);
        break;
      }
      case 18: {
        const outer = r.enter();
        m.queryStats = readQueryStats(r);
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const SeriesResponseHints: Codec<SeriesResponseHints> = codec("hintspb.SeriesResponseHints", writeSeriesResponseHints, readSeriesResponseHints);

export type Block = {
  id: string;
};

export function writeBlock(m: Init<Block>, w: WireWriter): void {
  if (m.id) {
    w.uint32(10);
    w.string(m.id);
  }
}

export function readBlock(r: WireReader): Block {
  const m: Block = {
    id: "",
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10:
        m.id = r.string();
        break;
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const Block: Codec<Block> = codec("hintspb.Block", writeBlock, readBlock);

export type LabelNamesRequestHints = {
  blockMatchers: thanosPb.LabelMatcher[];
};

export function writeLabelNamesRequestHints(m: Init<LabelNamesRequestHints>, w: WireWriter): void {
  if (m.blockMatchers !== undefined) for (const x of m.blockMatchers) {
    w.uint32(10);
    const mark = w.open();
    thanosPb.writeLabelMatcher(x, w);
    w.close(mark);
  }
}

export function readLabelNamesRequestHints(r: WireReader): LabelNamesRequestHints {
  const m: LabelNamesRequestHints = {
    blockMatchers: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.blockMatchers.push(thanosPb.readLabelMatcher(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const LabelNamesRequestHints: Codec<LabelNamesRequestHints> = codec("hintspb.LabelNamesRequestHints", writeLabelNamesRequestHints, readLabelNamesRequestHints);

export type LabelNamesResponseHints = {
  queriedBlocks: Block[];
};

export function writeLabelNamesResponseHints(m: Init<LabelNamesResponseHints>, w: WireWriter): void {
  if (m.queriedBlocks !== undefined) for (const x of m.queriedBlocks) {
    w.uint32(10);
    const mark = w.open();
    writeBlock(x, w);
    w.close(mark);
  }
}

export function readLabelNamesResponseHints(r: WireReader): LabelNamesResponseHints {
  const m: LabelNamesResponseHints = {
    queriedBlocks: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.queriedBlocks.push(readBlock(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const LabelNamesResponseHints: Codec<LabelNamesResponseHints> = codec("hintspb.LabelNamesResponseHints", writeLabelNamesResponseHints, readLabelNamesResponseHints);

export type LabelValuesRequestHints = {
  blockMatchers: thanosPb.LabelMatcher[];
};

export function writeLabelValuesRequestHints(m: Init<LabelValuesRequestHints>, w: WireWriter): void {
  if (m.blockMatchers !== undefined) for (const x of m.blockMatchers) {
    w.uint32(10);
    const mark = w.open();
    thanosPb.writeLabelMatcher(x, w);
    w.close(mark);
  }
}

export function readLabelValuesRequestHints(r: WireReader): LabelValuesRequestHints {
  const m: LabelValuesRequestHints = {
    blockMatchers: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.blockMatchers.push(thanosPb.readLabelMatcher(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const LabelValuesRequestHints: Codec<LabelValuesRequestHints> = codec("hintspb.LabelValuesRequestHints", writeLabelValuesRequestHints, readLabelValuesRequestHints);

export type LabelValuesResponseHints = {
  queriedBlocks: Block[];
};

export function writeLabelValuesResponseHints(m: Init<LabelValuesResponseHints>, w: WireWriter): void {
  if (m.queriedBlocks !== undefined) for (const x of m.queriedBlocks) {
    w.uint32(10);
    const mark = w.open();
    writeBlock(x, w);
    w.close(mark);
  }
}

export function readLabelValuesResponseHints(r: WireReader): LabelValuesResponseHints {
  const m: LabelValuesResponseHints = {
    queriedBlocks: [],
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 10: {
        const outer = r.enter();
        m.queriedBlocks.push(readBlock(r));
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const LabelValuesResponseHints: Codec<LabelValuesResponseHints> = codec("hintspb.LabelValuesResponseHints", writeLabelValuesResponseHints, readLabelValuesResponseHints);

export type QueryStats = {
  blocksQueried: number;
  mergedSeriesCount: number;
  mergedChunksCount: number;
  postingsTouched: number;
  postingsTouchedSizeSum: number;
  postingsToFetch: number;
  postingsFetched: number;
  postingsFetchedSizeSum: number;
  postingsFetchCount: number;
  seriesTouched: number;
  seriesTouchedSizeSum: number;
  seriesFetched: number;
  seriesFetchedSizeSum: number;
  seriesFetchCount: number;
  chunksTouched: number;
  chunksTouchedSizeSum: number;
  chunksFetched: number;
  chunksFetchedSizeSum: number;
  chunksFetchCount: number;
  dataDownloadedSizeSum: number;
  getAllDuration: googlePb.Duration | undefined;
  mergeDuration: googlePb.Duration | undefined;
};

export function writeQueryStats(m: Init<QueryStats>, w: WireWriter): void {
  if (m.blocksQueried) {
    w.uint32(8);
    w.int64(m.blocksQueried);
  }
  if (m.mergedSeriesCount) {
    w.uint32(16);
    w.int64(m.mergedSeriesCount);
  }
  if (m.mergedChunksCount) {
    w.uint32(24);
    w.int64(m.mergedChunksCount);
  }
  if (m.postingsTouched) {
    w.uint32(32);
    w.int64(m.postingsTouched);
  }
  if (m.postingsTouchedSizeSum) {
    w.uint32(40);
    w.int64(m.postingsTouchedSizeSum);
  }
  if (m.postingsToFetch) {
    w.uint32(48);
    w.int64(m.postingsToFetch);
  }
  if (m.postingsFetched) {
    w.uint32(56);
    w.int64(m.postingsFetched);
  }
  if (m.postingsFetchedSizeSum) {
    w.uint32(64);
    w.int64(m.postingsFetchedSizeSum);
  }
  if (m.postingsFetchCount) {
    w.uint32(72);
    w.int64(m.postingsFetchCount);
  }
  if (m.seriesTouched) {
    w.uint32(80);
    w.int64(m.seriesTouched);
  }
  if (m.seriesTouchedSizeSum) {
    w.uint32(88);
    w.int64(m.seriesTouchedSizeSum);
  }
  if (m.seriesFetched) {
    w.uint32(96);
    w.int64(m.seriesFetched);
  }
  if (m.seriesFetchedSizeSum) {
    w.uint32(104);
    w.int64(m.seriesFetchedSizeSum);
  }
  if (m.seriesFetchCount) {
    w.uint32(112);
    w.int64(m.seriesFetchCount);
  }
  if (m.chunksTouched) {
    w.uint32(120);
    w.int64(m.chunksTouched);
  }
  if (m.chunksTouchedSizeSum) {
    w.uint32(128);
    w.int64(m.chunksTouchedSizeSum);
  }
  if (m.chunksFetched) {
    w.uint32(136);
    w.int64(m.chunksFetched);
  }
  if (m.chunksFetchedSizeSum) {
    w.uint32(144);
    w.int64(m.chunksFetchedSizeSum);
  }
  if (m.chunksFetchCount) {
    w.uint32(152);
    w.int64(m.chunksFetchCount);
  }
  if (m.dataDownloadedSizeSum) {
    w.uint32(160);
    w.int64(m.dataDownloadedSizeSum);
  }
  if (m.getAllDuration !== undefined) {
    w.uint32(170);
    const mark = w.open();
    googlePb.writeDuration(m.getAllDuration, w);
    w.close(mark);
  }
  if (m.mergeDuration !== undefined) {
    w.uint32(178);
    const mark = w.open();
    googlePb.writeDuration(m.mergeDuration, w);
    w.close(mark);
  }
}

export function readQueryStats(r: WireReader): QueryStats {
  const m: QueryStats = {
    blocksQueried: 0,
    mergedSeriesCount: 0,
    mergedChunksCount: 0,
    postingsTouched: 0,
    postingsTouchedSizeSum: 0,
    postingsToFetch: 0,
    postingsFetched: 0,
    postingsFetchedSizeSum: 0,
    postingsFetchCount: 0,
    seriesTouched: 0,
    seriesTouchedSizeSum: 0,
    seriesFetched: 0,
    seriesFetchedSizeSum: 0,
    seriesFetchCount: 0,
    chunksTouched: 0,
    chunksTouchedSizeSum: 0,
    chunksFetched: 0,
    chunksFetchedSizeSum: 0,
    chunksFetchCount: 0,
    dataDownloadedSizeSum: 0,
    getAllDuration: undefined,
    mergeDuration: undefined,
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
      case 8:
        m.blocksQueried = r.int64();
        break;
      case 16:
        m.mergedSeriesCount = r.int64();
        break;
      case 24:
        m.mergedChunksCount = r.int64();
        break;
      case 32:
        m.postingsTouched = r.int64();
        break;
      case 40:
        m.postingsTouchedSizeSum = r.int64();
        break;
      case 48:
        m.postingsToFetch = r.int64();
        break;
      case 56:
        m.postingsFetched = r.int64();
        break;
      case 64:
        m.postingsFetchedSizeSum = r.int64();
        break;
      case 72:
        m.postingsFetchCount = r.int64();
        break;
      case 80:
        m.seriesTouched = r.int64();
        break;
      case 88:
        m.seriesTouchedSizeSum = r.int64();
        break;
      case 96:
        m.seriesFetched = r.int64();
        break;
      case 104:
        m.seriesFetchedSizeSum = r.int64();
        break;
      case 112:
        m.seriesFetchCount = r.int64();
        break;
      case 120:
        m.chunksTouched = r.int64();
        break;
      case 128:
        m.chunksTouchedSizeSum = r.int64();
        break;
      case 136:
        m.chunksFetched = r.int64();
        break;
      case 144:
        m.chunksFetchedSizeSum = r.int64();
        break;
      case 152:
        m.chunksFetchCount = r.int64();
        break;
      case 160:
        m.dataDownloadedSizeSum = r.int64();
        break;
      case 170: {
        const outer = r.enter();
        m.getAllDuration = googlePb.readDuration(r);
        r.leave(outer);
        break;
      }
      case 178: {
        const outer = r.enter();
        m.mergeDuration = googlePb.readDuration(r);
        r.leave(outer);
        break;
      }
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const QueryStats: Codec<QueryStats> = codec("hintspb.QueryStats", writeQueryStats, readQueryStats);
