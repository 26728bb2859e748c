import assert from "node:assert/strict";
import {writeFileSync} from "node:fs";
import {join} from "node:path";
import {describe, test} from "node:test";
import {freePort, tempDir} from "@strata/base/testing";
import {type Ended, strata, strataEnds, suiteScope} from "./strata.ts";

/** The last line with something on it. */
const lastLine = (text: string): string => text.trimEnd().split("\n").at(-1) ?? "";

/** Fails with `code` after one line on stderr. */
async function refuses(args: readonly string[], line: RegExp): Promise<void> {
  const ended = await strataEnds(args);
  assert.deepEqual([ended.code, ended.out], [1, ""], JSON.stringify(ended));
  assert.equal(ended.err.trimEnd().split("\n").length, 1, ended.err);
  assert.match(ended.err, line);
}

/** Fails with 2 after usage and one line that gives the reason. */
async function badValue(args: readonly string[], reason: RegExp): Promise<void> {
  const {code, err} = await strataEnds(args);
  assert.equal(code, 2, err);
  assert.match(err, /^usage: strata \w+/);
  assert.match(lastLine(err), /^error parsing commandline arguments: /);
  assert.match(lastLine(err), reason);
}

/** Starts listening, then fails with 1 after an error line that gives the reason. */
async function failsSetUp(command: string, args: readonly string[], reason: RegExp): Promise<void> {
  const ended = await strataEnds([command, "--http-address=127.0.0.1:0", "--grpc-address=127.0.0.1:0", ...args]);
  assert.equal(ended.code, 1, ended.err);
  const errors = logsOf(ended).filter((line) => line.includes("level=error"));
  assert.equal(errors.length, 1, ended.err);
  assert.match(errors[0] ?? "", new RegExp(`msg="preparing ${command} command failed"`));
  assert.match(errors[0] ?? "", reason);
  assert.doesNotMatch(ended.out + ended.err, /hushhush/, "a message quotes configuration");
}

const logsOf = ({out, err}: Ended): string[] => `${out}\n${err}`.split("\n");

describe("command lines", () => {
  const scope = suiteScope();

  test("an unknown flag or command ends with 1 and one line that names the nearest", async () => {
    await refuses(
      ["query", "--endpont=x"],
      /^strata: error: unknown long flag '--endpont', did you mean '--endpoint'\?$/m,
    );
    await refuses(["store", "--data-dri", "/tmp"], /'--data-dri', did you mean '--data-dir'\?/);
    await refuses(["sidecar", "--no-prometheus.url"], /'--no-prometheus.url'/);
    await refuses(["sotre"], /^strata: error: expected command but got "sotre", did you mean "store"\?$/m);
    await refuses(["store", "extra"], /unexpected extra/);
    await refuses(["query", "--web.disable-cors=true"], /unexpected true/);
  });

  test("a bad value ends with 2 and says which flag, what it got and what it wants", async () => {
    await badValue(["query", "--query.timeout=abc"], /flag --query\.timeout: .*"abc".*want/);
    await badValue(["query", "--log.level=loud"], /flag --log\.level: .*error,warn,info,debug, got 'loud'/);
    await badValue(["store", "--index-cache-size=12", "--objstore.config=x"], /flag --index-cache-size: .*12/);
    await badValue(["query", "--selector-label=a"], /flag --selector-label: .*a/);
    await badValue(["query", "--query.max-concurrent=many"], /flag --query\.max-concurrent: .*many/);
    await badValue(["store", "--min-time=yesterday", "--objstore.config=x"], /flag --min-time: .*yesterday/);
  });

  test("what is required is named when it is missing", async () => {
    await badValue(["store"], /--objstore\.config-file or --objstore\.config is required/);
    await refuses(["query", "--query.timeout"], /expected argument for flag '--query\.timeout'/);
  });

  test("what cannot be repeated or combined is refused", async () => {
    await badValue(["query", "--http-address=:1", "--http-address=:2"], /flag 'http-address' cannot be repeated/);
    await badValue(
      ["store", "--objstore.config=type: FILESYSTEM", "--objstore.config-file=bucket.yml"],
      /--objstore\.config.*--objstore\.config/,
    );
  });

  test("configuration that cannot be read or understood ends with 1 and says where and what", async () => {
    const dir = tempDir(scope);
    const file = (name: string, text: string): string => {
      writeFileSync(join(dir, name), text);
      return join(dir, name);
    };
    const missing = join(dir, "missing.yml");
    await failsSetUp("store", [`--objstore.config-file=${missing}`], /--objstore\.config-file.*ENOENT.*missing\.yml/);
    await failsSetUp("query", [`--http.config=${missing}`], /missing\.yml.*ENOENT/);
    await failsSetUp(
      "query",
      [`--http.config=${file("web.yml", "tls_sever_config: {}")}`],
      /web\.yml.*tls_sever_config/,
    );
    await failsSetUp("query", [`--endpoint.sd-config-file=${missing}`], /--endpoint\.sd-config-file.*ENOENT/);
    await failsSetUp("store", ["--objstore.config=type: FILESYSTM"], /FILESYSTM.*FILESYSTEM/);
    const torn = file("bucket.yml", "type: FILESYSTEM\nconfig: {secret_key: hushhush");
    await failsSetUp(
      "store",
      [`--objstore.config-file=${torn}`],
      /--objstore\.config-file=\S+bucket\.yml: [^\\]* at line 2, column/,
    );
    const good = "--objstore.config=type: FILESYSTEM\nconfig: {directory: nowhere}";
    await failsSetUp("store", [good, "--tracing.config=type: ZIPKIN"], /--tracing\.config: .*ZIPKIN/);
    for (const flag of ["index-cache.config", "request.logging-config", "selector.relabel-config", "tracing.config"])
      await failsSetUp("store", [good, `--${flag}=a: [hushhush`], new RegExp(`--${flag}: `));
    await failsSetUp(
      "sidecar",
      ["--prometheus.http-client=basic_auth: {password: hushhush"],
      /--prometheus\.http-client: /,
    );
    await failsSetUp("query", ["--endpoint.sd-config=endpoints: [hushhush"], /endpoint/);
    await failsSetUp("query", [`--http.config=${file("users.yml", "basic_auth_users: {a: hushhush")}`], /users\.yml/);
    await failsSetUp(
      "store",
      [good, `--grpc-server-tls-cert=${missing}`, `--grpc-server-tls-key=${missing}`],
      /missing\.yml/,
    );
  });

  test("an address that is taken ends with 1 and names it", async () => {
    const port = await freePort();
    const server = await strata(scope, "query", [`--grpc-address=127.0.0.1:${port}`]);
    const ended = await strataEnds(["query", "--http-address=127.0.0.1:0", `--grpc-address=127.0.0.1:${port}`]);
    assert.equal(ended.code, 1);
    assert.match(logsOf(ended).join("\n"), new RegExp(`level=error .*127\\.0\\.0\\.1:${port}`));
    assert.equal(await server.stop(), 0);
  });

  test("flags come from a file of arguments, too, and --no-x clears", async () => {
    const dir = tempDir(scope);
    const args = join(dir, "args");
    writeFileSync(args, "--query.replica-label=replica\n--query.replica-label=rule replica\n--query.timeout=7m\n");
    const server = await strata(scope, "query", [
      `@${args}`,
      "--no-query.partial-response",
      "--query.lookback-delta",
      "3m",
      `--grpc-address=127.0.0.1:${await freePort()}`,
    ]);
    const answer = await (await fetch(`${server.url}/api/v1/status/flags`)).json();
    const flags = (answer as {data: Record<string, string>}).data;
    const shown = ["query.replica-label", "query.timeout", "query.partial-response", "query.lookback-delta"];
    assert.deepEqual(
      shown.map((name) => flags[name]),
      ["replica,rule replica", "7m", "false", "3m0s"],
    );
    await refuses(["query", `@${join(dir, "none")}`], /arguments file ".*none".*ENOENT/);
  });
});
