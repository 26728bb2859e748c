import {ConfigFields, errorText, StrataError} from "@strata/base";
import {parse} from "yaml";

/** A configuration document of a cache: its type, the block of that type, and what else stands beside them. */
export type CacheDocument = {
  /** In capitals, and as it was written. */
  readonly type: string;
  readonly writtenType: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** All fields of the document; the caller asks for the further ones, then calls `finish`. */
  readonly fields: ConfigFields;
};

/** Reads the YAML; `what` is in errors: `index cache`. Throws `bad_data` in one line that repeats nothing of the text. */
export function readCacheDocument(yamlText: string, what: string): CacheDocument {
  let document: unknown;
  try {
    document = parse(yamlText);
  } catch (err) {
    throw bad(what, errorText(err).split("\n")[0] ?? "", err);
  }
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw bad(what, "it is not a mapping");
  }
  const fields = new ConfigFields(`${what} configuration`, document as Record<string, unknown>);
  const writtenType = fields.text("type");
  return {type: writtenType.toUpperCase(), writtenType, config: fields.mapping("config"), fields};
}

const bad = (what: string, why: string, cause?: unknown): StrataError =>
  new StrataError("bad_data", `cannot read ${what} configuration: ${why}`, {cause});
