import {readFileSync} from "node:fs";
import {readFile} from "node:fs/promises";
import {type ConfigFields, errorText, StrataError} from "@strata/base";

/** A text of the configuration, or a file that holds it. Files are read at each use, so that what rotates stays good. */
export type Secret = string | {readonly file: string};

/** What a secret says now. */
export async function secretText(secret: Secret): Promise<string> {
  if (typeof secret === "string") return secret;
  try {
    return (await readFile(secret.file, "utf8")).trim();
  } catch (err) {
    throw new StrataError("unavailable", `cannot read ${secret.file}: ${errorText(err)}`, {cause: err});
  }
}

/** The secret at `key` or in the file at `key_file`; undefined where there is neither. A file has to be there already. */
export function secretField(fields: ConfigFields, key: string): Secret | undefined {
  const text = fields.text(key);
  const file = fields.text(`${key}_file`);
  if (text !== "" && file !== "") throw fields.bad(`at most one of ${key} & ${key}_file must be configured`);
  if (file === "") return text === "" ? undefined : text;
  return secretFile(fields, `${key}_file`, file);
}

/** The secret in `file`, which `key` names. */
export function secretFile(fields: ConfigFields, key: string, file: string): Secret {
  try {
    readFileSync(file);
  } catch (err) {
    throw fields.bad(`cannot read ${key} ${file}: ${errorText(err)}`);
  }
  return {file};
}
