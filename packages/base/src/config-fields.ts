import {parseByteSize} from "./byte-size.ts";
import {errorText, StrataError} from "./errors.ts";

/**
 * Typed access to a block of a configuration document. Every key that may stand there is asked for once; `finish` then
 * refuses what nobody asked for, as the original's strict parser does. Errors are `bad_data`.
 */
export class ConfigFields {
  readonly #what: string;
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #known = new Set<string>();
  readonly #blocks: ConfigFields[] = [];

  constructor(what: string, fields: Readonly<Record<string, unknown>>) {
    this.#what = what;
    this.#fields = fields;
  }

  text(key: string, otherwise = ""): string {
    const value = this.#get(key);
    if (value === undefined) return otherwise;
    if (typeof value === "string") return value;
    // Access keys and passwords may look like numbers.
    if (typeof value === "number") return String(value);
    throw this.bad(`${key} must be a string`);
  }

  flag(key: string, otherwise = false): boolean {
    const value = this.#get(key) ?? otherwise;
    if (typeof value === "boolean") return value;
    throw this.bad(`${key} must be true or false`);
  }

  whole(key: string, otherwise = 0): number {
    const value = this.#get(key) ?? otherwise;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw this.bad(`${key} must be a whole number`);
  }

  /** A number that may have a fraction. */
  number(key: string, otherwise: number): number {
    const value = this.#get(key) ?? otherwise;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw this.bad(`${key} must be a number`);
  }

  /** A size in bytes: a number, or text such as 250MB. */
  size(key: string, otherwise: number): number {
    return this.parsed(key, parseByteSize, otherwise);
  }

  /** What `parse` makes of a text (or a number's text); its error gets the key in front. */
  parsed<T>(key: string, parse: (text: string) => T, otherwise: T): T {
    const text = this.text(key);
    if (text === "") return otherwise;
    try {
      return parse(text);
    } catch (err) {
      throw this.bad(`${key}: ${errorText(err)}`);
    }
  }

  list(key: string): readonly string[] {
    const value = this.#get(key) ?? [];
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value as string[];
    throw this.bad(`${key} must be a list of strings`);
  }

  choice<const T extends string>(key: string, values: readonly T[], otherwise: T): T {
    const text = this.text(key, otherwise);
    const found = values.find((value) => value === text);
    if (found !== undefined) return found;
    throw this.bad(`${key} must be one of ${values.map((value) => JSON.stringify(value)).join(", ")}`);
  }

  texts(key: string): Readonly<Record<string, string>> {
    const value = this.#get(key) ?? {};
    if (isMapping(value) && Object.values(value).every((text) => typeof text === "string")) {
      return value as Record<string, string>;
    }
    throw this.bad(`${key} must be a mapping of strings`);
  }

  /** A mapping that somebody else checks; empty when it is left out. */
  mapping(key: string): Readonly<Record<string, unknown>> {
    const value = this.#get(key) ?? {};
    if (isMapping(value)) return value;
    throw this.bad(`${key} must be a mapping`);
  }

  /** Whatever stands there, undefined when it is left out: somebody else checks it. */
  raw(key: string): unknown {
    return this.#get(key);
  }

  /** A block within; empty when it is left out. Checked together with this one. */
  block(key: string): ConfigFields {
    const block = new ConfigFields(`${this.#what}, ${key}`, this.mapping(key));
    this.#blocks.push(block);
    return block;
  }

  /** Refuses keys that were not asked for. */
  finish(): void {
    for (const key of Object.keys(this.#fields)) {
      if (!this.#known.has(key))
        throw this.bad(`unknown key ${JSON.stringify(key)}; known are ${[...this.#known].join(", ")}`);
    }
    for (const block of this.#blocks) block.finish();
  }

  bad(why: string): StrataError {
    return new StrataError("bad_data", `cannot use ${this.#what}: ${why}`);
  }

  #get(key: string): unknown {
    this.#known.add(key);
    return this.#fields[key] ?? undefined;
  }
}

const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
