import {readFileSync} from "node:fs";

/**
 * A checked-in list of where answers are not those of the original, one entry a line: `gap ROUTE: reason` for a route
 * that is not built, `differs ID: reason` for an exchange. `#` begins a comment. It has to be exact: a difference that is
 * not listed and an entry that no longer holds are both complaints.
 */
export class KnownDifferences {
  readonly #gaps = new Map<string, boolean>();
  readonly #listed = new Map<string, string>();
  readonly #complaints: string[] = [];

  constructor(file: URL) {
    for (const [i, line] of readFileSync(file, "utf8").split("\n").entries()) {
      if (line.trim() === "" || line.startsWith("#")) continue;
      const [, kind, name, reason] = /^(gap|differs) (\S+): (\S.*)$/.exec(line) ?? [];
      if (name === undefined || reason === undefined) throw new Error(`cannot read ${file.pathname}:${i + 1}: ${line}`);
      if (kind === "gap") this.#gaps.set(name, false);
      else this.#listed.set(name, reason);
    }
  }

  /** Whether `route` is listed as not built; `built` says whether the server under test has it. */
  gap(route: string, built: () => boolean): boolean {
    const seen = this.#gaps.get(route);
    if (seen === undefined) return false;
    if (!seen && built()) this.#complaints.push(`${route} is listed as a gap and is there`);
    this.#gaps.set(route, true);
    return true;
  }

  /** `difference`: what is wrong with an exchange; undefined when it is equal. */
  record(id: string, difference: string | undefined): void {
    const listed = this.#listed.delete(id);
    if (difference !== undefined && !listed) this.#complaints.push(`${id}: ${difference}`);
    if (difference === undefined && listed) this.#complaints.push(`${id} is listed and equal`);
  }

  /** Everything wrong, once all exchanges are recorded. */
  complaints(): readonly string[] {
    const gone = [...this.#gaps].filter(([, seen]) => !seen).map(([route]) => `no exchange asks for the gap ${route}`);
    const unknown = [...this.#listed.keys()].map((id) => `no exchange has the listed id ${id}`);
    return [...this.#complaints, ...gone, ...unknown];
  }
}
