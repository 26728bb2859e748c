import {StrataError} from "@strata/base";
import {parseHttpClientConfig} from "@strata/http-client";
import {bucketFromConfig} from "@strata/objstore";
import {parseEndpointConfig} from "@strata/query";
import {parseDownstreamConfig, resultsCacheFromConfig} from "@strata/query-frontend";
import {parseRings} from "@strata/receive";
import {parseAlertmanagersConfig, parseQueryConfig} from "@strata/rule";
import {parseRuleFile, ruleFileErrorText} from "@strata/rules";
import {newRegistry, nullLogger} from "@strata/telemetry";
import {parseRequestLogConfig} from "@strata/web";
import {cacheServers} from "../cache-servers.ts";
import {readCommandLine} from "../command-line.ts";
import {type Content, newContent} from "../flags/content.ts";
import {parseFlags} from "../flags/parse.ts";
import {globalFlags} from "../flags/shared.ts";
import {selectorRules} from "../selector-rules.ts";

/** Texts of the files that a deployment puts at a path, which may have `*` in it; none where it puts nothing there. */
export type DeployedFiles = (path: string) => readonly string[];

type Load = (text: string, content: Content) => unknown;

/** How the components read what their flags name. A flag that is not here is not used in what is deployed. */
const LOADERS: Readonly<Record<string, Load>> = {
  "objstore.config": async (text) => (await bucketFromConfig(text)).close(),
  "selector.relabel-config": (_, content) => selectorRules(content),
  "endpoint.sd-config": (text) => parseEndpointConfig(text, {tls: undefined, compression: "none"}),
  "receive.hashrings": (text) => parseRings(text, "ketama"),
  "receive.hashrings-file": (text) => parseRings(text, "ketama"),
  "query-range.response-cache-config": resultsCache,
  "labels.response-cache-config": resultsCache,
  "query-frontend.downstream-tripper-config": parseDownstreamConfig,
  "alertmanagers.config": parseAlertmanagersConfig,
  "query.config": parseQueryConfig,
  "prometheus.http-client": parseHttpClientConfig,
  "request.logging-config": parseRequestLogConfig,
  "rule-file": loadRules,
};

/**
 * Reads the command line of a deployment (without the program's name) as the program does, and loads the files it names as
 * the components do. The name of its command; throws for what would keep it from starting.
 */
export async function checkDeployed(argv: readonly string[], files: DeployedFiles): Promise<string> {
  const {scanned, path, module} = await readCommandLine(argv);
  if (module === undefined) throw new StrataError("bad_data", `no command in ${argv.join(" ")}`);
  const {values, notices} = parseFlags({...globalFlags, ...module.flags}, scanned.occurrences);
  if (notices.length > 0) throw new StrataError("bad_data", notices.join("; "));
  for (const [name, value] of Object.entries(values as Record<string, unknown>)) {
    if (isContent(value)) {
      if (value.given) await load(name, value.path === undefined ? [await value.read()] : found(value.path, files));
    } else if (FILE_FLAGS.has(name)) {
      for (const file of [value].flat()) if (file !== "") await load(name, found(String(file), files));
    }
  }
  return path.map((command) => command.name).join(" ");
}

/** Throws where a command line names flags that its command does not have; values are not looked at. */
export async function checkCommandFlags(argv: readonly string[]): Promise<void> {
  const {module} = await readCommandLine(argv);
  if (module === undefined) throw new StrataError("bad_data", `no command in ${argv.join(" ")}`);
}

/** Flags that take a path, or several, to what is loaded. */
const FILE_FLAGS = new Set(["receive.hashrings-file", "rule-file"]);

const isContent = (value: unknown): value is Content =>
  typeof value === "object" && value !== null && "given" in value && "read" in value;

function found(path: string, files: DeployedFiles): readonly string[] {
  const texts = files(path);
  if (texts.length === 0) throw new StrataError("not_found", `nothing is deployed at ${path}`);
  return texts;
}

async function load(flag: string, texts: readonly string[]): Promise<void> {
  const loader = LOADERS[flag];
  if (loader === undefined) throw new StrataError("internal", `--${flag} has no loader here`);
  for (const text of texts) {
    const content = newContent({flag, fileFlag: flag, path: "", text, required: false, expandEnv: true});
    await content.parse((read) => loader(read, content));
  }
}

async function resultsCache(text: string): Promise<void> {
  const [registry, logger] = [newRegistry(), nullLogger()];
  const context = {name: "deployed", registry, logger, resolve: cacheServers(registry, logger)};
  const settings = await resultsCacheFromConfig(text, context);
  await settings?.cache.close();
}

function loadRules(text: string): void {
  const {errors} = parseRuleFile("rules.yml", text);
  if (errors.length > 0) throw new StrataError("bad_data", errors.map(ruleFileErrorText).join("; "));
}
