import {StrataError} from "./errors.ts";

const UNITS = ["B", "KB", "MB", "GB", "TB", "PB"];

/** Bytes in a text such as 250MB. Compat: units are powers of 1024 with or without an "i"; a bare number counts bytes. */
export function parseByteSize(text: string): number {
  const match = /^([0-9]+(?:\.[0-9]+)?) *([A-Za-z]*)$/.exec(text.trim());
  const unit = (match?.[2] ?? "").toUpperCase().replace(/^([KMGTP])IB$/, "$1B");
  const power = unit === "" ? 0 : UNITS.indexOf(unit);
  if (match === null || power < 0) {
    throw new StrataError("bad_data", `${JSON.stringify(text)} is not a size such as 250MB`);
  }
  return Math.trunc(Number(match[1]) * 1024 ** power);
}
