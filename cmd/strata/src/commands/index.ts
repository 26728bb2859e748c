import type {FlagTable} from "../flags/spec.ts";
import {promqlCommands, promqlTest} from "./tools-promql.ts";
import {tsdbCommands} from "./tools-tsdb.ts";
import type {Command, CommandModule} from "./tree.ts";

/** A command whose code is loaded only when it runs: help and mistakes in flags answer without it. */
const lazily = (flags: FlagTable, load: () => Promise<CommandModule>): CommandModule => ({
  flags,
  run: async (context) => (await load()).run(context),
});

const tools = () => import("../flags/tools.ts");

const BUCKET = "--objstore.config-file=bucket.yml";

const bucketCommands: readonly Command[] = [
  {
    name: "verify",
    help: "Check blocks in the bucket, and repair what can be repaired",
    examples: [[`tools bucket verify ${BUCKET}`, "look for known problems"]],
    load: async () =>
      lazily((await tools()).bucketVerifyFlags, async () => (await import("./tools-bucket-verify.ts")).bucketVerify),
  },
  {
    name: "ls",
    help: "List blocks in the bucket",
    examples: [[`tools bucket ls ${BUCKET} -o wide`, "list blocks with their times and labels"]],
    load: async () =>
      lazily((await tools()).bucketLsFlags, async () => (await import("./tools-bucket-ls.ts")).bucketLs),
  },
  {
    name: "inspect",
    help: "Show blocks in the bucket as a table",
    examples: [[`tools bucket inspect ${BUCKET} --sort-by=FROM`, "oldest blocks first"]],
    load: async () =>
      lazily((await tools()).bucketInspectFlags, async () => (await import("./tools-bucket-inspect.ts")).bucketInspect),
  },
  {
    name: "web",
    help: "Serve a page that shows the blocks in the bucket",
    examples: [[`tools bucket web ${BUCKET}`, "the page on port 10902"]],
    load: async () =>
      lazily((await tools()).bucketWebFlags, async () => (await import("./tools-bucket-web.ts")).bucketWeb),
  },
  {
    name: "replicate",
    help: "Copy blocks from one bucket to another",
    examples: [[`tools bucket replicate ${BUCKET} --objstore-to.config-file=to.yml --single-run`, "copy once"]],
    load: async () =>
      lazily(
        (await tools()).bucketReplicateFlags,
        async () => (await import("./tools-bucket-replicate.ts")).bucketReplicate,
      ),
  },
  {
    name: "downsample",
    help: "Downsample blocks in the bucket again and again",
    examples: [[`tools bucket downsample ${BUCKET} --data-dir=/tmp/work`, "fill in missing resolutions"]],
    load: async () =>
      lazily(
        (await tools()).bucketDownsampleFlags,
        async () => (await import("./tools-bucket-downsample.ts")).bucketDownsample,
      ),
  },
  {
    name: "cleanup",
    help: "Delete marked blocks and aborted uploads",
    examples: [[`tools bucket cleanup ${BUCKET}`, "delete what was marked two days ago or earlier"]],
    load: async () =>
      lazily((await tools()).bucketCleanupFlags, async () => (await import("./tools-bucket-sweep.ts")).bucketCleanup),
  },
  {
    name: "mark",
    help: "Mark blocks for deletion, or against compaction or downsampling",
    examples: [[`tools bucket mark ${BUCKET} --id=01HQ… --marker=deletion-mark.json --details=old`, "mark one block"]],
    load: async () =>
      lazily((await tools()).bucketMarkFlags, async () => (await import("./tools-bucket-mark.ts")).bucketMark),
  },
  {
    name: "rewrite",
    help: "Write blocks anew without some series, or with other labels",
    examples: [
      [`tools bucket rewrite ${BUCKET} --id=01HQ… --rewrite.to-delete-config-file=del.yml`, "show what would go"],
    ],
    load: async () =>
      lazily((await tools()).bucketRewriteFlags, async () => (await import("./tools-bucket-rewrite.ts")).bucketRewrite),
  },
  {
    name: "retention",
    help: "Mark blocks older than the retention of their resolution",
    examples: [[`tools bucket retention ${BUCKET} --retention.resolution-raw=30d`, "keep raw samples for 30 days"]],
    load: async () =>
      lazily(
        (await tools()).bucketRetentionFlags,
        async () => (await import("./tools-bucket-sweep.ts")).bucketRetention,
      ),
  },
  {
    name: "upload-blocks",
    help: "Upload blocks from a local directory",
    examples: [[`tools bucket upload-blocks ${BUCKET} --path=./data --label='cluster="eu"'`, "upload with a label"]],
    load: async () =>
      lazily(
        (await tools()).bucketUploadBlocksFlags,
        async () => (await import("./tools-bucket-upload.ts")).bucketUploadBlocks,
      ),
  },
];

const toolsCommands: readonly Command[] = [
  {name: "bucket", help: "Look after the blocks in a bucket", commands: bucketCommands},
  {name: "tsdb", help: "Look at and make blocks on this machine", commands: tsdbCommands},
  {name: "promql", help: "Look at PromQL expressions", commands: promqlCommands},
  promqlTest,
  {
    name: "test-rules",
    help: "Run unit tests for rules",
    examples: [
      ["tools test-rules tests/*.yml", "files in the format of promtool test rules"],
      ["tools test-rules --run='^disk' tests.yml", "only test groups with such names"],
    ],
    load: async () => (await import("./tools-test-rules.ts")).testRules,
  },
  {
    name: "rules-check",
    help: "Check rule files",
    examples: [
      ["tools rules-check --rules='rules/*.yml'", "check all rule files of a directory"],
      ["tools rules-check --rules='rules/*.yml' --lint --query=localhost:10902", "also look for likely mistakes"],
      ["tools rules-check --rules='rules/*.yml' --lint --output=github", "annotate a pull request"],
    ],
    load: async () =>
      lazily((await tools()).rulesCheckFlags, async () => (await import("./tools-rules-check.ts")).rulesCheck),
  },
];

/** Every command of the executable, in the order of the help page. */
export const COMMANDS: readonly Command[] = [
  {
    name: "sidecar",
    help: "Stand beside a Prometheus: serve its recent data, upload its blocks",
    examples: [
      [`sidecar --prometheus.url=http://localhost:9090 --tsdb.path=/prometheus ${BUCKET}`, "serve and upload"],
    ],
    load: async () =>
      lazily((await import("../flags/sidecar.ts")).sidecarFlags, async () => (await import("./sidecar.ts")).sidecar),
  },
  {
    name: "store",
    help: "Serve the blocks of a bucket",
    examples: [[`store --data-dir=/var/strata ${BUCKET}`, "a store gateway over one bucket"]],
    load: async () =>
      lazily((await import("../flags/store.ts")).storeFlags, async () => (await import("./store.ts")).store),
  },
  {
    name: "query",
    help: "Answer PromQL over many endpoints, with a web page",
    examples: [
      ["query --endpoint=localhost:10901 --query.replica-label=replica", "one sidecar, replicas merged"],
      ["query --endpoint.sd-config-file=endpoints.yml", "endpoints from a file that is read again when it changes"],
    ],
    load: async () =>
      lazily((await import("../flags/query.ts")).queryFlags, async () => (await import("./query.ts")).query),
  },
  {
    name: "rule",
    help: "Evaluate rules against queriers, send alerts",
    examples: [
      [`rule --query=localhost:10902 --rule-file='rules/*.yml' --label='replica="a"' ${BUCKET}`, "rules and uploads"],
    ],
    load: async () =>
      lazily((await import("../flags/rule.ts")).ruleFlags, async () => (await import("./rule.ts")).rule),
  },
  {
    name: "compact",
    help: "Compact, downsample and expire the blocks of a bucket",
    examples: [
      [`compact --wait --data-dir=/var/strata ${BUCKET} --retention.resolution-raw=90d`, "look after a bucket"],
    ],
    load: async () =>
      lazily((await import("../flags/compact.ts")).compactFlags, async () => {
        (await import("@strata/compact/spare-thread")).startSpareThread();
        return (await import("./compact.ts")).compact;
      }),
  },
  {
    name: "receive",
    help: "Take remote write and OTLP, keep recent data, upload blocks",
    examples: [[`receive --tsdb.path=/var/strata --label='replica="a"' ${BUCKET}`, "one receiver"]],
    load: async () =>
      lazily((await import("../flags/receive.ts")).receiveFlags, async () => (await import("./receive.ts")).receive),
  },
  {
    name: "query-frontend",
    help: "Split, cache and retry queries in front of a querier",
    examples: [["query-frontend --query-frontend.downstream-url=http://localhost:10902", "in front of one querier"]],
    load: async () =>
      lazily(
        (await import("../flags/query-frontend.ts")).queryFrontendFlags,
        async () => (await import("./query-frontend.ts")).queryFrontend,
      ),
  },
  {
    name: "standalone",
    help: "Everything in one process over a local directory",
    examples: [["standalone", "the page on http://127.0.0.1:10902, data in ./data"]],
    load: async () => (await import("./standalone.ts")).standalone,
  },
  {name: "tools", help: "Tools around blocks, buckets and rules", commands: toolsCommands},
];
