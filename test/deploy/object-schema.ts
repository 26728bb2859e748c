import {readFileSync} from "node:fs";

/** One type of `schemas/kubernetes.json`; exactly one field is there. */
type Type = {
  readonly any?: true;
  readonly is?: "string" | "number" | "boolean";
  readonly enum?: readonly string[];
  readonly array?: Type;
  readonly map?: Type;
  readonly union?: readonly Type[];
  readonly ref?: string;
  readonly object?: Readonly<Record<string, {readonly type: Type; readonly needed?: true}>>;
};

const {kinds, types} = JSON.parse(readFileSync(new URL("schemas/kubernetes.json", import.meta.url), "utf8")) as {
  kinds: Record<string, string>;
  types: Record<string, Type>;
};

/** What is wrong with a Kubernetes object by the fields that its kind has; empty where nothing is. */
export function objectProblems(object: unknown): string[] {
  const {apiVersion, kind} = object as {apiVersion?: string; kind?: string};
  const name = kinds[`${apiVersion} ${kind}`];
  return name === undefined ? [`no kind ${apiVersion} ${kind}`] : problems(object, {ref: name}, kind ?? "");
}

function problems(value: unknown, type: Type, at: string): string[] {
  if (type.ref !== undefined) return problems(value, types[type.ref] ?? {}, at);
  if (type.any === true || value === null) return value === null ? [`${at} is empty`] : [];
  if (type.is !== undefined) return typeof value === type.is ? [] : [`${at} is no ${type.is}`];
  if (type.enum !== undefined) return type.enum.includes(value as string) ? [] : [`${at} is none of ${type.enum}`];
  if (type.union !== undefined) {
    const all = type.union.map((one) => problems(value, one, at));
    return all.some((one) => one.length === 0) ? [] : (all[0] ?? []);
  }
  if (type.array !== undefined) {
    if (!Array.isArray(value)) return [`${at} is no list`];
    return value.flatMap((item, i) => problems(item, type.array as Type, `${at}[${i}]`));
  }
  if (typeof value !== "object" || Array.isArray(value)) return [`${at} is no object`];
  const fields = Object.entries(value as object);
  if (type.map !== undefined) return fields.flatMap(([key, item]) => problems(item, type.map as Type, `${at}.${key}`));
  const known = type.object ?? {};
  // Kinds of objects within others are not said; that of the outermost has been found.
  const missing = Object.keys(known).filter(
    (key) => known[key]?.needed === true && !(key in (value as object)) && key !== "apiVersion" && key !== "kind",
  );
  return [
    ...missing.map((key) => `${at}.${key} is missing`),
    ...fields.flatMap(([key, item]) => {
      const field = Object.hasOwn(known, key) ? known[key] : undefined;
      return field === undefined ? [`${at}.${key} is not known`] : problems(item, field.type, `${at}.${key}`);
    }),
  ];
}
