import {StrataError} from "@strata/base";
import {Labels, METRIC_NAME} from "@strata/model";
import type {RuleSamples, RuleVector} from "./rule-io.ts";
import type {RecordingSpec} from "./rule-spec.ts";
import {seriesKey} from "./series-memory.ts";

/** Turns query results into the series that a recording rule stores. */
export class RecordingRule {
  readonly spec: RecordingSpec;
  #input: readonly Labels[] = [];
  #output: readonly Labels[] = [];

  constructor(spec: RecordingSpec) {
    this.spec = spec;
  }

  /** The samples for one result. Throws StrataError where two would be the same series or there are too many. */
  samples(result: RuleVector, t: number, limit: number): RuleSamples {
    const labels = this.#named(result.labels);
    if (limit > 0 && labels.length > limit) {
      throw new StrataError("limit", `exceeded limit of ${limit} with ${labels.length} series`);
    }
    return {t, labels, values: result.values, histograms: result.histograms};
  }

  /** Label sets under the rule's name. A result like the one before gives the same objects again. */
  #named(input: readonly Labels[]): readonly Labels[] {
    const [before, named] = [this.#input, this.#output];
    let same = input.length === before.length;
    const output = input.map((labels, i) => {
      const old = before[i];
      if (old !== undefined && (old === labels || old.equals(labels))) return named[i] as Labels;
      same = false;
      return this.#rename(labels);
    });
    if (same) return named;
    if (new Set(output.map(seriesKey)).size < output.length) {
      throw new StrataError("execution", "vector contains metrics with the same labelset after applying rule labels");
    }
    [this.#input, this.#output] = [input, output];
    return output;
  }

  #rename(labels: Labels): Labels {
    return Labels.fromPairs([...labels, [METRIC_NAME, this.spec.name], ...this.spec.labels]);
  }
}
