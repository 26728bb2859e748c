type LogRecord = Readonly<Record<string, unknown>>;

/** The fields every line starts with, in the order in which the Go originals print them. */
const LEADING = ["name", "ts", "caller", "level", "msg"] as const;

/** systemd's priorities, for `--log.format=journald`. */
const PRIORITY: Readonly<Record<string, string>> = {error: "<3>", warn: "<4>", info: "<6>", debug: "<7>"};

/** One line `ts=… caller=… level=… msg=… k=v …`, ending in a newline. */
export function logfmtLine(record: LogRecord, journald: boolean): string {
  let line = journald ? (PRIORITY[String(record.level)] ?? "") : "";
  let space = "";
  for (const [key, value] of ordered(record)) {
    line += `${space}${safeKey(key)}=${logfmtValue(value)}`;
    space = " ";
  }
  return `${line}\n`;
}

/** One JSON object with its keys in alphabetical order, as go-kit prints it, ending in a newline. */
export function jsonLine(record: LogRecord): string {
  const keys = Object.keys(record).sort();
  return `${JSON.stringify(Object.fromEntries(keys.map((key) => [key, record[key]])))}\n`;
}

function* ordered(record: LogRecord): Generator<readonly [string, unknown]> {
  for (const key of LEADING) if (record[key] !== undefined) yield [key, record[key]];
  for (const [key, value] of Object.entries(record)) {
    if (!(LEADING as readonly string[]).includes(key)) yield [key, value];
  }
}

/** A key cannot carry spaces, `=`, quotes or control characters; they are dropped. */
const safeKey = (key: string): string => key.replace(/[\s="\p{Cc}]/gu, "") || "_";

function logfmtValue(value: unknown): string {
  if (value === null || value === undefined) return "null";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /[\s="\p{Cc}\ufffd]/u.test(text) ? JSON.stringify(text) : text;
}
