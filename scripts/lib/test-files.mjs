import {readFileSync} from "node:fs";
import {isAbsolute, join, relative, resolve} from "node:path";
import {root} from "./paths.mjs";
import {listFiles} from "./stamp.mjs";

const skip = new Set(["node_modules", "dist", "generated", "fixtures", "artefacts"]);

export const kinds = ["all", "unit", "golden", "e2e", "soak"];

/**
 * The test files of a kind, as paths from the root, filtered by parts of paths. Golden tests are named
 * x.golden.test.ts; soak tests are those that take their number of rounds from `repeat` or are named x.soak.test.ts.
 */
export function findTests(kind, filters) {
  const files = ["packages", "cmd", "test"]
    .flatMap((dir) => listFiles(join(root, dir), skip))
    .map((path) => relative(root, path))
    .filter((path) => /\.test\.tsx?$/.test(path));
  const e2e = (path) => path.startsWith("test/e2e/");
  const wanted = {
    all: () => true,
    unit: (path) => !e2e(path),
    golden: (path) => /\.golden\.test\.tsx?$/.test(path),
    e2e,
    soak: (path) => /\.soak\.test\.tsx?$/.test(path) || usesRepeat(path),
  }[kind];
  return files.filter(wanted).filter((path) => filters.length === 0 || filters.some((filter) => matches(path, filter)));
}

function usesRepeat(path) {
  return /\brepeat\b[^;]*from "@strata\/base\/testing"|STRATA_REPEAT/.test(readFileSync(join(root, path), "utf8"));
}

/** A filter is a path, as typed in the caller's folder or from the root, or any part of one. */
function matches(path, filter) {
  const typed = relative(root, isAbsolute(filter) ? filter : resolve(process.env.INIT_CWD ?? process.cwd(), filter));
  return path.includes(filter.replace(/^\.\//, "")) || path === typed || path.startsWith(`${typed}/`);
}

export const needsGolden = (path) => /\.golden\.test\.tsx?$/.test(path);
