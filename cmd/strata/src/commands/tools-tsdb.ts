import type {Command} from "./tree.ts";

const createCommands: readonly Command[] = [
  {
    name: "openmetrics",
    help: "Make blocks of OpenMetrics text with timestamps",
    examples: [["tools tsdb create-blocks-from openmetrics samples.om ./data", "blocks of two hours below ./data"]],
    load: async () => (await import("./tools-tsdb-create.ts")).fromOpenMetrics,
  },
  {
    name: "rules",
    help: "Make blocks of what recording rules would have recorded",
    examples: [
      [
        "tools tsdb create-blocks-from rules --start=2024-06-01T00:00:00Z --url=http://localhost:9090 rules.yml",
        "evaluated by the Prometheus there",
      ],
    ],
    load: async () => (await import("./tools-tsdb-rules.ts")).fromRules,
  },
];

const benchCommands: readonly Command[] = [
  {
    name: "write",
    help: "Measure appending, writing blocks and reading them on this machine",
    examples: [["tools tsdb bench write --metrics=10000 --scrapes=1000", "ten million samples, below ./benchout"]],
    load: async () => (await import("./tools-tsdb-bench.ts")).benchWriteCommand,
  },
];

/** The commands of `tools tsdb`; their code is loaded when one is named. */
export const tsdbCommands: readonly Command[] = [
  {
    name: "list",
    help: "List the blocks of a data directory",
    examples: [["tools tsdb list -r ./data", "with times and sizes for people"]],
    load: async () => (await import("./tools-tsdb-list.ts")).list,
  },
  {
    name: "analyze",
    help: "Show churn, cardinality and fill of a block",
    examples: [["tools tsdb analyze --extended ./data", "the newest block, chunks too"]],
    load: async () => (await import("./tools-tsdb-list.ts")).analyze,
  },
  {
    name: "dump",
    help: "Print the samples of a data directory",
    examples: [
      ["tools tsdb dump --match='up' ./data", "all samples of one metric"],
      ["tools tsdb dump --format=golden ./data/01HQ…", "one block with its chunks, as JSON"],
    ],
    load: async () => (await import("./tools-tsdb-dump.ts")).dump,
  },
  {
    name: "dump-openmetrics",
    help: "Print the samples of a data directory as OpenMetrics",
    examples: [["tools tsdb dump-openmetrics ./data > samples.om", "input for create-blocks-from openmetrics"]],
    load: async () => (await import("./tools-tsdb-dump.ts")).dumpOpenMetrics,
  },
  {
    name: "dump-wal",
    help: "Open a data directory and print what is in it",
    examples: [["tools tsdb dump-wal --head ./data", "the head's series with their chunks, as JSON"]],
    load: async () => (await import("./tools-tsdb-dump.ts")).dumpWal,
  },
  {name: "create-blocks-from", help: "Make blocks of samples from elsewhere", commands: createCommands},
  {name: "bench", help: "Measure this machine", commands: benchCommands},
];
