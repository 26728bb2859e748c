/** One import of a file. */
export type Import = {
  readonly specifier: string;
  /** Erased before the program runs: `import type` and `export type … from`. */
  readonly typeOnly: boolean;
  /** 1-based. */
  readonly line: number;
};

const patterns = [
  // Statements begin a line, as the formatter leaves them; what stands between the words may span lines.
  /^(?:import|export)(?<type>\s+type(?=\s+[{*\w])(?!\s+from\b))?\s[^"'`;]*?\bfrom\s*["'](?<specifier>[^"'\n]+)["']/gm,
  /^import\s*["'](?<specifier>[^"'\n]+)["']/gm,
  // Loaded while the program runs.
  /\bimport\(\s*["'](?<specifier>[^"'\n]+)["']/g,
  /\bimport\.meta\.resolve\(\s*["'](?<specifier>[^"'\n]+)["']/g,
  /\brequire(?:\.resolve)?\(\s*["'](?<specifier>[^"'\n]+)["']/g,
];

/** All imports of a source, static and dynamic ones. Comments do not count; text in template literals may. */
export function importsOf(source: string): Import[] {
  const code = blankComments(source);
  const found: Import[] = [];
  for (const pattern of patterns) {
    for (const match of code.matchAll(pattern)) {
      const line = code.slice(0, match.index).split("\n").length;
      found.push({specifier: match.groups?.specifier ?? "", typeOnly: match.groups?.type !== undefined, line});
    }
  }
  return found.sort((a, b) => a.line - b.line);
}

/** Comments turned to spaces, so that lines keep their numbers. Whole-line and trailing ones; strings stay. */
function blankComments(source: string): string {
  const blank = (text: string) => text.replace(/[^\n]/g, " ");
  return source.replace(/^[ \t]*\/\*[\s\S]*?\*\//gm, blank).replace(/(?<=^|[\s;{}])\/\/[^\n]*/gm, blank);
}

/** The package of a bare specifier: `@a/b/c` is in `@a/b`, `d/e` in `d`. */
export function packageOf(specifier: string): string {
  const [first = "", second = ""] = specifier.split("/");
  return first.startsWith("@") ? `${first}/${second}` : first;
}
