import {chmodSync, readFileSync, writeFileSync} from "node:fs";
import {join} from "node:path";
import {repoRoot} from "@strata/base/testing";

/** How pages name the repository where they clone it. */
const REPOSITORY = "<this repository>";

/** The line of a page as the stand-ins understand it. */
export const withRepository = (text: string): string => text.replaceAll(REPOSITORY, `'${repoRoot}'`);

/**
 * A clone that is set up at once: a folder with links to all that the repository has. Cloning anything else, or anything
 * else of git, is not what a page may do.
 */
const GIT = `#!/bin/sh
if [ "$#" != 3 ] || [ "$1" != clone ] || [ ! -f "$2/lerna.json" ]; then
  echo "git $*: has no stand-in" >&2
  exit 1
fi
mkdir "$3" && ln -s "$2"/* "$3"/
`;

/** What npm would run takes minutes and is run elsewhere: here it is enough that there is such a script. */
const npm = `#!/bin/sh
case "$1" in
  start|test) name="$1" ;;
  run) shift; [ "$1" = -s ] && shift; name="$1" ;;
  *) echo "npm $*: has no stand-in" >&2; exit 1 ;;
esac
for script in ${Object.keys(scripts()).join(" ")}; do
  [ "$script" = "$name" ] && [ -f package.json ] && exit 0
done
echo "npm error Missing script: $name" >&2
exit 1
`;

/** Programs that pages call and that are not run as they are. */
export function writeStandIns(bin: string): void {
  for (const [name, text] of [
    ["git", GIT],
    ["npm", npm],
  ] as const) {
    writeFileSync(join(bin, name), text);
    chmodSync(join(bin, name), 0o755);
  }
}

/** The scripts of the repository's package.json. */
export function scripts(): Readonly<Record<string, string>> {
  const text = readFileSync(join(repoRoot, "package.json"), "utf8");
  return (JSON.parse(text) as {scripts: Record<string, string>}).scripts;
}
