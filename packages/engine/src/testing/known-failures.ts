import {readFileSync} from "node:fs";

/**
 * A checked-in list of what is not right yet: one id a line, `#` begins a comment. It may only shrink: `check` tells of
 * new failures and of listed ones that pass.
 */
export class KnownFailures {
  readonly #listed = new Set<string>();
  readonly #failed = new Map<string, string>();
  readonly #passed = new Set<string>();

  constructor(file: URL) {
    for (const line of readFileSync(file, "utf8").split("\n")) {
      const id = line.replace(/#.*/, "").trim();
      if (id !== "") this.#listed.add(id);
    }
  }

  record(id: string, failure: string | undefined): void {
    if (failure === undefined) this.#passed.add(id);
    else this.#failed.set(id, failure);
  }

  get failed(): ReadonlyMap<string, string> {
    return this.#failed;
  }

  /** What to say when the list is not exact; undefined when it is. Ids of another corpus are nobody's business. */
  complaint(): string | undefined {
    const fresh = [...this.#failed].filter(([id]) => !this.#listed.has(id));
    const mended = [...this.#passed].filter((id) => this.#listed.has(id));
    if (fresh.length + mended.length === 0) return undefined;
    const lines = fresh.slice(0, 20).map(([id, text]) => `${id}: ${text}`);
    return `${fresh.length} new failures, ${mended.length} listed ones pass: ${mended.join(" ")}\n${lines.join("\n")}`;
  }
}
