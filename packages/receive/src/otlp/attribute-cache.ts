import type {Attribute} from "./otlp-metrics.ts";

/** Attributes with longer keys are read anew each time. */
const MAX_KEY = 8192;
const NONE: readonly Attribute[] = [];

/**
 * Lists of attributes by the form they came in. Exporters send the same again and again: what is known is not read anew, and
 * is the same list, by which its series are found. Losing it costs time only.
 */
export class AttributeCache {
  readonly #lists = new Map<string, readonly Attribute[]>();
  /** About how much memory it takes. */
  bytes = 0;

  /** The list of a key, read where it is not known. */
  of(key: string, read: () => readonly Attribute[]): readonly Attribute[] {
    if (key === "") return NONE;
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    const list = read();
    if (key.length <= MAX_KEY) {
      this.#lists.set(key, list);
      this.bytes += 4 * key.length + 64 * list.length;
    }
    return list;
  }

  clear(): void {
    this.#lists.clear();
    this.bytes = 0;
  }
}
