import {Labels, METRIC_NAME} from "@strata/model";
import type {Aggregate} from "@strata/promql";
import type {Evaluation} from "./evaluation.ts";
import {labelsKey} from "./metric-name.ts";

/**
 * Numbers the groups of an aggregation in the order they are first seen. `dropName` marks a group of which some member
 * has its metric name yet to lose (delayed name removal).
 */
export class Groups {
  readonly labels: Labels[] = [];
  readonly dropName: boolean[] = [];
  readonly #index = new Map<string, number>();
  readonly #grouping: readonly string[];
  readonly #without: boolean;
  readonly #ev: Evaluation;

  constructor(ev: Evaluation, aggregate: Pick<Aggregate, "grouping" | "without">) {
    this.#ev = ev;
    this.#without = aggregate.without;
    this.#grouping = aggregate.without ? [...aggregate.grouping, METRIC_NAME] : aggregate.grouping;
  }

  /** The number of the group that a series belongs to. */
  of(labels: Labels, drop: boolean): number {
    const key = this.#without ? labelsKey(this.groupLabels(labels)) : valuesKey(labels, this.#grouping);
    let at = this.#index.get(key);
    if (at === undefined) {
      this.#ev.budget.take(2 * key.length + 128, "aggregation groups");
      at = this.labels.push(this.groupLabels(labels)) - 1;
      this.dropName.push(false);
      this.#index.set(key, at);
    }
    if (drop) this.dropName[at] = true;
    return at;
  }

  groupLabels(labels: Labels): Labels {
    if (this.#without) return labels.without(this.#grouping);
    return this.#grouping.length === 0 ? Labels.EMPTY : labels.only(this.#grouping);
  }
}

/**
 * The values of some labels, by which their groups differ. PERF: of a single label it is its value, a text that many
 * series share and whose hash V8 keeps. A value may hold any character, so those of several are told apart by length.
 */
function valuesKey(labels: Labels, names: readonly string[]): string {
  if (names.length === 1) return labels.get(names[0] as string);
  let key = "";
  for (const name of names) {
    const value = labels.get(name);
    key += `${value.length}:${value}`;
  }
  return key;
}
