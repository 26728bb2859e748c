import assert from "node:assert/strict";
import {execFile} from "node:child_process";
import {existsSync, globSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {test} from "node:test";
import {promisify} from "node:util";
import {repoRoot, tempDir} from "@strata/base/testing";
import {checkDeployed} from "@strata/strata/testing";
import {deployText} from "./deploy-files.ts";

const run = promisify(execFile);
const text = deployText("docker/Dockerfile").replace(/\\\n/g, " ");
const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
const last = (instruction: string): string => {
  const found = lines.findLast((line) => line.startsWith(`${instruction} `));
  return found?.slice(instruction.length + 1).trim() ?? assert.fail(`no ${instruction}`);
};

test("the image runs strata as nobody in particular, and as the Prometheus Operator calls it", async () => {
  const entrypoint = JSON.parse(last("ENTRYPOINT")) as string[];
  assert.deepEqual(entrypoint, ["/opt/strata/bin/node", "/opt/strata/bin/strata"]);
  assert.match(last("USER"), /^[1-9]\d*:[1-9]\d*$/);
  assert.equal(last("STOPSIGNAL"), "SIGTERM");
  assert.equal(await checkDeployed(JSON.parse(last("CMD")) as string[], () => []), "standalone");
  // What the operator puts on the command line of its container `thanos-sidecar`, all that it may put there at once.
  const operator = [
    ...["sidecar", "--prometheus.url=http://localhost:9090/", "--grpc-address=:10901", "--http-address=:10902"],
    ...['--prometheus.http-client={"tls_config": {"insecure_skip_verify":true}}'],
    ...["--objstore.config={type: S3, config: {bucket: b, endpoint: e}}", "--tsdb.path=/prometheus"],
    ...["--log.level=info", "--log.format=logfmt", "--min-time=-2h", "--prometheus.ready_timeout=10m"],
    ...["--prometheus.get_config_interval=30s", "--prometheus.get_config_timeout=30s"],
    ...["--grpc-server-tls-cert=/etc/tls/tls.crt", "--grpc-server-tls-key=/etc/tls/tls.key"],
    ...["--grpc-server-tls-client-ca=/etc/tls/ca.crt", "--reloader.config-file=", "--tracing.config="],
  ];
  assert.equal(await checkDeployed(operator, () => []), "sidecar");
});

test("what is copied into the image is there, and nothing is fetched by address", () => {
  for (const line of lines.filter((one) => one.startsWith("RUN ")))
    assert.doesNotMatch(line, /https?:|curl|wget|\badd\b/i);
  const ignore = deployText("docker/Dockerfile.dockerignore").split("\n");
  assert.equal(
    ignore.find((line) => line !== "" && !line.startsWith("#")),
    "*",
  );
  for (const line of ignore.filter((one) => one.startsWith("!"))) {
    assert.ok(globSync(line.slice(1), {cwd: repoRoot}).length > 0, line);
  }
});

test("what is assembled runs without the repository, and holds no tests", {skip: notBuilt()}, async (t) => {
  const dir = join(tempDir(t), "strata");
  await run(process.execPath, ["scripts/assemble.mjs", dir], {cwd: repoRoot});
  const env = {PATH: join(dir, "bin")};
  const {stdout} = await run(join(dir, "bin/node"), [join(dir, "bin/strata"), "--version"], {env, cwd: "/"});
  assert.match(stdout, /^strata, version \d/);
  for (const command of ["sidecar", "query", "standalone"]) {
    const help = await run(join(dir, "bin/node"), [join(dir, "bin/strata"), command, "--help"], {env, cwd: "/"});
    assert.match(help.stdout, /^usage: strata/, command);
  }
  assert.deepEqual(globSync("{packages,cmd}/**/*.{test,bench}.ts", {cwd: dir}), []);
  assert.ok(!existsSync(join(dir, "node_modules/vite")) && !existsSync(join(dir, "node_modules/typescript")));
  const names = globSync("packages/*/package.json", {cwd: dir}).map((file) => readFileSync(join(dir, file), "utf8"));
  assert.ok(names.every((manifest) => !manifest.includes("devDependencies")));
  await assert.rejects(run(process.execPath, ["scripts/assemble.mjs", dir], {cwd: repoRoot}), /is not empty/);
});

/** Pages and kernels come with the set-up. */
function notBuilt(): string | false {
  return existsSync(join(repoRoot, "packages/ui/dist/index.html"))
    ? false
    : "missing: the pages; npm run setup builds them";
}
