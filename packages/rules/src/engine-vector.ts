import {StrataError} from "@strata/base";
import type {QueryResult} from "@strata/engine";
import {emptyVector} from "./group.ts";
import type {RuleVector} from "./rule-io.ts";

/** The answer to an instant query as rules take it. Throws `execution` for a string or a range vector. */
export function vectorOf(result: QueryResult): RuleVector {
  if (result.type !== "vector" && result.type !== "scalar") {
    throw new StrataError("execution", "rule result is not a vector or scalar");
  }
  if (result.labels.length === 0) return emptyVector;
  // Each series of an instant vector has one point.
  return {labels: result.labels, values: result.values, histograms: result.histograms};
}
