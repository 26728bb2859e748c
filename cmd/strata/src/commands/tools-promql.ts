import type {Command} from "./tree.ts";

export const promqlTest: Command = {
  name: "promql-test",
  help: "Run scripts of the PromQL test language",
  examples: [["tools promql-test aggregators.test", "print what does not hold, count what does"]],
  load: async () => (await import("./tools-promql-run.ts")).promqlTest,
};

export const promqlCommands: readonly Command[] = [
  {
    name: "format",
    help: "Print an expression in its canonical form",
    examples: [["tools promql format 'sum(x)by(job)'", "over several lines where it is long"]],
    load: async () => (await import("./tools-promql-run.ts")).format,
  },
  {
    name: "parse",
    help: "Print the syntax tree of an expression as JSON",
    examples: [["tools promql parse 'rate(x[5m])'", "as /api/v1/parse_query gives it"]],
    load: async () => (await import("./tools-promql-run.ts")).parse,
  },
  {
    name: "explain",
    help: "Print how an expression would be evaluated",
    examples: [["tools promql explain 'sum by (job) (rate(x[5m]))'", "the plan, one operator a line"]],
    load: async () => (await import("./tools-promql-run.ts")).explainPlan,
  },
];
