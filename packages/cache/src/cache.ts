/**
 * Bytes under text keys that may be gone at any time. A cache never fails its caller: one that is down or slow is an
 * empty one, and says so in its metrics.
 */
export interface Cache {
  readonly name: string;
  /** Values of the keys in their order, undefined where there is none. The caller must not write into them. */
  getMany(keys: readonly string[], signal: AbortSignal): Promise<readonly (Uint8Array | undefined)[]>;
  /** Keeps `value` for about `ttlMs` (0: as long as there is room). Returns at once; the caller gives `value` away. */
  set(key: string, value: Uint8Array, ttlMs: number): void;
  close(): Promise<void>;
}
