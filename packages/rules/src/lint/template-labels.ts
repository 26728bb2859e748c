import type {Operand, Pipeline, Statement} from "../template/nodes.ts";
import type {ParsedTemplate} from "../template/parser.ts";

/** The names that a template takes from `$labels` or `.Labels`. */
export function labelsUsed(template: ParsedTemplate): ReadonlySet<string> {
  const used = new Set<string>();
  const operand = (node: Operand): void => {
    if (node.kind === "variable" && node.path[0] === "$labels" && node.path[1] !== undefined) used.add(node.path[1]);
    if (node.kind === "field" && node.path[0] === "Labels" && node.path[1] !== undefined) used.add(node.path[1]);
    if (node.kind === "chain") operand(node.base);
    if (node.kind === "pipeline") pipeline(node.pipeline);
  };
  const pipeline = ({commands}: Pipeline): void => {
    for (const {args} of commands) {
      for (const arg of args) operand(arg);
      const [first, second, third] = args;
      const isLabels = second?.kind === "variable" && second.path.join() === "$labels";
      if (first?.kind === "function" && first.name === "index" && isLabels && third?.kind === "constant") {
        used.add(String(third.value));
      }
    }
  };
  const walk = (statements: readonly Statement[]): void => {
    for (const statement of statements) {
      if ("pipeline" in statement && statement.pipeline !== undefined) pipeline(statement.pipeline);
      if ("body" in statement) {
        // Inside `with` and `range` the dot is another; what is taken from it says nothing.
        walk(statement.body);
        walk(statement.otherwise ?? []);
      }
    }
  };
  walk(template.body);
  return used;
}
