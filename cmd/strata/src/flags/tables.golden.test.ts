import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {test} from "node:test";
import {gunzipSync} from "node:zlib";
import {goldenDir} from "@strata/base/testing";
import {everyCommand} from "../help.ts";
import {parseFlags} from "./parse.ts";

/** What real components said their flags are, by component. */
function captured(): Map<string, Record<string, string>> {
  const lines = gunzipSync(readFileSync(goldenDir("query", "api", "captures.jsonl.gz")))
    .toString()
    .trim()
    .split("\n");
  const byComponent = new Map<string, Record<string, string>>();
  for (const line of lines) {
    const {server, path, response} = JSON.parse(line) as {server: string; path: string; response: string};
    if (path !== "/api/v1/status/flags" || !server.startsWith("thanos_")) continue;
    byComponent.set(server.slice("thanos_".length), (JSON.parse(response) as {data: Record<string, string>}).data);
  }
  return byComponent;
}

test("components declare every flag that the originals have, with the same defaults", async () => {
  const flags = captured();
  assert.ok(flags.size > 0);
  for await (const {path, module} of everyCommand()) {
    const name = path.map((c) => c.name).join(" ");
    const theirs = flags.get(name);
    if (theirs === undefined || module === undefined) continue;
    const required = Object.keys(module.flags).filter((n) => module.flags[n]?.required === true);
    const {shown} = parseFlags(
      module.flags,
      required.map((n) => ({name: n, text: "x"})),
    );
    assert.deepEqual(
      Object.keys(theirs).filter((flag) => !(flag in shown)),
      [],
      `${name}: flags not declared`,
    );
    // What the capture was started with differs from the defaults; everything else must not.
    const given = Object.entries(theirs)
      .filter(([flag, value]) => shown[flag] !== value)
      .map(([flag]) => flag);
    for (const flag of given)
      assert.match(flag, SET_IN_CAPTURE, `${name} --${flag}: ${shown[flag]} != ${theirs[flag]}`);
    flags.delete(name);
  }
  assert.deepEqual([...flags.keys()], [], "components without a command");
});

/** Flags that the captured processes were given. */
const SET_IN_CAPTURE =
  /address|^endpoint|config|data-dir|replica-label|enable-feature|response-timeout|auto-downsampling|^label$|^query$|interval$|delay$|grace-period$|alert\.|rule-file|url$/;
