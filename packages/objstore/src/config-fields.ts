import {StrataError} from "@strata/base";

/**
 * Typed access to a provider's configuration block. Every key that may stand there is asked for once; `finish` then
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

  /** A block within; empty when it is left out. Checked together with this one. */
  block(key: string): ConfigFields {
    const value = this.#get(key) ?? {};
    if (!isMapping(value)) throw this.bad(`${key} must be a mapping`);
    const block = new ConfigFields(`${this.#what}, ${key}`, value);
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
