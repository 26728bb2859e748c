import assert from "node:assert/strict";
import {existsSync, readFileSync} from "node:fs";
import {dirname, join, normalize} from "node:path";
import {test} from "node:test";
import {repoRoot} from "@strata/base/testing";
import {parseExpr} from "@strata/promql";
import {listCommands} from "@strata/strata/docs";
import {parseAllDocuments} from "yaml";
import {metricsOnPage, seriesNames} from "./generate/metrics-page.ts";
import {anchorsOf, linksOf, type Page, parsePage, readPages} from "./page.ts";
import {scripts} from "./stand-ins.ts";

const pages = readPages();
/** Pages whose names are checked: not the lists of what is missing or different, nor what is generated from the names. */
const namesThings = ({path}: Page): boolean =>
  path === "README.md" || (path.startsWith("docs/") && !/known-gaps|differences|flags\.md/.test(path));

test("links lead to files of the repository, anchors to headings", () => {
  const anchors = new Map<string, Set<string>>();
  const problems: string[] = [];
  for (const page of pages) {
    for (const link of linksOf(page)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [target = "", anchor] = link.split("#") as [string, string | undefined];
      const path = target === "" ? page.path : normalize(join(dirname(page.path), target));
      if (!existsSync(join(repoRoot, path))) problems.push(`${page.path}: ${link} is not there`);
      else if (anchor !== undefined && path.endsWith(".md")) {
        const known = anchors.get(path) ?? anchorsOf(parsePage(path, readFileSync(join(repoRoot, path), "utf8")));
        anchors.set(path, known);
        if (!known.has(anchor)) problems.push(`${page.path}: ${path} has no heading for #${anchor}`);
      }
    }
  }
  assert.deepEqual(problems, []);
});

test("every page of docs/ is reached from its list of pages", () => {
  const index = pages.find(({path}) => path === "docs/README.md");
  assert.ok(index !== undefined);
  const linked = new Set(linksOf(index).map((link) => normalize(join("docs", link.split("#")[0] ?? ""))));
  const lost = pages.map(({path}) => path).filter((path) => path.startsWith("docs/") && !linked.has(path));
  assert.deepEqual(lost, ["docs/README.md"]);
});

/** Flags of other programs that pages name. */
const FOREIGN = new Set(
  `storage.tsdb.path storage.tsdb.min-block-duration storage.tsdb.max-block-duration storage.tsdb.retention.time
   web.listen-address config.file cluster.listen-address storage.path web.enable-lifecycle data-urlencode data data-binary
   header cacert cert key user retry now write report-only save list help help-long version expose-gc verbose cpu-prof
   ignore-scripts reps endpoints port bind subj addext daemonize appendonly test-name-pattern save-exact omit
   heap-prof trace-deopt test-force-exit unsafe-perm name-only web.config.file`.split(/\s+/),
);

/** Typing errors that a page makes on purpose. */
const MISTAKES = new Set(["store.enable-lazy-expanded-posting"]);

test("every flag that a page names exists", async () => {
  const commands = await listCommands();
  const known = new Set([...FOREIGN, ...MISTAKES]);
  const short = (name: string): string => name.replace(/^-+/, "");
  for (const {flags} of commands) for (const {names} of flags) for (const name of names) known.add(short(name));
  for (const name of [...known]) known.add(`no-${name}`);
  const problems: string[] = [];
  for (const page of pages.filter(namesThings)) {
    for (const [, name = ""] of page.text.matchAll(/(?<![\w-])--([a-z][\w.-]*[a-z0-9])(?![\w*…]|\.\*)/gi))
      if (!known.has(name)) problems.push(`${page.path}: --${name}`);
    for (const {line, text} of page.blocks.filter(({kind}) => kind === "sh")) {
      const wrong = wrongFlags(text.replace(/\\\n/g, " "), commands);
      problems.push(...wrong.map((problem) => `${page.path}:${line}: ${problem}`));
    }
  }
  assert.deepEqual(problems, []);
});

/** Flags on lines that call Strata which that very command does not have. */
function wrongFlags(script: string, commands: Awaited<ReturnType<typeof listCommands>>): string[] {
  const problems: string[] = [];
  for (const [, call = ""] of script.matchAll(/(?:^|[|&;(]\s*|\bnpx )strata ([^|&;\n]*)/gm)) {
    const words = /^(?:[a-z][\w-]*\s*)*/.exec(call)?.[0].trim().split(/\s+/) ?? [];
    const command = commands
      .filter(({name}) => name !== "" && `${words.join(" ")} `.startsWith(`${name} `))
      .sort((a, b) => b.name.length - a.name.length)[0];
    const own = [...(commands[0]?.flags ?? []), ...(command?.flags ?? [])].flatMap(({names}) => names);
    for (const [flag] of call.matchAll(/(?<![\w-])--[a-z][\w.-]*/g)) {
      const plain = flag.replace(/^--no-/, "--");
      if (MISTAKES.has(flag.slice(2))) continue;
      if (!/^--(help|version|help-long)$/.test(flag) && !own.includes(flag) && !own.includes(plain))
        problems.push(`strata ${command?.name ?? words.join(" ")} has no ${flag}`);
    }
  }
  return problems;
}

/** Run by npx without being installed. */
const FETCHED = new Set(["lerna"]);

test("commands within the text call scripts, programs and files that there are", async () => {
  const commands = await listCommands();
  const names = new Set(commands.map(({name}) => name.split(" ")[0]));
  const known = scripts();
  const problemOf = (words: readonly string[]): string | undefined => {
    const [program, ...rest] = words.filter((word) => word !== "-s");
    if (program === "npm") {
      const script = rest[0] === "run" ? rest[1] : /^(start|test)$/.exec(rest[0] ?? "")?.[0];
      const isOwn = script === undefined || /^[A-Z]/.test(script);
      return isOwn || known[script] !== undefined ? undefined : `package.json has no script ${script}`;
    }
    if (program === "npx") {
      const [name = "", command = ""] = rest;
      if (name === "strata")
        return /^[A-Z]|^$/.test(command) || names.has(command) ? undefined : `strata has no ${command}`;
      return FETCHED.has(name) || existsSync(join(repoRoot, "node_modules/.bin", name))
        ? undefined
        : `no program ${name}`;
    }
    // x.bench.ts and FILE stand for any.
    const file = rest.find((word) => /^[\w/.-]+\.(mjs|js|ts)$/.test(word) && !/(^|\/)x\./.test(word));
    return file === undefined || existsSync(join(repoRoot, file)) ? undefined : `there is no ${file}`;
  };
  let seen = 0;
  const problems: string[] = [];
  for (const {path, prose} of pages) {
    for (const [, span = ""] of prose.matchAll(/`((?:npm|npx|node) [^`]+)`/g)) {
      seen++;
      for (const command of span.split("&&")) {
        const problem = problemOf(command.trim().split(/\s+/));
        if (problem !== undefined) problems.push(`${path}: ${span}: ${problem}`);
      }
    }
  }
  assert.deepEqual(problems, []);
  assert.ok(seen > 30, `${seen} commands`);
});

test("every metric that a page names exists", () => {
  const metrics = metricsOnPage(readFileSync(join(repoRoot, "docs/metrics.md"), "utf8"));
  const known = new Set([...metrics.keys(), ...seriesNames(metrics)]);
  const names =
    /(?<![\w:.`/-])`?((?:thanos|strata|prometheus|cortex|querier|grpc|process|nodejs)_[a-z0-9_]+[a-z0-9])(?![\w*.(…])/g;
  const problems: string[] = [];
  for (const page of pages.filter(namesThings))
    for (const [, name = ""] of page.text.matchAll(names))
      if (!known.has(name) && !LABELS.has(name)) problems.push(`${page.path}: ${name}`);
  assert.deepEqual([...new Set(problems)], []);
});

/** Labels that begin like metrics. */
const LABELS = new Set(["grpc_method", "grpc_code", "grpc_service", "grpc_type"]);

test("settings and queries on pages can be read", () => {
  for (const {path, blocks} of pages) {
    for (const {kind, text, line} of blocks) {
      if (kind === "promql") assert.doesNotThrow(() => parseExpr(text), `${path}:${line}`);
      if (kind !== "yaml") continue;
      for (const document of parseAllDocuments(text)) assert.deepEqual(document.errors, [], `${path}:${line}`);
    }
  }
});
