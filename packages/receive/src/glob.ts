/**
 * Whether `name` matches a shell pattern as Go's `filepath.Match` has it: `*` and `?` do not match a slash, `[a-z]` and
 * `[^a-z]` one character, a backslash takes the next one literally. A malformed pattern matches nothing.
 */
export function globMatches(pattern: string, name: string): boolean {
  const source = globSource(pattern);
  return source !== undefined && new RegExp(`^(?:${source})$`, "su").test(name);
}

const quote = (char: string): string => char.replace(/[\\^$.*+?()[\]{}|/]/u, "\\$&");
const quoteInClass = (char: string): string => char.replace(/[\\^$.*+?()[\]{}|/-]/u, "\\$&");

/** The pattern as a regular expression; undefined when it is malformed. No part of it can backtrack for long. */
function globSource(pattern: string): string | undefined {
  const chars = [...pattern];
  let out = "";
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] as string;
    if (char === "*") {
      // Several in a row are one, else they would try all ways to share what they match.
      while (chars[i + 1] === "*") i++;
      out += "[^/]*";
    } else if (char === "?") out += "[^/]";
    else if (char === "\\") {
      const literal = chars[++i];
      if (literal === undefined) return undefined;
      out += quote(literal);
    } else if (char === "[") {
      const found = classSource(chars, i + 1);
      if (found === undefined) return undefined;
      out += found.source;
      i = found.end;
    } else out += quote(char);
  }
  return out;
}

/** A character class from behind its bracket on; `end` is where its closing bracket stands. */
function classSource(chars: readonly string[], from: number): {source: string; end: number} | undefined {
  let i = from;
  const negated = chars[i] === "^";
  if (negated) i++;
  let ranges = "";
  for (let first = true; chars[i] !== "]" || first; first = false) {
    const low = classChar(chars, i);
    if (low === undefined) return undefined;
    i = low.next;
    let high = low;
    if (chars[i] === "-") {
      const found = classChar(chars, i + 1);
      if (found === undefined) return undefined;
      high = found;
      i = found.next;
    }
    if (high.char < low.char) return undefined;
    ranges += low === high ? quoteInClass(low.char) : `${quoteInClass(low.char)}-${quoteInClass(high.char)}`;
  }
  return {source: `[${negated ? "^" : ""}${ranges}]`, end: i};
}

function classChar(chars: readonly string[], i: number): {char: string; next: number} | undefined {
  const char = chars[i];
  if (char === undefined || char === "-" || char === "]") return undefined;
  if (char !== "\\") return {char, next: i + 1};
  const literal = chars[i + 1];
  return literal === undefined ? undefined : {char: literal, next: i + 2};
}
