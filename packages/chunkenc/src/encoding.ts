/** Encodings of chunks, by the byte that stands before their data in segments, WAL and StoreAPI. */
export const ENCODING = {
  none: 0,
  xor: 1,
  histogram: 2,
  floatHistogram: 3,
  xor2: 4,
  histogramST: 5,
  floatHistogramST: 6,
  /** A downsampled chunk: up to five chunks in one. */
  aggregate: 255,
} as const;
export type Encoding = (typeof ENCODING)[keyof typeof ENCODING];

const NAMES: Readonly<Record<Encoding, string>> = {
  0: "none",
  1: "XOR",
  2: "histogram",
  3: "floathistogram",
  4: "XOR2",
  5: "histogramST",
  6: "floathistogramST",
  255: "aggr",
};

/** The encoding's name as Prometheus prints it, or undefined for a number that is none. */
export const encodingName = (encoding: number): string | undefined => NAMES[encoding as Encoding];

/** Whether chunks of this encoding hold float samples. */
export const isFloatEncoding = (encoding: number): boolean => encoding === ENCODING.xor || encoding === ENCODING.xor2;

/** Whether chunks of this encoding hold native histograms. */
export const isHistogramEncoding = (encoding: number): boolean =>
  encoding === ENCODING.histogram ||
  encoding === ENCODING.floatHistogram ||
  encoding === ENCODING.histogramST ||
  encoding === ENCODING.floatHistogramST;
