import assert from "node:assert/strict";
import {test} from "node:test";
import {type BlockMeta, EMPTY_STATS, EMPTY_THANOS_META} from "@strata/tsdb";
import {metaTemplate} from "./tools-meta-template.ts";

const ULID = "01HZGK0XV8PC76W2DNN1Y2GXFW";
const meta: BlockMeta = {
  ulid: ULID,
  minTime: 1_717_462_800_000,
  maxTime: 1_717_466_400_000,
  stats: {...EMPTY_STATS, numSamples: 1500, numSeries: 3},
  compaction: {level: 2, sources: [ULID], deletable: false, parents: [], failed: false, hints: ["from-out-of-order"]},
  version: 1,
  thanos: {
    ...EMPTY_THANOS_META,
    labels: {cluster: "bkt", replica: "0"},
    resolution: 300_000,
    source: "compactor",
    files: [{relPath: "index", sizeBytes: 4096}],
    uploadTime: "2024-06-04T02:00:00.5Z",
    extensions: {team: "a"},
  },
};

const f = (text: string, want: string): void => assert.equal(metaTemplate(text)(meta), want, text);
const fails = (text: string, message: RegExp): void =>
  assert.throws(() => metaTemplate(text)(meta), {code: "bad_data", message}, text);

test("fields print as Go prints them", () => {
  f("{{.ULID}} {{.BlockMeta.ULID.Time}}", `${ULID} 1717470001000`);
  f("{{.Thanos.Labels}} {{.MinTime}} {{.Stats.NumSeries}}", "map[cluster:bkt replica:0] 1717462800000 3");
  f("{{.Thanos.Labels.cluster}} {{.Thanos.Labels.zone}}", "bkt <no value>");
  f("{{.Compaction}}", `{2 [${ULID}] false [] false [from-out-of-order]}`);
  f("{{.Thanos.Files}} {{.Thanos.Extensions}}", "[{index 4096 <no value>}] map[team:a]");
  f("{{.Thanos.UploadTime}} {{.Thanos.UploadTime.Unix}}", "2024-06-04 02:00:00.5 +0000 UTC 1717466400");
  f("{{.}}", `${ULID} (min time: 1717462800000, max time: 1717466400000)`);
});

test("conditions, loops and functions of Go are known", () => {
  f('{{if and (gt .Compaction.Level 1) (eq .Thanos.Source "compactor")}}merged{{else}}fresh{{end}}', "merged");
  f("{{if .Thanos.Labels.zone}}zone{{else}}none{{end}}", "none");
  f("{{range .Thanos.Files}}{{.RelPath}}={{.SizeBytes}};{{end}}", "index=4096;");
  f("{{range $k, $v := .Thanos.Labels}}{{$k}}={{$v}},{{end}}", "cluster=bkt,replica=0,");
  f('{{len .Compaction.Sources}} {{index .Thanos.Labels "replica"}} {{printf "%6d" .Stats.NumSamples}}', "1 0   1500");
  f("{{with .Compaction}}{{.FromOutOfOrder}}{{end}} {{- /* gone */ -}} {{.Thanos.ResolutionString}}", "true300000");
  f('{{index .Thanos.Labels "zone"}}|', "|");
});

test("what cannot be used is said with its place", () => {
  fails("{{.Nope}}", /--output: template: :1:2: executing "" at <\.Nope>: can't evaluate field Nope/);
  fails("{{if}}", /--output: template: :1: missing value for if/);
  fails("{{humanize .MinTime}}", /function "humanize" not defined/);
  fails("{{.ULID", /--output: template: :1: unclosed action/);
});
