import {type Labels, labelsHash} from "@strata/model";
import type {RefExemplar} from "../wal/other-records.ts";

/** Runes of all names and values of an exemplar. */
export const MAX_EXEMPLAR_RUNES = 128;

export type ExemplarStatus = "ok" | "duplicate" | "out_of_order" | "too_long" | "disabled" | "unknown_series";

type Entry = RefExemplar & {readonly hash: bigint};

/** The newest exemplars of all series in one ring: the oldest goes when it is full. */
export class ExemplarRing {
  readonly #ring: (Entry | undefined)[];
  #next = 0;
  /** The newest of each series. */
  readonly #newest = new Map<number, Entry>();

  constructor(capacity: number) {
    this.#ring = new Array<Entry | undefined>(capacity).fill(undefined);
  }

  get capacity(): number {
    return this.#ring.length;
  }

  /** Exemplars kept, series with any, and the time of the oldest (ms; 0 without any). */
  get size(): number {
    return this.#ring[this.#next] === undefined ? this.#next : this.#ring.length;
  }

  get series(): number {
    return this.#newest.size;
  }

  get oldest(): number {
    return (this.#ring[this.#next] ?? this.#ring[0])?.t ?? 0;
  }

  /** Whether the exemplar may be added: times of a series must not go back. Replay does not judge labels' length. */
  check(exemplar: RefExemplar): ExemplarStatus {
    if (this.#ring.length === 0) return "disabled";
    if (runes(exemplar.labels) > MAX_EXEMPLAR_RUNES) return "too_long";
    const newest = this.#newest.get(exemplar.ref);
    if (newest === undefined) return "ok";
    if (newest.t === exemplar.t && newest.v === exemplar.v && newest.hash === labelsHash(exemplar.labels)) {
      return "duplicate";
    }
    if (exemplar.t < newest.t) return "out_of_order";
    return exemplar.t === newest.t && exemplar.v < newest.v ? "out_of_order" : "ok";
  }

  /** Adds an exemplar that `check` lets in. */
  add(exemplar: RefExemplar): void {
    if (this.#ring.length === 0) return;
    const entry = {...exemplar, hash: labelsHash(exemplar.labels)};
    const old = this.#ring[this.#next];
    if (old !== undefined && this.#newest.get(old.ref) === old) this.#newest.delete(old.ref);
    this.#ring[this.#next] = entry;
    this.#next = (this.#next + 1) % this.#ring.length;
    this.#newest.set(entry.ref, entry);
  }

  /** Exemplars of a series with a time in [mint, maxt], oldest first. */
  of(ref: number, mint: number, maxt: number): RefExemplar[] {
    if (!this.#newest.has(ref)) return [];
    return this.all().filter((e) => e.ref === ref && e.t >= mint && e.t <= maxt);
  }

  /** All exemplars, oldest first. */
  all(): RefExemplar[] {
    const entries = [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
    return entries.filter((entry) => entry !== undefined);
  }

  /** Forgets those of series that are gone. */
  remove(gone: (ref: number) => boolean): void {
    const left = this.all().filter(({ref}) => !gone(ref));
    this.#ring.fill(undefined);
    this.#newest.clear();
    this.#next = 0;
    for (const entry of left) this.add(entry);
  }
}

function runes(labels: Labels): number {
  let total = 0;
  for (const text of labels.pairs) for (const _ of text) total++;
  return total;
}
