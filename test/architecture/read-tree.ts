import {existsSync, readdirSync, readFileSync} from "node:fs";
import {basename, dirname, join, relative, resolve} from "node:path";
import {type Import, importsOf} from "./imports.ts";

/** A workspace package as it lies on disk. */
export type Package = {
  /** The folder's name, which the layer list uses. */
  readonly short: string;
  readonly name: string;
  /** From the repository root. */
  readonly dir: string;
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
  /** Folders that tsconfig.json refers to, from the root; undefined without a tsconfig.json. */
  readonly references: readonly string[] | undefined;
  readonly files: readonly SourceFile[];
};

export type SourceFile = {
  /** From the repository root. */
  readonly path: string;
  readonly imports: readonly Import[];
};

export type Tree = {
  readonly packages: readonly Package[];
  readonly rootDevDependencies: ReadonlySet<string>;
  /** Folders that the root tsconfig.json refers to. */
  readonly rootReferences: readonly string[];
};

const skipped = new Set(["node_modules", "dist", "generated", "fixtures"]);

/** Reads every package of `packages` and `cmd`, with the imports of all its sources. */
export function readTree(root: string): Tree {
  const dirs = ["packages", "cmd"].flatMap((group) => {
    const path = join(root, group);
    return existsSync(path) ? readdirSync(path).map((name) => `${group}/${name}`) : [];
  });
  const manifest = readJson(join(root, "package.json"));
  return {
    packages: dirs.filter((dir) => existsSync(join(root, dir, "package.json"))).map((dir) => readPackage(root, dir)),
    rootDevDependencies: names(manifest.devDependencies),
    rootReferences: referencesOf(root, join(root, "tsconfig.json")) ?? [],
  };
}

function readPackage(root: string, dir: string): Package {
  const manifest = readJson(join(root, dir, "package.json"));
  const files = sources(join(root, dir)).map((path) => ({
    path: relative(root, path),
    imports: importsOf(readFileSync(path, "utf8")),
  }));
  return {
    short: basename(dir),
    name: String(manifest.name),
    dir,
    dependencies: new Set([...names(manifest.dependencies), ...names(manifest.peerDependencies)]),
    devDependencies: names(manifest.devDependencies),
    references: referencesOf(root, join(root, dir, "tsconfig.json")),
    files,
  };
}

function sources(dir: string): string[] {
  return readdirSync(dir, {withFileTypes: true}).flatMap((entry) => {
    if (skipped.has(entry.name)) return [];
    const path = join(dir, entry.name);
    // AssemblyScript looks like TypeScript and is not: its compiler resolves its imports.
    if (entry.isDirectory()) return entry.name === "assembly" ? [] : sources(path);
    return /\.(ts|tsx|js|mjs)$/.test(entry.name) && !entry.name.endsWith(".d.ts") ? [path] : [];
  });
}

function referencesOf(root: string, tsconfig: string): string[] | undefined {
  if (!existsSync(tsconfig)) return undefined;
  const references = readJson(tsconfig).references;
  if (!Array.isArray(references)) return [];
  return references.map((entry: {path: string}) => relative(root, resolve(dirname(tsconfig), entry.path)));
}

const names = (field: unknown): Set<string> => new Set(Object.keys((field ?? {}) as Record<string, unknown>));

function readJson(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
}
