import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {basename, join} from "node:path";
import {test} from "node:test";
import {requireTool} from "@strata/base/testing";
import {checkDeployed} from "@strata/strata/testing";
import {commandWords} from "./command-words.ts";
import {deployDir, deployFiles, deployText, mountedTexts} from "./deploy-files.ts";

const units = deployFiles("systemd/*.service");
const PROGRAM = ["/opt/strata/bin/node", "/opt/strata/bin/strata"];
/** What systemd puts in. */
const SPECIFIERS: Readonly<Record<string, string>> = {"%H": "metrics-1", "%S": "/var/lib"};

/** Keys and values of a unit, continued lines put together; sections do not matter here. */
function settings(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const line of text.replace(/\\\n/g, " ").split("\n")) {
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (key !== undefined) found.set(key, [...(found.get(key) ?? []), value ?? ""]);
  }
  return found;
}

const startOf = (text: string): string[] =>
  commandWords((settings(text).get("ExecStart") ?? [""])[0] as string).map((word) =>
    word.replace(/%[A-Za-z]/g, (specifier) => SPECIFIERS[specifier] ?? assert.fail(`specifier ${specifier}`)),
  );

test("there is a unit for every component", () => {
  assert.deepEqual(
    units.map((unit) => basename(unit)),
    ["compact", "query-frontend", "query", "receive", "rule", "sidecar", "store"].map((c) => `strata-${c}.service`),
  );
});

for (const unit of units) {
  test(`${basename(unit)} starts its component with flags and files that it knows`, async () => {
    const words = startOf(deployText(unit));
    assert.deepEqual(words.slice(0, 2), PROGRAM);
    const etc = join(deployDir, "systemd/etc");
    const command = await checkDeployed(words.slice(2), (path) => mountedTexts(etc, "/etc/strata", path));
    assert.equal(`strata-${command}.service`, basename(unit));
  });

  test(`${basename(unit)} may do no more than it needs to`, () => {
    const found = settings(deployText(unit));
    const want = {NoNewPrivileges: "yes", ProtectSystem: "strict", PrivateTmp: "yes", CapabilityBoundingSet: ""};
    for (const [key, value] of Object.entries(want)) assert.deepEqual(found.get(key), [value], key);
    const user = found.get("User")?.[0];
    assert.ok(found.get("DynamicUser")?.[0] === "yes" || (user !== undefined && user !== "root"));
    // Longer than requests may take to end, or they are cut off.
    assert.ok(Number(found.get("TimeoutStopSec")?.[0]) > 120);
    assert.equal(found.get("ExecStart")?.length, 1);
  });
}

test("no two units of one machine listen at the same port", () => {
  const ports = units.flatMap((unit) =>
    startOf(deployText(unit)).flatMap((word) => /^--[\w.-]*address=.*:(\d+)$/.exec(word)?.[1] ?? []),
  );
  assert.equal(new Set(ports).size, ports.length, ports.join(" "));
  assert.ok(ports.length > units.length);
});

const analyze = requireTool("systemd-analyze");

test("systemd knows every setting", {skip: analyze.skip}, () => {
  for (const unit of units) {
    let report: string;
    try {
      report = execFileSync(analyze.path, ["verify", "--recursive-errors=no", join(deployDir, unit)], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
    } catch (err) {
      report = String((err as {stderr: string}).stderr);
    }
    // The program is installed elsewhere, and the other units are not there.
    const bad = report.split("\n").filter((line) => line !== "" && !/is not executable|not found|Failed to/.test(line));
    assert.deepEqual(bad, [], unit);
  }
});
