import {readdirSync, readFileSync} from "node:fs";
import {join, relative} from "node:path";
import {repoRoot} from "@strata/base/testing";

/** A fenced block of a page: ```` ```KIND INFO ````. */
export type Block = {
  readonly kind: string;
  /** What stands behind the kind: `not-run="needs root"`. */
  readonly info: string;
  readonly text: string;
  /** Of its first line of text, from 1. */
  readonly line: number;
};

export type Page = {
  /** Path from the root: `docs/start.md`. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** The text with fenced blocks blanked out, line for line. */
  readonly prose: string;
};

/** The pages that people read from: everything in docs/, and what stands at the top of the repository and of deploy/. */
export function readPages(): readonly Page[] {
  const docs = readdirSync(join(repoRoot, "docs"), {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => relative(repoRoot, join(entry.parentPath, entry.name)))
    .sort();
  return [...docs, "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "deploy/README.md"].map((path) =>
    parsePage(path, readFileSync(join(repoRoot, path), "utf8")),
  );
}

export function parsePage(path: string, text: string): Page {
  const blocks: Block[] = [];
  const prose: string[] = [];
  let open: {fence: string; kind: string; info: string; line: number; lines: string[]} | undefined;
  for (const [i, line] of text.split("\n").entries()) {
    if (open !== undefined) {
      prose.push("");
      if (line.trim() === open.fence) {
        blocks.push({kind: open.kind, info: open.info, text: open.lines.join("\n"), line: open.line});
        open = undefined;
      } else open.lines.push(line);
      continue;
    }
    const [, fence, kind = "", info = ""] = /^(```+)(\S*)\s*(.*)$/.exec(line) ?? [];
    prose.push(fence === undefined ? line : "");
    if (fence !== undefined) open = {fence, kind, info, line: i + 2, lines: []};
  }
  if (open !== undefined) throw new Error(`${path}:${open.line - 1}: the block has no end`);
  return {path, text, blocks, prose: prose.join("\n")};
}

/** Anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(page: Page): Set<string> {
  const anchors = new Set<string>();
  for (const [, title = ""] of page.prose.matchAll(/^#{1,6} (.+)$/gm)) {
    const base = title
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replace(/\s/g, "-");
    let anchor = base;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${base}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Links of the prose: targets of `[text](target)`, code spans left out. */
export function linksOf(page: Page): readonly string[] {
  const text = page.prose.replace(/`[^`\n]*`/g, "");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
}
