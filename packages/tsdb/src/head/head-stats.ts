/** What became of samples that were refused, by reason; for metrics. */
export type Refused = {outOfOrder: number; outOfBounds: number; tooOld: number};

const noneRefused = (): Refused => ({outOfOrder: 0, outOfBounds: 0, tooOld: 0});

/** What a head counts as it goes: plain numbers, because they are counted for every commit; see head-metrics.ts. */
export class HeadStats {
  /** Transactions begun, and those that are not over. */
  appenders = 0;
  activeAppenders = 0;
  /** Commits so far: the number of the last one, by which readers know what they may see. */
  commits = 0;
  seriesCreated = 0;
  seriesRemoved = 0;
  seriesNotFound = 0;
  /** Samples in order, and out of order. */
  floats = 0;
  histograms = 0;
  lateFloats = 0;
  lateHistograms = 0;
  readonly refused = {float: noneRefused(), histogram: noneRefused()};
  exemplars = 0;
  exemplarsOutOfOrder = 0;
  truncations = 0;
  truncationsFailed = 0;
  checkpoints = 0;
  checkpointsFailed = 0;
  checkpointDeletions = 0;
  checkpointDeletionsFailed = 0;
  /** Damage that start-up met. */
  walCorruptions = 0;
  chunkCorruptions = 0;
  snapshotErrors = 0;
  /** Seconds that start-up took to read what is on the disk. */
  replaySeconds = 0;
}

/** Who hears of what a head does now and then; nobody unless its metrics are watched. */
export class HeadObserver {
  /** Seconds by which a sample was late. */
  lateness: (seconds: number) => void = () => {};
  /** How long dropping old samples took. */
  collect: (seconds: number) => void = () => {};
  /** How long shortening the log took. */
  truncateLog: (seconds: number) => void = () => {};
  /** A chunk that went into a block of the head's: bytes, samples, ms. */
  blockChunk: (bytes: number, samples: number, span: number) => void = () => {};
}
