import assert from "node:assert/strict";
import {existsSync} from "node:fs";
import {join} from "node:path";
import {describe, test} from "node:test";
import {repoRoot} from "@strata/base/testing";
import {parsePage, readPages} from "./page.ts";
import {compareOutput, isRun, runPage, skipReason} from "./run-page.ts";

/** What a page's blocks may be: run, the output of what was run, settings and queries (parsed), drawings and quoted lines. */
const KINDS = new Set(["sh", "console", "yaml", "promql", "text", "ts"]);
/** Blocks that no test can run; each says why. More than these would make the promise hollow. */
const MOST_NOT_RUN = 4;

const pages = readPages();

describe("commands of pages", {concurrency: 6}, () => {
  for (const page of pages.filter(({blocks}) => blocks.some(isRun))) {
    test(page.path, {skip: skipReason(page)}, (t) => runPage(t, page));
  }
});

test("blocks are of kinds that a test looks at, and few are not run", () => {
  const notRun: string[] = [];
  for (const {path, blocks} of pages) {
    for (const {kind, info, text, line} of blocks) {
      if (kind === "sh" && info.startsWith("not-run=")) {
        assert.match(info, /^not-run="[^"]{8,}"$/, `${path}:${line}: says why it is not run`);
        notRun.push(`${path}:${line}`);
        const files = text.match(/(?<![\w/.-])deploy\/[\w/.-]+/g) ?? [];
        for (const file of files) assert.ok(existsSync(join(repoRoot, file)), `${path}:${line}: there is no ${file}`);
      } else {
        assert.ok(KINDS.has(kind) && info === "", `${path}:${line}: unknown kind of block: ${kind} ${info}`);
      }
    }
  }
  assert.ok(notRun.length <= MOST_NOT_RUN, `too many commands that are not run: ${notRun.join(", ")}`);
});

test("a page that does not do what it says fails, with the line of the page", async (t) => {
  const page = (body: string) => parsePage("docs/x.md", body);
  await assert.rejects(runPage(t, page("# X\n\n```sh\ntrue\nfalse\n```\n")), /line 5 of the page: false/);
  await assert.rejects(runPage(t, page("```sh\necho a\n```\n\n```console\nb\n```\n")), /docs\/x\.md:6: does not print/);
  const clone = "git clone <this repository> strata && cd strata";
  await assert.rejects(runPage(t, page(`\`\`\`sh\n${clone}\nnpm run nothing\n\`\`\`\n`)), /Missing script: nothing/);
  await assert.rejects(runPage(t, page("```sh\ngit clone https://elsewhere.example x\n```\n")), /has no stand-in/);
  await runPage(t, page(`\`\`\`sh\n${clone}\nnpm run -s lint\nnpm start -- --no-demo\n\`\`\`\n`));
  await runPage(t, page("```sh\necho a; echo 127.0.0.1:9090\n```\n\n```console\na\n127.0.0.1:9090\n```\n"));
});

test("dots in an expected output stand for text and lines", () => {
  assert.equal(compareOutput("a …  c\n...\nz", "a b c\n1\n2\nz\n"), undefined);
  assert.match(compareOutput("a\nz", "a\nb\nz") ?? "", /does not print the line: z/);
  assert.match(compareOutput("a", "a\nb") ?? "", /prints more: b/);
  assert.equal(compareOutput("a\n...", "a\nb"), undefined);
});
