// `node test/deploy/schemas/generate.mjs NODE_MODULES`: writes kubernetes.json, the fields that Kubernetes and the operators
// around it know, out of the type declarations of the packages kubernetes-models, @kubernetes-models/prometheus-operator and
// @kubernetes-models/cert-manager installed there. Run by hand for a new version: 33 MB are too much for every set-up.
import {existsSync, readFileSync, writeFileSync} from "node:fs";
import {dirname, join} from "node:path";

const [modules] = process.argv.slice(2);
if (modules === undefined) throw new Error("usage: node generate.mjs NODE_MODULES");

const CORE = "kubernetes-models";
const OPERATOR = "@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1";
const CERTIFICATES = "@kubernetes-models/cert-manager/cert-manager.io/v1";
const KINDS = [
  ...["v1/Namespace", "v1/ConfigMap", "v1/Secret", "v1/Service", "v1/ServiceAccount"].map((kind) => `${CORE}/${kind}`),
  ...["apps/v1/Deployment", "apps/v1/StatefulSet", "policy/v1/PodDisruptionBudget"].map((kind) => `${CORE}/${kind}`),
  `${CORE}/networking.k8s.io/v1/NetworkPolicy`,
  ...["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"].map(
    (kind) => `${CORE}/rbac.authorization.k8s.io/v1/${kind}`,
  ),
  ...["ServiceMonitor", "PodMonitor", "PrometheusRule", "Prometheus"].map((kind) => `${OPERATOR}/${kind}`),
  ...["Certificate", "Issuer"].map((kind) => `${CERTIFICATES}/${kind}`),
];
/** Fields that nobody writes, or under which the tree of a Prometheus holds all of a pod once more. */
const LEFT_OUT = new Set([
  "status",
  "managedFields",
  "ephemeral",
  "containers@PrometheusSpec",
  "initContainers@PrometheusSpec",
]);

/** Reads the part of TypeScript's types that those packages use. */
class TypeReader {
  #tokens;
  #at = 0;
  #refer;
  #base;

  constructor(source, refer, base) {
    this.#tokens = source.match(/"[^"]*"|[\w$]+|\S/g);
    this.#refer = refer;
    this.#base = base;
  }

  type() {
    const all = [this.#single()];
    while (this.#take("|")) all.push(this.#single());
    if (all.length === 1) return all[0];
    if (all.every((one) => one.enum)) return {enum: all.flatMap((one) => one.enum)};
    return {union: all};
  }

  #single() {
    const token = this.#tokens[this.#at++];
    if (token === "{") return this.#object();
    if (token.startsWith('"')) return {enum: [JSON.parse(token)]};
    if (token === "Array") {
      this.#want("<");
      const array = this.type();
      this.#want(">");
      return {array};
    }
    if (["string", "number", "boolean"].includes(token)) return {is: token};
    if (["unknown", "any", "null", "undefined"].includes(token)) return {any: true};
    return this.#refer(token);
  }

  #object() {
    if (this.#take("[")) {
      while (!this.#take("]")) this.#at++;
      this.#want(":");
      const map = this.type();
      this.#take(";");
      this.#want("}");
      return {map};
    }
    const object = {};
    while (!this.#take("}")) {
      const name = JSON.parse(this.#tokens[this.#at++]);
      const needed = !this.#take("?");
      this.#want(":");
      const type = this.#typeUnless(name);
      this.#take(";");
      object[name] = needed ? {type, needed} : {type};
    }
    return {object};
  }

  /** A field that is left out may have any content. */
  #typeUnless(name) {
    if (!LEFT_OUT.has(name) && !LEFT_OUT.has(`${name}@${this.#base}`)) return this.type();
    const refer = this.#refer;
    this.#refer = () => ({any: true});
    this.type();
    this.#refer = refer;
    return {any: true};
  }

  #take(token) {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }

  #want(token) {
    if (!this.#take(token)) throw new Error(`want ${token} at ${this.#tokens.slice(this.#at, this.#at + 5).join(" ")}`);
  }
}

const types = {};
const kinds = {};
for (const path of KINDS) {
  const name = typeAt(path);
  const {apiVersion, kind} = types[name].object;
  kinds[`${apiVersion.type.enum[0]} ${kind.type.enum[0]}`] = name;
}
const names = new Map(Object.keys(types).map((path, i) => [path, `t${i}`]));
const text = JSON.stringify({kinds, types}, (key, value) => (key === "ref" ? names.get(value) : value));
const short = JSON.parse(text);
short.kinds = Object.fromEntries(Object.entries(kinds).map(([kind, path]) => [kind, names.get(path)]));
short.types = Object.fromEntries(Object.entries(short.types).map(([path, type]) => [names.get(path), type]));
writeFileSync(new URL("kubernetes.json", import.meta.url), `${JSON.stringify(short)}\n`);

/** Reads the type that the file at `path` declares, and all it refers to. */
function typeAt(path) {
  if (types[path] !== undefined) return path;
  const file = [`${path}.d.ts`, `${path}/index.d.ts`].map((one) => join(modules, one)).find(existsSync);
  const source = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
  const imports = new Map();
  for (const [, list, from] of source.matchAll(/import \{([^}]*)\} from "([^"]+)"/g)) {
    for (const name of list.split(",")) imports.set(name.trim(), from);
  }
  const base = path.slice(path.lastIndexOf("/") + 1);
  const declared =
    new RegExp(`export interface I${base}(?: extends TypeMeta)? (\\{[\\s\\S]*?\\n\\})`).exec(source)?.[1] ??
    // One that extends another says all of it in its class.
    new RegExp(`export declare class ${base} [^{]*(\\{[\\s\\S]*?)    constructor`).exec(source)?.[1]?.concat("}") ??
    new RegExp(`export (?:declare )?type I${base} = ([\\s\\S]*?);\\n`).exec(source)?.[1];
  if (declared === undefined) throw new Error(`no type in ${file}`);
  types[path] = {};
  const refer = (name) => {
    const from = imports.get(name);
    if (from === undefined) return {any: true};
    const target = from.startsWith(".") ? join(dirname(path), from.replace(/\.js$/, "")) : from;
    return {ref: typeAt(target)};
  };
  types[path] = new TypeReader(declared, refer, base).type();
  return path;
}
