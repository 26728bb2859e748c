import {Labels} from "@strata/model";
import {labelName, type Naming} from "./names.ts";
import type {Attribute} from "./otlp-metrics.ts";

/** Attributes that become job and instance. */
export const IDENTIFYING: readonly string[] = ["service.namespace", "service.name", "service.instance.id"];

type Options = {readonly naming: Naming; readonly promote: readonly string[]};

/** What a resource gives to all its series: promoted attributes, job, instance. */
export class ResourceLabels {
  readonly #naming: Naming;
  readonly #promoted: readonly (readonly [string, string])[];
  readonly #identity: readonly (readonly [string, string])[];

  /** Resources with equal keys give the same. */
  readonly key: string;

  /** Throws `bad_data` for a promoted attribute that makes no label. */
  constructor(attributes: readonly Attribute[], {naming, promote}: Options) {
    this.#naming = naming;
    const values = new Map(attributes.map(({key, value}) => [key, value]));
    this.#promoted = [...promote]
      .sort()
      .flatMap((key) => (values.has(key) ? [[labelName(key, naming), values.get(key) as string] as const] : []));
    this.#identity = identityOf(values);
    this.key = JSON.stringify([this.#promoted, this.#identity]);
  }

  /** Whether there is a job or an instance. */
  get isIdentified(): boolean {
    return this.#identity.length > 0;
  }

  /**
   * The labels of a series: its attributes (those that become one name joined by semicolons), the promoted ones where
   * free, job and instance, and `extra`, which wins over all. Empty values are no labels.
   */
  extend(
    attributes: readonly Attribute[],
    extra: readonly (readonly [string, string])[],
    promoted: boolean = true,
  ): Labels {
    const labels = new Map<string, string>();
    const sorted = [...attributes].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    for (const {key, value} of sorted) {
      const name = labelName(key, this.#naming);
      const known = labels.get(name);
      labels.set(name, known === undefined || this.#naming.utf8 ? value : `${known};${value}`);
    }
    if (promoted) for (const [name, value] of this.#promoted) if (!labels.has(name)) labels.set(name, value);
    for (const [name, value] of this.#identity) labels.set(name, value);
    for (const [name, value] of extra) labels.set(name, value);
    return Labels.fromPairs(labels);
  }
}

function identityOf(values: ReadonlyMap<string, string>): [string, string][] {
  const identity: [string, string][] = [];
  const name = values.get("service.name");
  if (name !== undefined) {
    const namespace = values.get("service.namespace");
    identity.push(["job", namespace === undefined ? name : `${namespace}/${name}`]);
  }
  const instance = values.get("service.instance.id");
  if (instance !== undefined) identity.push(["instance", instance]);
  return identity;
}
