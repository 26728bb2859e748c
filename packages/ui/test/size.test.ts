import assert from "node:assert/strict";
import {existsSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {gzipSync} from "node:zlib";
import {assetsDir} from "../index.js";

/** What the first page may cost, gzipped: a second on a slow line. */
const BUDGET_BYTES = 400_000;

const index = join(assetsDir, "index.html");

test("the scripts that the query page needs stay within the budget", {skip: !existsSync(index)}, () => {
  const entries = [...readFileSync(index, "utf8").matchAll(/(?:src|href)="\.\/(static\/[^"]+\.js)"/g)].map(
    ([, path]) => path,
  );
  assert.ok(entries.length > 0, "index.html names no script");
  const seen = new Map<string, number>();
  const add = (path: string): void => {
    if (seen.has(path)) return;
    const code = readFileSync(join(assetsDir, path));
    seen.set(path, gzipSync(code).length);
    const text = String(code);
    // What a chunk imports by itself, and what the query page's chunk brings; other pages come when they are asked for.
    for (const [, file = ""] of text.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) add(`static/${file}`);
    const page = /static\/query-page-[\w-]+\.js|query-page-[\w-]+\.js/.exec(text)?.[0];
    if (page !== undefined) add(`static/${page.replace(/^static\//, "")}`);
  };
  for (const entry of entries) add(entry as string);
  assert.ok(
    [...seen.keys()].some((path) => path.includes("query-page")),
    "the query page's own script is counted",
  );
  assert.ok(
    [...seen.keys()].some((path) => path.includes("editor")),
    "the editor is counted",
  );
  const total = [...seen.values()].reduce((sum, bytes) => sum + bytes, 0);
  assert.ok(total < BUDGET_BYTES, `${total} bytes: ${JSON.stringify([...seen])}`);
});
