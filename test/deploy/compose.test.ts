import assert from "node:assert/strict";
import {existsSync, readFileSync} from "node:fs";
import {join, posix} from "node:path";
import {test} from "node:test";
import {checkDeployed} from "@strata/strata/testing";
import {parse} from "yaml";
import {deployDir, deployFiles, deployText, mountedTexts} from "./deploy-files.ts";

type Service = {
  readonly image: string;
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: Readonly<Record<string, {readonly aliases?: readonly string[]}>>;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly user?: string;
};
type Compose = {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};

const DIR = join(deployDir, "compose");
const compose = parse(deployText("compose/compose.yaml"), {merge: true}) as Compose;
const services = Object.entries(compose.services);
const strata = services.filter(([, {image}]) => image.startsWith("strata:"));
/** Keys of the Compose Specification that are used here; another one is a slip of the pen until it is looked up. */
const KEYS = [
  ...["build", "cap_drop", "command", "depends_on", "entrypoint", "environment", "image", "mem_limit", "networks"],
  ...["ports", "read_only", "restart", "security_opt", "user", "volumes"],
];

const mounts = ({volumes = []}: Service) =>
  volumes.map((volume) => {
    const [from, to, mode] = volume.split(":") as [string, string, string?];
    return {from, to, mode, isFile: from.startsWith(".")};
  });

/** Names by which services reach one another. */
const names = new Set(
  services.flatMap(([name, {networks = {}}]) => [
    name,
    ...Object.values(networks).flatMap(({aliases = []}) => aliases),
  ]),
);

test("the compose file says nothing that Compose does not know, and names nothing that is not there", () => {
  for (const [name, service] of services) {
    for (const key of Object.keys(service)) assert.ok(KEYS.includes(key), `${name}: ${key}`);
    for (const other of service.depends_on ?? []) assert.ok(other in compose.services, `${name} depends on ${other}`);
    for (const {from, isFile} of mounts(service)) {
      assert.ok(isFile ? existsSync(join(DIR, from)) : from in compose.volumes, `${name} mounts ${from}`);
    }
    for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/, `${name}: ${port}`);
    assert.match(service.image, /^(strata:|[\w.-]+\/[\w./-]+:v?[\w.-]*\d)/, `${name}: a version in ${service.image}`);
  }
  const used = new Set(services.flatMap(([, service]) => mounts(service).map(({from}) => from)));
  for (const volume of Object.keys(compose.volumes)) assert.ok(used.has(volume), `nobody uses volume ${volume}`);
});

test("every component is part of it", async () => {
  const commands = new Set(strata.map(([, {command}]) => command?.[0]));
  assert.deepEqual([...commands].sort(), ["compact", "query", "query-frontend", "receive", "rule", "sidecar", "store"]);
});

for (const [name, service] of strata) {
  test(`${name} starts with flags and files that it knows`, async () => {
    const files = (path: string) =>
      mounts(service).flatMap(({from, to, isFile}) => (isFile ? mountedTexts(join(DIR, from), to, path) : []));
    await checkDeployed(service.command ?? [], files);
  });

  test(`${name} runs without rights, and keeps its data in a volume`, () => {
    assert.equal(service.read_only, true);
    assert.deepEqual(service.cap_drop, ["ALL"]);
    assert.notEqual(service.user, "root");
    const volumes = mounts(service).filter(({isFile}) => !isFile);
    const written = (service.command ?? []).flatMap((word) => /^--(data-dir|tsdb\.path)=(.*)$/.exec(word)?.[2] ?? []);
    for (const path of written) {
      assert.ok(
        volumes.some(({to, mode}) => to === path && mode === undefined),
        `${name}: ${path}`,
      );
    }
  });
}

test("whoever is asked for is there", () => {
  const texts = [
    ...strata.map(([, {command}]) => (command ?? []).join("\n")),
    ...deployFiles("compose/config/**/*.{yml,json}").map(deployText),
  ];
  const hosts = texts.flatMap((text) => [...text.matchAll(/([\w-]+):(9000|9090|9093|1090[12]|19291)\b/g)]);
  assert.ok(hosts.length > 40);
  for (const [address, host] of hosts) {
    assert.ok(host === "localhost" || names.has(host as string), `${address} is nobody's`);
  }
});

test("store gateways share the blocks between them without a gap", () => {
  const shards = deployFiles("compose/config/shard-*.yml").map((file) => {
    const [hash, keep] = parse(deployText(file)) as {modulus?: number; regex?: string}[];
    return {modulus: hash?.modulus, regex: keep?.regex, file: posix.basename(file)};
  });
  const stores = strata.filter(([, {command}]) => command?.[0] === "store");
  assert.equal(shards.length, stores.length);
  assert.deepEqual(
    shards.map(({regex}) => Number(regex)),
    shards.map((_, i) => i),
  );
  for (const {modulus, file} of shards) {
    assert.equal(modulus, shards.length);
    assert.equal(stores.filter(([, {command}]) => command?.some((word) => word.endsWith(`/${file}`))).length, 1);
  }
});

test("the key of the object storage is that of its server", () => {
  const bucket = parse(readFileSync(join(DIR, "config/bucket.yml"), "utf8")) as {config: Record<string, string>};
  const {environment} = compose.services.s3 as unknown as {environment: Record<string, string>};
  assert.equal(bucket.config.access_key, environment.MINIO_ROOT_USER);
  assert.equal(bucket.config.secret_key, environment.MINIO_ROOT_PASSWORD);
});
