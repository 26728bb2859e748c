import {METRIC_NAME} from "@strata/model";
import {type Aggregate, type Binary, type Call, type Expr, type VectorSelector, valueType} from "@strata/promql";

/**
 * What can be said about the labels of a vector without looking at any data. `only`: no other labels can be there;
 * `gone`: these cannot; `fixed`: these have just this value.
 */
export type LabelFlow = {
  readonly only: ReadonlySet<string> | undefined;
  readonly gone: ReadonlySet<string>;
  readonly fixed: ReadonlyMap<string, string>;
};

const ANYTHING: LabelFlow = {only: undefined, gone: new Set(), fixed: new Map()};
const NOTHING: LabelFlow = {only: new Set(), gone: new Set(), fixed: new Map()};

/** Whether the label can be on a series. */
export const mayHave = (flow: LabelFlow, label: string): boolean =>
  !flow.gone.has(label) && (flow.only === undefined || flow.only.has(label));

/** The labels of what an expression gives. */
export function labelFlow(expr: Expr): LabelFlow {
  switch (expr.kind) {
    case "vector":
      return selectorFlow(expr);
    case "matrix":
      return selectorFlow(expr.selector);
    case "paren":
    case "unary":
    case "subquery":
      return labelFlow(expr.expr);
    case "aggregate":
      return aggregateFlow(expr);
    case "binary":
      return binaryFlow(expr);
    case "call":
      return callFlow(expr);
    case "number":
    case "string":
      return NOTHING;
  }
}

function selectorFlow({matchers}: VectorSelector): LabelFlow {
  const gone = new Set<string>();
  const fixed = new Map<string, string>();
  for (const {name, op, value} of matchers) {
    if (op !== "=") continue;
    if (value === "") gone.add(name);
    else fixed.set(name, value);
  }
  return {only: undefined, gone, fixed};
}

function aggregateFlow({op, expr, grouping, without, param}: Aggregate): LabelFlow {
  const inner = labelFlow(expr);
  // These give series as they are.
  if (op === "topk" || op === "bottomk" || op === "limitk" || op === "limit_ratio") return inner;
  const flow = without ? dropped(inner, [...grouping, METRIC_NAME]) : kept(inner, grouping);
  return op === "count_values" && param?.kind === "string" ? added(flow, param.value) : flow;
}

function binaryFlow({op, lhs, rhs, matching}: Binary): LabelFlow {
  const [left, right] = [labelFlow(lhs), labelFlow(rhs)];
  if (matching === undefined) {
    if (valueType(lhs) === "scalar") return right;
    return left;
  }
  if (op === "and" || op === "unless") return left;
  if (op === "or") return either(left, right);
  const {card, on, labels, include} = matching;
  if (card === "one-to-one") return on ? kept(left, labels) : dropped(left, labels);
  const [many, one] = card === "many-to-one" ? [left, right] : [right, left];
  return include.reduce((flow, label) => (mayHave(one, label) ? added(flow, label) : dropped(flow, [label])), many);
}

function callFlow({func, args}: Call): LabelFlow {
  const {name} = func;
  const text = (i: number): string | undefined => {
    const arg = args[i];
    return arg?.kind === "string" ? arg.value : undefined;
  };
  if (name === "label_replace" || name === "label_join") {
    const target = text(1);
    return target === undefined || args[0] === undefined ? ANYTHING : added(labelFlow(args[0]), target);
  }
  if (name === "absent" || name === "absent_over_time") {
    // The labels that the selector fixes, and no others.
    const flow = args[0] === undefined ? ANYTHING : labelFlow(args[0]);
    const {fixed} = dropped(flow, [METRIC_NAME]);
    return {only: new Set(fixed.keys()), gone: new Set(), fixed};
  }
  if (name === "info") return ANYTHING;
  if (name === "vector" || name === "scalar") return NOTHING;
  const vector = args.find((arg) => valueType(arg) === "vector" || valueType(arg) === "matrix");
  if (vector === undefined) return NOTHING;
  const flow = labelFlow(vector);
  return name === "histogram_quantile" ? dropped(flow, ["le"]) : flow;
}

function kept(flow: LabelFlow, labels: readonly string[]): LabelFlow {
  return {
    only: new Set(labels.filter((label) => mayHave(flow, label))),
    gone: new Set(),
    fixed: new Map([...flow.fixed].filter(([name]) => labels.includes(name))),
  };
}

function dropped(flow: LabelFlow, labels: readonly string[]): LabelFlow {
  return {
    only: flow.only && new Set([...flow.only].filter((label) => !labels.includes(label))),
    gone: new Set([...flow.gone, ...labels]),
    fixed: new Map([...flow.fixed].filter(([name]) => !labels.includes(name))),
  };
}

function added(flow: LabelFlow, label: string): LabelFlow {
  return {
    only: flow.only && new Set([...flow.only, label]),
    gone: new Set([...flow.gone].filter((name) => name !== label)),
    fixed: new Map([...flow.fixed].filter(([name]) => name !== label)),
  };
}

function either(a: LabelFlow, b: LabelFlow): LabelFlow {
  return {
    only: a.only && b.only && new Set([...a.only, ...b.only]),
    gone: new Set([...a.gone].filter((name) => !mayHave(b, name))),
    fixed: new Map([...a.fixed].filter(([name, value]) => b.fixed.get(name) === value)),
  };
}

/** Why two sides of a vector match can never meet; undefined where they may. */
export function neverMatches({lhs, rhs, matching}: Binary): string | undefined {
  if (matching === undefined) return undefined;
  const [left, right] = [labelFlow(lhs), labelFlow(rhs)];
  const {on, labels} = matching;
  const names = on
    ? labels
    : [...new Set([left, right].flatMap(({only, fixed}) => [...(only ?? []), ...fixed.keys()]))].filter(
        (name) => name !== METRIC_NAME && !labels.includes(name),
      );
  for (const name of names) {
    const [a, b] = [left.fixed.get(name), right.fixed.get(name)];
    if (a !== undefined && b !== undefined && a !== b) {
      return `${name} is "${a}" on the left and "${b}" on the right`;
    }
    const [onLeft, onRight] = [mayHave(left, name), mayHave(right, name)];
    const sure = (flow: LabelFlow): boolean => flow.fixed.has(name) || flow.only?.has(name) === true;
    if (onLeft && !onRight && sure(left)) return `only the left side has ${name}`;
    if (!onLeft && onRight && sure(right)) return `only the right side has ${name}`;
  }
  return undefined;
}
