// Writes src/generated from proto/*.proto: one module per protobuf package (types, encoders, decoders, services), and
// descriptors.ts with the file descriptors that gRPC reflection serves.
// `node src/generator.ts` writes; a test calls `generate` and compares.
import {readdirSync, writeFileSync} from "node:fs";
import protobuf from "protobufjs";
import descriptor from "protobufjs/ext/descriptor.js";

const PROTO_DIR = new URL("../proto/", import.meta.url);
const OUT_DIR = new URL("./generated/", import.meta.url);

/** Module name of each protobuf package. */
const MODULES: Record<string, string> = {
  "google.protobuf": "google",
  prometheus: "prometheus",
  "io.prometheus.write.v2": "write-v2",
  thanos: "thanos",
  "thanos.info": "info",
  hintspb: "hints",
  "grpc.health.v1": "health",
  "grpc.reflection.v1": "reflection-v1",
  "grpc.reflection.v1alpha": "reflection-v1alpha",
};

type Pkg = {name: string; messages: protobuf.Type[]; enums: protobuf.Enum[]; services: protobuf.Service[]};

/** File name → content. */
export function generate(): Map<string, string> {
  const root = load();
  const packages = collect(root);
  const out = new Map<string, string>();
  for (const pkg of packages) out.set(`${MODULES[pkg.name]}.ts`, moduleSource(pkg));
  out.set("descriptors.ts", descriptorsSource(root, packages));
  return out;
}

function load(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => new URL(target, PROTO_DIR).pathname;
  root.loadSync(readdirSync(PROTO_DIR).sort(), {keepCase: true, alternateCommentMode: true});
  root.resolveAll();
  return root;
}

function collect(root: protobuf.Root): Pkg[] {
  return Object.keys(MODULES).map((name) => {
    const ns = root.lookup(name) as protobuf.Namespace;
    const nested = ns.nestedArray;
    return {
      name,
      messages: nested.filter((n) => n instanceof protobuf.Type),
      enums: nested.filter((n) => n instanceof protobuf.Enum),
      services: nested.filter((n) => n instanceof protobuf.Service),
    };
  });
}

const packageOf = (object: protobuf.ReflectionObject): string => object.parent?.fullName.slice(1) ?? "";

function moduleSource(pkg: Pkg): string {
  const body: string[] = [];
  const foreign = new Set<string>();
  const ctx: Ctx = {
    name(type, prefix) {
      const home = packageOf(type);
      if (home === pkg.name) return prefix + type.name;
      foreign.add(home);
      return `${alias(home)}.${prefix}${type.name}`;
    },
  };
  for (const e of pkg.enums) body.push(enumSource(e));
  for (const m of pkg.messages) body.push(messageSource(m, ctx));
  for (const s of pkg.services) body.push(serviceSource(s, ctx, pkg.name));
  const imports = [
    `import {type Codec, codec, type Init${pkg.services.length > 0 ? ", type MethodDef" : ""}} from "../codec.ts";`,
    `import type {WireReader} from "../wire-reader.ts";`,
    `import type {WireWriter} from "../wire-writer.ts";`,
    ...[...foreign].sort().map((p) => `import * as ${alias(p)} from "./${MODULES[p]}.ts";`),
  ];
  return [HEADER, imports.join("\n"), "", ...body].join("\n");
}

const HEADER = "// Written by src/generator.ts from proto/*.proto. Do not edit.";
const alias = (pkg: string): string =>
  `${(MODULES[pkg] as string).replaceAll(/-(.)/g, (_, c: string) => c.toUpperCase())}Pb`;

type Ctx = {name(type: protobuf.ReflectionObject, prefix: string): string};

const docOf = (o: protobuf.ReflectionObject, indent: string): string =>
  o.comment ? `${indent}/** ${o.comment.replaceAll("\n", " ")} */\n` : "";

function enumSource(e: protobuf.Enum): string {
  const members = Object.entries(e.values).map(([k, v]) => `  ${k}: ${v},`);
  // Unknown numbers pass through, so the type is number and not the union.
  return `${docOf(e, "")}export const ${e.name} = {\n${members.join("\n")}\n} as const;\n`;
}

const SCALARS: Record<string, {ts: string; io: string; wire: number; zero: string}> = {
  double: {ts: "number", io: "double", wire: 1, zero: "0"},
  int32: {ts: "number", io: "int32", wire: 0, zero: "0"},
  uint32: {ts: "number", io: "uint32", wire: 0, zero: "0"},
  sint32: {ts: "number", io: "sint32", wire: 0, zero: "0"},
  int64: {ts: "number", io: "int64", wire: 0, zero: "0"},
  uint64: {ts: "number", io: "uint64", wire: 0, zero: "0"},
  sint64: {ts: "number", io: "sint64", wire: 0, zero: "0"},
  exact: {ts: "bigint", io: "uint64Exact", wire: 0, zero: "0n"},
  bool: {ts: "boolean", io: "bool", wire: 0, zero: "false"},
  string: {ts: "string", io: "string", wire: 2, zero: '""'},
  bytes: {ts: "Uint8Array", io: "bytes", wire: 2, zero: "EMPTY_BYTES"},
};

function scalar(f: protobuf.Field, type = f.type): (typeof SCALARS)[string] | undefined {
  if (f.resolvedType instanceof protobuf.Enum) return SCALARS.int32;
  if (type === "uint64" && f.getOption("jstype") === "JS_NORMAL") return SCALARS.exact;
  return SCALARS[type];
}

const prop = (f: protobuf.Field): string =>
  (f.name.charAt(0).toLowerCase() + f.name.slice(1)).replaceAll(/_(.)/g, (_, c: string) => c.toUpperCase());

function messageSource(m: protobuf.Type, ctx: Ctx): string {
  const fields = [...m.fieldsArray].sort((a, b) => a.id - b.id);
  const ts = fields.map((f) => `${docOf(f, "  ")}  ${prop(f)}: ${tsType(f, ctx)};`);
  const unused = fields.length === 0 ? "_" : "";
  return `${docOf(m, "")}export type ${m.name} = {
${ts.join("\n")}
};

export function write${m.name}(${unused}m: Init<${m.name}>, ${unused}w: WireWriter): void {
${fields.map((f) => writeField(f, ctx)).join("\n")}
}

export function read${m.name}(r: WireReader): ${m.name} {
  const m: ${m.name} = {
${fields.map((f) => `    ${prop(f)}: ${initial(f)},`).join("\n")}
  };
  while (r.pos < r.end) {
    const tag = r.uint32();
    switch (tag) {
${fields.map((f) => readField(f, ctx)).join("\n")}
      default:
        r.skip(tag);
    }
  }
  return m;
}

export const ${m.name}: Codec<${m.name}> = codec("${m.fullName.slice(1)}", write${m.name}, read${m.name});
`;
}

function elementType(f: protobuf.Field, ctx: Ctx): string {
  if (f.resolvedType instanceof protobuf.Type) return ctx.name(f.resolvedType, "");
  return scalar(f)!.ts;
}

function tsType(f: protobuf.Field, ctx: Ctx): string {
  if (f instanceof protobuf.MapField) return `Map<string, ${elementType(f, ctx)}>`;
  if (f.repeated) return `${elementType(f, ctx)}[]`;
  if (f.resolvedType instanceof protobuf.Type || f.partOf) return `${elementType(f, ctx)} | undefined`;
  return elementType(f, ctx);
}

function initial(f: protobuf.Field): string {
  if (f instanceof protobuf.MapField) return "new Map()";
  if (f.repeated) return "[]";
  if (f.resolvedType instanceof protobuf.Type || f.partOf) return "undefined";
  const zero = scalar(f)!.zero;
  return zero === "EMPTY_BYTES" ? "new Uint8Array(0)" : zero;
}

const tagOf = (f: protobuf.Field, wire: number): number => (f.id << 3) | wire;

function writeField(f: protobuf.Field, ctx: Ctx): string {
  const p = `m.${prop(f)}`;
  const sub = f.resolvedType instanceof protobuf.Type ? f.resolvedType : undefined;
  if (f instanceof protobuf.MapField) {
    return `  if (${p} !== undefined) for (const [key, value] of ${p}) {
    w.uint32(${tagOf(f, 2)});
    const entry = w.open();
    w.uint32(10);
    w.string(key);
    w.uint32(18);
    const mark = w.open();
    ${ctx.name(sub!, "write")}(value, w);
    w.close(mark);
    w.close(entry);
  }`;
  }
  if (sub !== undefined) {
    const one = (value: string) =>
      `w.uint32(${tagOf(f, 2)});\n    const mark = w.open();\n    ${ctx.name(sub, "write")}(${value}, w);\n    w.close(mark);`;
    if (f.repeated) return `  if (${p} !== undefined) for (const x of ${p}) {\n    ${one("x")}\n  }`;
    return `  if (${p} !== undefined) {\n    ${one(p)}\n  }`;
  }
  const s = scalar(f)!;
  if (f.repeated) {
    if (s.wire === 2) {
      return `  if (${p} !== undefined) for (const x of ${p}) {\n    w.uint32(${tagOf(f, 2)});\n    w.${s.io}(x);\n  }`;
    }
    return `  if (${p} !== undefined && ${p}.length > 0) {
    w.uint32(${tagOf(f, 2)});
    const mark = w.open();
    for (const x of ${p}) w.${s.io}(x);
    w.close(mark);
  }`;
  }
  const put = `{\n    w.uint32(${tagOf(f, s.wire)});\n    w.${s.io}(${p});\n  }`;
  if (f.partOf) return `  if (${p} !== undefined) ${put}`;
  if (s.ts === "Uint8Array") return `  if (${p} !== undefined && ${p}.length > 0) ${put}`;
  if (s.io === "double") return `  if (${p} !== undefined && !Object.is(${p}, 0)) ${put}`;
  return `  if (${p}) ${put}`;
}

function readField(f: protobuf.Field, ctx: Ctx): string {
  const p = `m.${prop(f)}`;
  const sub = f.resolvedType instanceof protobuf.Type ? f.resolvedType : undefined;
  const others = (f.partOf?.fieldsArray ?? []).filter((o) => o !== f).map((o) => `m.${prop(o)} = undefined; `);
  if (f instanceof protobuf.MapField) {
    return `      case ${tagOf(f, 2)}: {
        const outer = r.enter();
        let key = "";
        let value: ${ctx.name(sub!, "")} | undefined;
        while (r.pos < r.end) {
          const inner = r.uint32();
          if (inner === 10) key = r.string();
          else if (inner === 18) {
            const end = r.enter();
            value = ${ctx.name(sub!, "read")}(r);
            r.leave(end);
          } else r.skip(inner);
        }
        r.leave(outer);
        ${p}.set(key, value ?? ${ctx.name(sub!, "")}.decode(new Uint8Array(0)));
        break;
      }`;
  }
  if (sub !== undefined) {
    const read = `${ctx.name(sub, "read")}(r)`;
    const store = f.repeated ? `${p}.push(${read});` : `${others.join("")}${p} = ${read};`;
    return `      case ${tagOf(f, 2)}: {\n        const outer = r.enter();\n        ${store}\n        r.leave(outer);\n        break;\n      }`;
  }
  const s = scalar(f)!;
  const io = s.io === "bytes" ? "view" : s.io;
  if (!f.repeated)
    return `      case ${tagOf(f, s.wire)}:\n        ${others.join("")}${p} = r.${io}();\n        break;`;
  const single = `      case ${tagOf(f, s.wire)}:\n        ${p}.push(r.${io}());\n        break;`;
  if (s.wire === 2) return single;
  return `${single}
      case ${tagOf(f, 2)}: {
        const outer = r.enter();
        while (r.pos < r.end) ${p}.push(r.${io}());
        r.leave(outer);
        break;
      }`;
}

function serviceSource(s: protobuf.Service, ctx: Ctx, pkg: string): string {
  const methods = s.methodsArray.map((m) => {
    const req = ctx.name(m.resolvedRequestType!, "");
    const res = ctx.name(m.resolvedResponseType!, "");
    return `  ${m.name}: {
    path: "/${pkg}.${s.name}/${m.name}",
    requestStream: ${m.requestStream === true},
    responseStream: ${m.responseStream === true},
    request: ${req},
    response: ${res},
  } satisfies MethodDef<${req}, ${res}>,`;
  });
  return `export const ${s.name}Service = {\n${methods.join("\n")}\n};\n`;
}

function descriptorsSource(root: protobuf.Root, packages: Pkg[]): string {
  type Proto = {name: string; package: string; dependency: string[]};
  const set = (root as unknown as {toDescriptor(edition: string): {file: Proto[]}}).toDescriptor("proto3");
  const fileOf = (pkg: string): string => `${pkg.replaceAll(".", "/")}.proto`;
  const entries = packages.map((pkg) => {
    const file = set.file.find((f) => f.package === pkg.name)!;
    const used = new Set<string>();
    for (const m of pkg.messages)
      for (const f of m.fieldsArray) if (f.resolvedType) used.add(packageOf(f.resolvedType));
    used.delete(pkg.name);
    file.name = fileOf(pkg.name);
    file.dependency = [...used].sort().map(fileOf);
    const bytes = (descriptor as unknown as {FileDescriptorProto: protobuf.Type}).FileDescriptorProto.encode(
      file as never,
    ).finish();
    const symbols = [...pkg.messages, ...pkg.enums, ...pkg.services].map((o) => o.fullName.slice(1));
    for (const s of pkg.services) for (const m of s.methodsArray) symbols.push(m.fullName.slice(1));
    return `  {
    name: ${JSON.stringify(file.name)},
    dependencies: ${JSON.stringify(file.dependency)},
    symbols: ${JSON.stringify(symbols)},
    base64:
      "${Buffer.from(bytes).toString("base64")}",
  },`;
  });
  return `${HEADER}

/** One protobuf file as reflection serves it: a serialized FileDescriptorProto and the names it defines. */
export type FileDescriptor = {
  readonly name: string;
  readonly dependencies: readonly string[];
  readonly symbols: readonly string[];
  readonly base64: string;
};

export const FILE_DESCRIPTORS: readonly FileDescriptor[] = [
${entries.join("\n")}
];
`;
}

if (import.meta.main) {
  for (const [name, source] of generate()) writeFileSync(new URL(name, OUT_DIR), source);
}
