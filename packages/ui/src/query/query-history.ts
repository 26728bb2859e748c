/** A query that was run, newest first, with the time of its last run in ms. */
export type PastQuery = {readonly expr: string; readonly at: number};

const KEY = "strata.history";
/** Queries kept; the list is searched by eye. */
const KEEP = 200;

/** What was run in this browser before; nothing where storage is forbidden or holds something else. */
export function readHistory(): readonly PastQuery[] {
  try {
    const list = JSON.parse(localStorage.getItem(KEY) ?? "[]") as unknown;
    return Array.isArray(list) ? list.filter(isPast) : [];
  } catch {
    return [];
  }
}

/** Puts an expression on top; the same text stands there only once. */
export function remember(expr: string, at: number): void {
  const text = expr.trim();
  if (text === "") return;
  write([{expr: text, at}, ...readHistory().filter((past) => past.expr !== text)].slice(0, KEEP));
}

/** Takes one expression out, or all of them. */
export function forget(expr?: string): void {
  write(expr === undefined ? [] : readHistory().filter((past) => past.expr !== expr));
}

function isPast(item: unknown): item is PastQuery {
  const {expr, at} = (item ?? {}) as Partial<PastQuery>;
  return typeof expr === "string" && typeof at === "number";
}

function write(list: readonly PastQuery[]): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(list));
  } catch {
    // Full or forbidden: the page works without a history.
  }
}
