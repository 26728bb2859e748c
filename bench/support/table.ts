/** Prints rows in columns as wide as needed, the first one to the left. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const all = [head, ...rows];
  const widths = head.map((_, c) => Math.max(...all.map((row) => (row[c] ?? "").length)));
  for (const row of all) {
    console.log(
      row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0))).join("  "),
    );
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** The value below which the share `q` of the values lies. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export const ms = (value: number): string => value.toFixed(value < 10 ? 1 : 0);

export const ratio = (value: number, base: number): string => `${(value / base).toFixed(2)}×`;

/** `--name=value` of the command line as a number. */
export function flag(name: string, otherwise: number): number {
  const arg = process.argv.find((a) => a.startsWith(`--${name}=`));
  const value = arg === undefined ? otherwise : Number(arg.slice(name.length + 3));
  if (!Number.isFinite(value)) throw new Error(`--${name} takes a number`);
  return value;
}

/** `--name=value` of the command line as a text. */
export const textFlag = (name: string, otherwise: string): string =>
  process.argv.find((a) => a.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise;
