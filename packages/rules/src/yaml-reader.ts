import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Scalar,
  type YAMLMap,
} from "yaml";

/** A place in the file, from 1. */
export type Place = {readonly line: number; readonly column: number};

export type Fault = Place & {readonly message: string};

/** An entry of a mapping: where its key stands, and its value. */
export type Entry = {readonly key: string; readonly place: Place; readonly value: Node | null};

/** Expansion of aliases in one document; beyond it lies an attack, not a rule file. */
const MAX_ALIASES = 10_000;

/** Reads YAML nodes together with their places; texts are what the file says, as Go reads into strings. */
export class YamlReader {
  readonly documents: readonly Document.Parsed[];
  readonly faults: readonly Fault[];
  readonly #lines = new LineCounter();
  readonly #retype: boolean;
  #aliases = 0;
  #document: Document.Parsed | undefined;

  /** `all`: further documents count, too. `retype`: unquoted texts are first read as YAML 1.1 values, as Thanos does: `yes` becomes `true`, `010` `8`. */
  constructor(text: string, options: {readonly retype: boolean; readonly all: boolean}) {
    this.#retype = options.retype;
    const all = parseAllDocuments(text, {lineCounter: this.#lines, version: "1.1", keepSourceTokens: false});
    this.documents = (Array.isArray(all) ? all : []) as Document.Parsed[];
    this.#document = this.documents[0];
    this.faults = this.documents
      .slice(0, options.all ? undefined : 1)
      .flatMap(({errors}) => errors)
      .map((err) => ({
        ...this.#at(err.pos[0]),
        message: `cannot read YAML: ${err.message.split("\n")[0]?.replace(/ at line \d+, column \d+:?$/, "")}`,
      }));
  }

  /** The contents of a document; aliases are those of this one from now on. */
  open(document: Document.Parsed | undefined): Node | null {
    this.#document = document;
    return this.resolve(document?.contents);
  }

  #at(offset: number): Place {
    const {line, col} = this.#lines.linePos(offset);
    return {line: Math.max(1, line), column: Math.max(1, col)};
  }

  place(node: Node | null | undefined): Place {
    return node?.range ? this.#at(node.range[0]) : {line: 0, column: 0};
  }

  /** The node itself, aliases followed. */
  resolve(node: unknown): Node | null {
    if (!isAlias(node)) return (node ?? null) as Node | null;
    if (++this.#aliases > MAX_ALIASES || this.#document === undefined) return null;
    return (node.resolve(this.#document) ?? null) as Node | null;
  }

  isNull(node: Node | null): boolean {
    return node === null || (isScalar(node) && node.value === null);
  }

  /** The entries of a mapping, merge keys followed; undefined if it is none. */
  entries(node: Node | null): Entry[] | undefined {
    if (!isMap(node)) return undefined;
    const own: Entry[] = [];
    const merged: Entry[] = [];
    for (const pair of (node as YAMLMap).items) {
      if (!isPair(pair)) continue;
      const keyNode = this.resolve(pair.key);
      const key = this.text(keyNode) ?? "";
      const value = this.resolve(pair.value);
      if (key === "<<") merged.push(...this.#merged(value));
      else own.push({key, place: this.place(keyNode), value});
    }
    const keys = new Set(own.map((entry) => entry.key));
    return [...own, ...merged.filter((entry) => !keys.has(entry.key))];
  }

  #merged(value: Node | null): Entry[] {
    if (isSeq(value)) return value.items.flatMap((item) => this.entries(this.resolve(item)) ?? []);
    return this.entries(value) ?? [];
  }

  /** The items of a list; undefined if it is none. */
  items(node: Node | null): (Node | null)[] | undefined {
    return isSeq(node) ? node.items.map((item) => this.resolve(item)) : undefined;
  }

  /** The text of a scalar; undefined if it is none. */
  text(node: Node | null): string | undefined {
    if (node === null) return "";
    if (!isScalar(node)) return undefined;
    const quoted = node.type !== undefined && node.type !== "PLAIN";
    if (quoted) return String(node.value);
    const source = (node as Scalar).source ?? String(node.value ?? "");
    if (node.value === null) return "";
    return this.#retype ? retyped(source, node.value) : source;
  }
}

/** An unquoted text after a YAML 1.1 value was made of it and printed again. */
function retyped(source: string, value: unknown): string {
  if (typeof value === "boolean") return String(value);
  if (/^[yY]$/.test(source)) return "true";
  if (/^[nN]$/.test(source)) return "false";
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "number" || !/^[-+.]?[0-9]/.test(source)) return source;
  // Sexagesimal numbers (`1:30`) are texts to Go.
  if (source.includes(":")) return source;
  if (Number.isSafeInteger(value)) return String(value);
  return /e/.test(String(value)) ? String(value).replace(/e([+-])(\d)$/, "e$10$2") : String(value);
}
