import {StrataError} from "@strata/base";
import {
  formatGoDuration,
  formatPrometheusDuration,
  goQuote,
  goUnquote,
  isLegacyLabelName,
  parseGoDuration,
  parsePrometheusDuration,
  parseTimeOrDuration,
  type TimeOrDuration,
} from "@strata/model";

/** How a flag's text becomes a value and back. `parse` throws `bad_data` with what was given and what would be right. */
export type FlagType<T> = {
  /** Stands for the value in help: `--flag=PLACEHOLDER`. */
  readonly placeholder: string;
  parse(text: string): T;
  /** The value as `/api/v1/status/flags` shows it. */
  format(value: T): string;
};

export type LabelPair = {readonly name: string; readonly value: string};

const bad = (message: string): StrataError => new StrataError("bad_data", message);

/** A reason that ends with what would have been right. */
function parsed<T>(read: () => T, wanted: string): T {
  try {
    return read();
  } catch (err) {
    throw new StrataError("bad_data", `${err instanceof Error ? err.message : String(err)}; ${wanted}`, {cause: err});
  }
}

export const stringType = (placeholder = "TEXT"): FlagType<string> => ({
  placeholder,
  parse: (text) => text,
  format: (value) => value,
});

export const boolType: FlagType<boolean> = {
  placeholder: "",
  parse: (text) => text === "true",
  format: (value) => String(value),
};

/** A whole number of at least `min`. Hexadecimal with 0x, as kingpin reads it. */
export function integerType(min: number): FlagType<number> {
  return {
    placeholder: "N",
    parse(text) {
      const value = /^[+-]?([0-9]+|0[xX][0-9a-fA-F]+)$/.test(text) ? Number(text.replace(/^\+/, "")) : Number.NaN;
      if (Number.isNaN(value)) throw bad(`${goQuote(text)} is not a whole number`);
      if (value < min) throw bad(`${text} is below ${min}`);
      if (!Number.isSafeInteger(value)) throw bad(`${text} is above ${Number.MAX_SAFE_INTEGER}`);
      return value;
    },
    format: String,
  };
}

export const floatType: FlagType<number> = {
  placeholder: "NUMBER",
  parse(text) {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (Number.isNaN(value)) throw bad(`${goQuote(text)} is not a number`);
    return value;
  },
  format: (value) => goNumber(value),
};

/** Go prints 1000000 as 1e+06. */
function goNumber(value: number): string {
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  if (exponent >= -4 && exponent < 6) return String(value);
  const [mantissa, e = "0"] = value.toExponential().split("e");
  return `${mantissa}e${e.startsWith("-") ? "-" : "+"}${String(Math.abs(Number(e))).padStart(2, "0")}`;
}

/** "dur": a Prometheus duration, in ms. */
export const durationType: FlagType<number> = {
  placeholder: "DURATION",
  parse: (text) =>
    parsed(() => parsePrometheusDuration(text), "want whole numbers with units y w d h m s ms, such as 1d12h"),
  format: formatPrometheusDuration,
};

/** "godur": a Go duration with days and weeks, in ms (fractions down to the nanosecond). */
export const goDurationType: FlagType<number> = {
  placeholder: "DURATION",
  parse: (text) =>
    parsed(() => parseGoDuration(text, {withDays: true}), "want numbers with units w d h m s ms us ns, such as 1h30m"),
  format: formatGoDuration,
};

const BYTE_UNITS = ["B", "KB", "MB", "GB", "TB", "PB", "EB"] as const;

/** Bytes with base-2 units in either spelling; the unit may be left out only for 0. */
export const bytesType: FlagType<number> = {
  placeholder: "BYTES",
  parse(text) {
    const wanted = "want a number with one of the units B KB MB GB TB PB EB (or KiB …), such as 512MB";
    if (text === "0") return 0;
    let total = 0;
    let rest = text;
    do {
      const part = /^([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([A-Za-z]+)/.exec(rest);
      if (part === null) throw bad(`${goQuote(text)} is not a size in bytes; ${wanted}`);
      const [whole, number, unit] = part as unknown as [string, string, string];
      const power = (BYTE_UNITS as readonly string[]).indexOf(unit.replace(/^([KMGTPE])iB$/, "$1B"));
      if (power < 0) throw bad(`unknown unit ${goQuote(unit)} in ${goQuote(text)}; ${wanted}`);
      total += Number(number) * 1024 ** power;
      rest = rest.slice(whole.length);
    } while (rest !== "");
    if (!Number.isSafeInteger(Math.trunc(total))) throw bad(`${text} is above ${Number.MAX_SAFE_INTEGER} bytes`);
    return Math.trunc(total);
  },
  format: formatBytes,
};

/** `2GiB`, `1GiB512MiB`, `0B`. */
function formatBytes(bytes: number): string {
  if (bytes === 0) return "0B";
  let out = "";
  let rest = bytes;
  for (let power = BYTE_UNITS.length - 1; power >= 0; power--) {
    const count = Math.floor(rest / 1024 ** power);
    rest -= count * 1024 ** power;
    if (count > 0) out += `${count}${power === 0 ? "B" : (BYTE_UNITS[power] as string).replace("B", "iB")}`;
  }
  return out;
}

export const timeOrDurationType: FlagType<TimeOrDuration> = {
  placeholder: "TIME",
  parse: (text) =>
    parsed(
      () => parseTimeOrDuration(text),
      "want a time such as 2024-01-31T00:00:00Z, or an offset from now such as -2w",
    ),
  format(value) {
    if (value.kind === "duration") return formatPrometheusDuration(value.ms);
    const iso = new Date(value.t).toISOString();
    return `${iso.slice(0, 10)} ${iso.slice(11, 19)} +0000 UTC`;
  },
};

export const labelType: FlagType<LabelPair> = {
  placeholder: "'NAME=\"VALUE\"'",
  parse(text) {
    const wanted = `want name="value" with the quotes, such as --label='replica="a"'`;
    const at = text.indexOf("=");
    if (at < 0) throw bad(`${goQuote(text)} has no "="; ${wanted}`);
    const name = text.slice(0, at);
    if (!isLegacyLabelName(name)) throw bad(`${goQuote(name)} is not a label name; ${wanted}`);
    const value = parsed(() => goUnquote(text.slice(at + 1)), wanted);
    return {name, value};
  },
  format: (value) => `${value.name}=${goQuote(value.value)}`,
};

export function enumType<const T extends string>(values: readonly T[]): FlagType<T> {
  return {
    placeholder: values.filter((v) => v !== "").join("|"),
    parse(text) {
      if ((values as readonly string[]).includes(text)) return text as T;
      throw bad(`enum value must be one of ${values.join(",")}, got '${text}'`);
    },
    format: String,
  };
}

export const urlType: FlagType<URL> = {
  placeholder: "URL",
  parse(text) {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || url.host === "")
      throw bad(`${goQuote(text)} is not a URL; want scheme://host[:port][/path], such as http://localhost:9090`);
    return url;
  },
  format: (value) => value.href.replace(/\/$/, ""),
};

export const ulidType: FlagType<string> = {
  placeholder: "ULID",
  parse(text) {
    if (!/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/i.test(text))
      throw bad(`${goQuote(text)} is not a block id; want 26 letters and digits, such as 01HQW2ZJ5V0K8M3N7XEXAMPLE0`);
    return text.toUpperCase();
  },
  format: String,
};
