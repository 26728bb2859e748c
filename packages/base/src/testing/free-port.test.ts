import assert from "node:assert/strict";
import {execFile} from "node:child_process";
import {test} from "node:test";
import {promisify} from "node:util";
import {freePort} from "./free-port.ts";

test("no port is given twice, also not by another process that lives", async () => {
  const script = `
    const {freePort} = await import(${JSON.stringify(new URL("./free-port.ts", import.meta.url).href)});
    const ports = [];
    for (let i = 0; i < 200; i++) ports.push(await freePort());
    console.log(ports.join(" "));`;
  const mine: number[] = [];
  for (let i = 0; i < 200; i++) mine.push(await freePort());
  const {stdout} = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
  const theirs = stdout.trim().split(" ").map(Number);
  assert.equal(new Set([...mine, ...theirs]).size, 400);
});
