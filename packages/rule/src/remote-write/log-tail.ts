import {errorText, StrataError} from "@strata/base";
import {ByteReader} from "@strata/bytes";
import type {Labels} from "@strata/model";
import type {Logger} from "@strata/telemetry";
import {
  decodeHistogramRecord,
  decodeSamples,
  decodeSeries,
  type HistogramSample,
  listSegments,
  RECORD,
  readLabels,
  SampleColumns,
  type Segment,
  SegmentReader,
} from "@strata/tsdb";

/** A place in a log: the end of a record. */
export type LogPosition = {readonly segment: number; readonly offset: number};

/** Samples as they stand in the log; `labels` has the series of each of them. */
export type LogBatch = {
  readonly floats: SampleColumns;
  readonly histograms: HistogramSample[];
  readonly labels: ReadonlyMap<number, Labels>;
  /** Behind the last record read. */
  readonly end: LogPosition;
};

/** Reads a log from a position on, also while it is written. */
export class LogTail {
  readonly #dir: string;
  readonly #logger: Logger;
  readonly #labels = new Map<number, Labels>();
  #position: LogPosition;
  /** The segment whose series are in #labels; -1 before any. */
  #namedIn = -1;

  constructor(dir: string, position: LogPosition, logger: Logger) {
    this.#dir = dir;
    this.#position = position;
    this.#logger = logger;
  }

  get position(): LogPosition {
    return this.#position;
  }

  /**
   * What follows the position, up to about `max` samples; undefined when nothing does. The position moves on only by
   * `moveTo`, so that a batch that was not sent is read again.
   */
  read(max: number): LogBatch | undefined {
    const segments = listSegments(this.#dir).filter(({index}) => index >= this.#position.segment);
    const floats = new SampleColumns();
    const histograms: HistogramSample[] = [];
    for (const [i, segment] of segments.entries()) {
      const from = segment.index === this.#position.segment ? this.#position.offset : 0;
      const end = this.#readSegment(segment, from, max, floats, histograms, i < segments.length - 1);
      if (floats.n + histograms.length > 0) {
        return {floats, histograms, labels: this.#labels, end: {segment: segment.index, offset: end}};
      }
      // Only series, or nothing: the next segment names its own.
      if (i < segments.length - 1) this.#position = {segment: segment.index + 1, offset: 0};
      else this.#position = {segment: segment.index, offset: end};
    }
    return undefined;
  }

  moveTo(position: LogPosition): void {
    this.#position = position;
  }

  /** Returns where it stopped. A damaged segment is left where the damage begins. */
  #readSegment(
    segment: Segment,
    from: number,
    max: number,
    floats: SampleColumns,
    histograms: HistogramSample[],
    isOver: boolean,
  ): number {
    const reader = new SegmentReader(segment);
    try {
      if (this.#namedIn !== segment.index) this.#nameSeries(reader, segment, from);
      else if (from > 0) reader.seek(from);
      let end = from;
      while (floats.n + histograms.length < max && reader.next()) {
        if (reader.end <= from) continue;
        this.#take(reader.record, segment, floats, histograms);
        end = reader.end;
      }
      return end;
    } catch (err) {
      if (!(err instanceof StrataError) || err.code !== "corrupt") throw err;
      const offset = typeof err.fields.offset === "number" ? err.fields.offset : from;
      // What is being written just now is whole at the next look.
      if (isOver)
        this.#logger.error("cannot read the rest of a log segment, going on with the next", {err: errorText(err)});
      return Math.max(from, offset);
    } finally {
      reader.close();
    }
  }

  /** Reads the series of a segment whose samples before `from` are done with. */
  #nameSeries(reader: SegmentReader, segment: Segment, from: number): void {
    this.#labels.clear();
    this.#namedIn = segment.index;
    while (reader.end < from && reader.next()) this.#takeSeries(reader.record, segment);
  }

  #take(record: Uint8Array, segment: Segment, floats: SampleColumns, histograms: HistogramSample[]): void {
    if (this.#takeSeries(record, segment)) return;
    const r = new ByteReader(record, segment.path);
    const type = r.u8();
    if (type === RECORD.samples || type === RECORD.samplesV2) decodeSamples(r, type, floats);
    else if (type >= RECORD.histograms && type <= RECORD.customFloatHistograms) {
      decodeHistogramRecord(r, type, histograms);
    }
  }

  #takeSeries(record: Uint8Array, segment: Segment): boolean {
    if (record[0] !== RECORD.series) return false;
    decodeSeries(new ByteReader(record, segment.path, 1), (ref, from, to) => {
      this.#labels.set(ref, readLabels(new ByteReader(record, segment.path, from, to)));
    });
    return true;
  }
}
