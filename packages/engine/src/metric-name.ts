import {StrataError} from "@strata/base";
import {Labels, METRIC_NAME} from "@strata/model";
import type {VectorSelector} from "@strata/promql";
import type {Evaluation} from "./evaluation.ts";

/** Labels that go when a function changes what the samples mean. */
const RESERVED = new Set([METRIC_NAME, "__type__", "__unit__"]);

export const isReserved = (name: string): boolean => RESERVED.has(name);

/** Without metric name, type and unit. */
export function dropReserved(labels: Labels): Labels {
  const {pairs} = labels;
  let kept: string[] | undefined;
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i] as string;
    if (RESERVED.has(name)) kept ??= pairs.slice(0, i);
    else kept?.push(name, pairs[i + 1] as string);
  }
  return kept === undefined ? labels : new Labels(kept);
}

/** A map key for a label set. The separator is a lone surrogate, which no decoded string can hold. */
export const labelsKey = (labels: Labels): string => labels.pairs.join("\ud800");

export const sameLabelset = (): StrataError =>
  new StrataError("execution", "vector cannot contain metrics with the same labelset");

/** Finds label sets that come twice, without the metric name, in a stream of series. */
export class MixedNames {
  readonly #seen = new Set<string>();
  readonly #ev: Evaluation;

  constructor(ev: Evaluation) {
    this.#ev = ev;
  }

  /** The labels; throws when they came before. */
  checked(labels: Labels): Labels {
    const key = labelsKey(labels);
    if (this.#seen.has(key)) throw sameLabelset();
    this.#ev.budget.take(2 * key.length + 64, "label sets");
    this.#seen.add(key);
    return labels;
  }
}

/**
 * Whether all series of a selector have one metric name. (Two of them could still differ in `__type__` or `__unit__`
 * alone; nothing that Prometheus scrapes does.)
 */
export const hasOneName = (selector: VectorSelector): boolean =>
  selector.matchers.some((m) => m.name === METRIC_NAME && m.op === "=" && m.value !== "");
