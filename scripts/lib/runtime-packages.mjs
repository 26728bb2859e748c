/** Where the executable is. */
const START = "cmd/strata";
/** Serves files that its packages went into when it was built. */
const BUILT = "packages/ui";

/**
 * What the executable needs at run time, by a lock file's `packages`: paths of workspaces, and of installed packages, as
 * they lie below node_modules. Optional packages of other systems, which are not installed, are left out by `isThere`.
 */
export function runtimePackages({packages}, isThere = () => true) {
  const seen = new Set();
  const queue = [START];
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const {dependencies, optionalDependencies} = packages[path];
    const names = path === BUILT ? [] : Object.keys({...dependencies, ...optionalDependencies});
    for (const name of names) {
      const found = resolved(packages, path, name);
      const entry = found === undefined ? undefined : packages[found];
      if (entry === undefined || (entry.optional && !isThere(found))) {
        if (entry === undefined && optionalDependencies?.[name] === undefined) {
          throw new Error(`${path} needs ${name}, which the lock file does not have`);
        }
        continue;
      }
      queue.push(entry.link ? entry.resolved : found);
    }
  }
  const all = [...seen].sort();
  return {
    workspaces: all.filter((path) => !path.includes("node_modules/")),
    installed: all.filter((path) => path.includes("node_modules/")),
  };
}

/** Where Node finds `name` from the package at `path`: in its own node_modules, else in those above it. */
function resolved(packages, path, name) {
  for (let at = path; ; ) {
    const candidate = at === "" ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (packages[candidate] !== undefined) return candidate;
    if (at === "") return undefined;
    const above = at.lastIndexOf("/node_modules/");
    at = above >= 0 ? at.slice(0, above) : "";
  }
}
