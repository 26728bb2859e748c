/** What a log counts as it is written: plain numbers, because they move with every record. */
export class WalStats {
  flushes = 0;
  completedPages = 0;
  /** Fragments of records, and their bytes with headers. */
  parts = 0;
  partBytes = 0;
  /** What compression took off records. */
  savedBytes = 0;
  truncations = 0;
  truncationsFailed = 0;
  writesFailed = 0;
  /** Hears how long a sync took. */
  onSync: (seconds: number) => void = () => {};
}
