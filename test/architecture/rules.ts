import {dirname, join} from "node:path";
import {packageOf} from "./imports.ts";
import type {Package, SourceFile, Tree} from "./read-tree.ts";

/** The order of packages: which may import which. */
export type Order = {
  readonly layers: readonly (readonly string[])[];
  readonly sameLayerEdges: readonly (readonly [string, string])[];
};

/** Each rule gives one line per violation, beginning with the file. */
export type Rule = (tree: Tree, order: Order) => string[];

/** Tests, benches, fakes and generators may also use what the root or the package lists for development. */
const forDevelopment = (path: string): boolean =>
  /\.(test|bench)\.tsx?$/.test(path) ||
  /\/(testing|test|bench)\//.test(path) ||
  /\/(build|generator|vite\.config)\.\w+$/.test(path);

const isBare = (specifier: string): boolean => !specifier.startsWith(".") && !specifier.startsWith("node:");

/** Hoisted workspaces resolve an undeclared import all the same: it has to be in package.json. */
export const undeclaredImports: Rule = (tree) =>
  eachImport(tree, (pkg, file, specifier) => {
    if (!isBare(specifier)) return undefined;
    const name = packageOf(specifier);
    if (name === pkg.name || pkg.dependencies.has(name)) return undefined;
    const dev = forDevelopment(file.path);
    if (dev && (pkg.devDependencies.has(name) || tree.rootDevDependencies.has(name))) return undefined;
    return `imports ${name}, which ${pkg.dir}/package.json does not declare`;
  });

/** A relative import stays inside its package. */
export const escapingImports: Rule = (tree) =>
  eachImport(tree, (pkg, file, specifier) => {
    if (!specifier.startsWith(".")) return undefined;
    const target = join(dirname(file.path), specifier);
    return target.startsWith(`${pkg.dir}/`) ? undefined : `imports ${specifier}, which lies outside of its package`;
  });

/** Imports and declared dependencies point to lower layers, or along a listed edge. */
export const upwardImports: Rule = (tree, order) => {
  const layerOf = new Map(order.layers.flatMap((names, layer) => names.map((name) => [name, layer] as const)));
  const shortOf = new Map(tree.packages.map((pkg) => [pkg.name, pkg.short]));
  const allowed = new Set(order.sameLayerEdges.map(([from, to]) => `${from}>${to}`));
  const judge = (from: string, to: string): string | undefined => {
    const low = layerOf.get(to);
    const high = layerOf.get(from);
    if (low === undefined || high === undefined) return undefined;
    if (low < high || allowed.has(`${from}>${to}`)) return undefined;
    return low === high
      ? `layer ${high}: ${from} imports ${to} of the same layer, an edge that is not listed`
      : `${from} (layer ${high}) imports ${to} (layer ${low})`;
  };
  const unplaced = tree.packages.filter((pkg) => !layerOf.has(pkg.short)).map((pkg) => `${pkg.dir}: is in no layer`);
  const declared = tree.packages.flatMap((pkg) =>
    [...pkg.dependencies, ...pkg.devDependencies].flatMap((name) => {
      const to = shortOf.get(name);
      const problem = to === undefined ? undefined : judge(pkg.short, to);
      return problem === undefined ? [] : [`${pkg.dir}/package.json: ${problem}`];
    }),
  );
  const imported = eachImport(tree, (pkg, _file, specifier) => {
    const to = isBare(specifier) ? shortOf.get(packageOf(specifier)) : undefined;
    return to === undefined || to === pkg.short ? undefined : judge(pkg.short, to);
  });
  return [...unplaced, ...declared, ...imported];
};

/** Files import each other directly: rings feed on barrels. Tests, which nothing imports, may look at the whole. */
export const ownIndexImports: Rule = (tree) =>
  eachImport(tree, (pkg, file, specifier) => {
    const index = `${pkg.dir}/src/index.ts`;
    if (forDevelopment(file.path)) return undefined;
    const byPath = specifier.startsWith(".") && join(dirname(file.path), specifier) === index;
    return byPath || specifier === pkg.name ? "imports the index of its own package" : undefined;
  });

/** No ring of files inside a package. Type imports are erased and make none. */
export const fileCycles: Rule = (tree) =>
  tree.packages.flatMap((pkg) => {
    const known = new Set(pkg.files.map((file) => file.path));
    const edges = new Map<string, string[]>();
    for (const file of pkg.files) {
      const targets = file.imports
        .filter((entry) => !entry.typeOnly && entry.specifier.startsWith("."))
        .map((entry) => join(dirname(file.path), entry.specifier))
        .filter((path) => known.has(path));
      edges.set(file.path, targets);
    }
    return cycles(edges).map((ring) => `${ring[0]}: ring of imports: ${[...ring, ring[0]].join(" → ")}`);
  });

/** tsc -b builds what references say, node runs what package.json says: they have to agree. */
export const references: Rule = (tree) => {
  const dirOf = new Map(tree.packages.map((pkg) => [pkg.name, pkg.dir]));
  const problems: string[] = [];
  for (const pkg of tree.packages) {
    if (pkg.references === undefined) {
      if (pkg.files.some((file) => /\.tsx?$/.test(file.path))) problems.push(`${pkg.dir}: has no tsconfig.json`);
      continue;
    }
    const want = new Set([...pkg.dependencies, ...pkg.devDependencies].flatMap((name) => dirOf.get(name) ?? []));
    const have = new Set(pkg.references);
    for (const dir of want) if (!have.has(dir)) problems.push(`${pkg.dir}/tsconfig.json: lacks a reference to ${dir}`);
    for (const dir of have)
      if (!want.has(dir)) problems.push(`${pkg.dir}/tsconfig.json: refers to ${dir}, no dependency`);
    if (!tree.rootReferences.includes(pkg.dir)) problems.push(`tsconfig.json: lacks a reference to ${pkg.dir}`);
  }
  return problems;
};

export const rules = {
  undeclaredImports,
  escapingImports,
  upwardImports,
  ownIndexImports,
  fileCycles,
  references,
} satisfies Record<string, Rule>;

function eachImport(tree: Tree, judge: (pkg: Package, file: SourceFile, specifier: string) => string | undefined) {
  const problems: string[] = [];
  for (const pkg of tree.packages) {
    for (const file of pkg.files) {
      for (const {specifier, line} of file.imports) {
        const problem = judge(pkg, file, specifier);
        if (problem !== undefined) problems.push(`${file.path}:${line}: ${problem}`);
      }
    }
  }
  return problems;
}

/** One ring for each edge that closes one in a depth-first walk. */
function cycles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const done = new Set<string>();
  const path: string[] = [];
  const rings: string[][] = [];
  const visit = (node: string): void => {
    const at = path.indexOf(node);
    if (at >= 0) rings.push(path.slice(at));
    if (at >= 0 || done.has(node)) return;
    path.push(node);
    for (const next of edges.get(node) ?? []) visit(next);
    path.pop();
    done.add(node);
  };
  for (const node of edges.keys()) visit(node);
  return rings;
}
