/** A float as Go's `%g` prints it: the shortest digits, with an exponent below 1e-4 and from 1e6 on. */
export function goFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  const [digits, exponent] = value.toExponential().split("e") as [string, string];
  const e = Number(exponent);
  if (value === 0 || (e >= -4 && e < 6)) return String(value);
  return `${digits}e${e < 0 ? "-" : "+"}${String(Math.abs(e)).padStart(2, "0")}`;
}

const UNITS = ["EiB", "PiB", "TiB", "GiB", "MiB", "KiB", "B"] as const;

/** Bytes in binary units, every unit that is not zero: `132KiB735B`. */
export function binaryBytes(bytes: number): string {
  if (bytes === 0) return "0B";
  let rest = bytes;
  let out = "";
  UNITS.forEach((unit, i) => {
    const size = 1024 ** (UNITS.length - 1 - i);
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) out += `${count}${unit}`;
  });
  return out;
}

/** Rows in columns as Go's tabwriter lays them out: cells at least `width` wide, two spaces between them. */
export function columns(rows: readonly (readonly string[])[], width: number): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? width, cell.length + 2);
    });
  }
  return rows.map((row) =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] as number))).join(""),
  );
}

const DECIMAL = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;

/** A number as Go's ParseFloat reads it, without hexadecimal and underscores; undefined for any other text. */
export function parseGoFloat(text: string): number | undefined {
  if (DECIMAL.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : undefined;
  }
  if (/^[+-]?inf(?:inity)?$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  return /^nan$/i.test(text) ? Number.NaN : undefined;
}
