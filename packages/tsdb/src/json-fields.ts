import {errorText, StrataError} from "@strata/base";

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Typed access to the fields of a JSON object that some program wrote. An absent or null field is the zero value, as
 * Go reads it; one of another type is `corrupt`, naming the file and the field's path.
 */
export class JsonFields {
  readonly #object: JsonObject;
  readonly #file: string;
  readonly #class: string;
  readonly #path: string;

  constructor(object: JsonObject, file: string, errorClass: string, path: string) {
    this.#object = object;
    this.#file = file;
    this.#class = errorClass;
    this.#path = path;
  }

  /** From text that must hold an object; `errorClass` goes into `fields.class` of every error. */
  static parse(text: string, file: string, errorClass: string): JsonFields {
    const fields = new JsonFields({}, file, errorClass, "");
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      return fields.fail(errorText(cause));
    }
    if (!isObject(value)) return fields.fail("not an object");
    return new JsonFields(value, file, errorClass, "");
  }

  /** An object without fields, for a section that the file leaves out. */
  empty(): JsonFields {
    return new JsonFields({}, this.#file, this.#class, this.#path);
  }

  fail(reason: string): never {
    throw new StrataError(
      "corrupt",
      `cannot read ${this.#file}: ${this.#path === "" ? "" : `${this.#path}: `}${reason}`,
      {
        fields: {file: this.#file, class: this.#class},
      },
    );
  }

  /** The field as it is; undefined when absent. */
  raw(key: string): unknown {
    return Object.hasOwn(this.#object, key) ? (this.#object[key] ?? undefined) : undefined;
  }

  integer(key: string): number {
    const value = this.raw(key) ?? 0;
    // 2^53 itself is let through: it is exact, and a block may end there.
    if (typeof value === "number" && Number.isInteger(value) && Math.abs(value) <= 2 ** 53) return value;
    return this.fail(`${key} is no integer that can be held: ${JSON.stringify(value)}`);
  }

  string(key: string): string {
    const value = this.raw(key) ?? "";
    return typeof value === "string" ? value : this.fail(`${key} is no string`);
  }

  boolean(key: string): boolean {
    const value = this.raw(key) ?? false;
    return typeof value === "boolean" ? value : this.fail(`${key} is no boolean`);
  }

  array(key: string): readonly unknown[] {
    const value = this.raw(key) ?? [];
    return Array.isArray(value) ? value : this.fail(`${key} is no list`);
  }

  strings(key: string): readonly string[] {
    return this.array(key).map((value) => (typeof value === "string" ? value : this.fail(`${key} holds no string`)));
  }

  object(key: string): JsonFields | undefined {
    const value = this.raw(key);
    if (value === undefined) return undefined;
    if (!isObject(value)) return this.fail(`${key} is no object`);
    return this.#child(value, key);
  }

  objects(key: string): JsonFields[] {
    return this.array(key).map((value, i) =>
      isObject(value) ? this.#child(value, `${key}[${i}]`) : this.fail(`${key} holds no object`),
    );
  }

  stringMap(key: string): Readonly<Record<string, string>> {
    const value = this.raw(key) ?? {};
    if (!isObject(value)) return this.fail(`${key} is no object`);
    for (const [name, text] of Object.entries(value)) {
      if (typeof text !== "string") this.fail(`${key}.${name} is no string`);
    }
    return value as Readonly<Record<string, string>>;
  }

  #child(object: JsonObject, key: string): JsonFields {
    return new JsonFields(object, this.#file, this.#class, this.#path === "" ? key : `${this.#path}.${key}`);
  }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
