import type {Expr} from "@strata/promql";
import {foldConstants} from "./fold-constants.ts";
import type {EngineOptions} from "./options.ts";
import {propagateMatchers} from "./propagate-matchers.ts";

/**
 * The plan rewritten: less to compute and less to read, with the same answer. What else is saved is decided while
 * operators are built: equal expressions (`share.ts`), selectors within others (`merged-selects.ts`), labels that nobody
 * looks at (`needed-labels.ts`).
 */
export function optimise(expr: Expr, options: Pick<EngineOptions, "dedup">): Expr {
  const {enabled, replicaLabels} = options.dedup;
  return propagateMatchers(foldConstants(expr), enabled ? replicaLabels : []);
}
