import type {ReactNode} from "react";
import {counted, formatAgo, formatCount, formatDuration, formatTime} from "../format.ts";
import {Badge} from "../parts/badge.tsx";
import {type Column, DataTable} from "../parts/data-table.tsx";
import {Facts} from "../parts/facts.tsx";
import {MetricText} from "../parts/metric-text.tsx";
import {Pages} from "../parts/pages.tsx";
import {resolutionName} from "./block.ts";
import type {Compaction, Deletion, Downsampling, Group, Mark, Plan} from "./plan.ts";

type Props = {
  readonly plan: Plan;
  readonly at: number;
  /** Opens the block of that name. */
  readonly onOpen: (ulid: string) => void;
};

/** What the compactor is going to do, group by group, and why; what is marked, and what goes. */
export function PlanView({plan, at, onOpen}: Props): ReactNode {
  if (plan.settings === null) return <p className="empty">The compactor has not looked at the bucket yet.</p>;
  const busy = plan.groups.filter(
    ({compactions, downsamplings, waiting}) => compactions.length + downsamplings.length > 0 || waiting !== null,
  );
  return (
    <>
      <Settings settings={plan.settings} />
      {busy.length === 0 && <p className="hint">There is nothing to merge and nothing to downsample.</p>}
      <Pages items={busy} size={20} render={(group) => <GroupPlan key={group.key} group={group} onOpen={onOpen} />} />
      <Listed
        title="Deletions"
        columns={deletionColumns(at, onOpen)}
        rows={plan.deletions}
        rowKey={({block, reason}) => `${block} ${reason}`}
      />
      <Listed
        title="Marks"
        columns={markColumns(onOpen)}
        rows={plan.marks}
        rowKey={({block, kind}) => `${block} ${kind}`}
      />
    </>
  );
}

/** A table under its title and number of rows; nothing where it has none. */
function Listed<T>(props: {
  title: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string;
}): ReactNode {
  const {title, columns, rows, rowKey} = props;
  if (rows.length === 0) return undefined;
  return (
    <section className="panel" aria-label={title}>
      <h2 className="panel-head">
        {title} <Badge state={String(rows.length)} tone="calm" />
      </h2>
      <DataTable label={title} columns={columns} rows={rows} rowKey={rowKey} />
    </section>
  );
}

function Settings({settings}: {settings: NonNullable<Plan["settings"]>}): ReactNode {
  const {levels, vertical, replicaLabels, downsampling, retention, deleteDelay} = settings;
  const keep = (ms: number): string => (ms === 0 ? "for ever" : formatDuration(ms / 1000));
  const facts: readonly (readonly [string, string])[] = [
    [
      "Merged to",
      levels
        .slice(1)
        .map((ms) => formatDuration(ms / 1000))
        .join(", "),
    ],
    ["Overlaps", vertical ? `merged${replicaLabels.length > 0 ? ` (${replicaLabels.join(", ")})` : ""}` : "set aside"],
    ["Downsampling", downsampling ? "5m, then 1h" : "off"],
    ["Kept raw", keep(retention.raw)],
    ["Kept at 5m", keep(retention.fiveMinutes)],
    ["Kept at 1h", keep(retention.oneHour)],
    ["From mark to deletion", formatDuration(deleteDelay / 1000)],
  ];
  return (
    <section className="panel" aria-label="Settings">
      <Facts facts={facts} />
    </section>
  );
}

type Step = {readonly what: string; readonly tone: "good" | "warn" | "calm"} & Pick<Compaction, "why" | "samples"> & {
    readonly blocks: readonly string[];
    readonly result: string;
  };

function GroupPlan({group, onOpen}: {group: Group; onOpen: (ulid: string) => void}): ReactNode {
  const steps = [
    ...group.compactions.map((step) => stepOf(step, false)),
    ...group.downsamplings.map(downsampleStep),
    ...(group.waiting === null ? [] : [stepOf(group.waiting, true)]),
  ];
  return (
    <section className="panel" aria-label={group.key}>
      <h2 className="panel-head">
        <MetricText metric={group.labels} />
        <Badge state={resolutionName(group.resolution)} tone="calm" />
        <span className="muted">
          {counted(group.blocks, "block", "blocks")}, {formatCount(group.samples)} samples
        </span>
      </h2>
      <DataTable
        label={`Steps of ${group.key}`}
        columns={stepColumns(onOpen)}
        rows={steps}
        rowKey={(step, i) => `${i} ${step.what}`}
      />
    </section>
  );
}

const stepOf = ({action, blocks, minTime, maxTime, level, samples, why}: Compaction, waits: boolean): Step => ({
  what: waits ? "later" : action === "merge" ? "merge" : "set aside",
  tone: waits ? "calm" : action === "merge" ? "good" : "warn",
  blocks,
  samples,
  why,
  result:
    action === "merge"
      ? `${formatTime(minTime / 1000)}, ${formatDuration((maxTime - minTime) / 1000)}, level ${level}`
      : "–",
});

const downsampleStep = ({block, to, samples, why}: Downsampling): Step => ({
  what: "downsample",
  tone: "good",
  blocks: [block],
  samples,
  why,
  result: resolutionName(to),
});

const stepColumns = (onOpen: (ulid: string) => void): readonly Column<Step>[] => [
  {name: "Step", cell: ({what, tone}) => <Badge state={what} tone={tone} />},
  {name: "Why", wrap: true, cell: ({why}) => why},
  {name: "Blocks", cell: ({blocks}) => <BlockLinks blocks={blocks} onOpen={onOpen} />},
  {name: "Becomes", wrap: true, cell: ({result}) => result},
  {name: "Samples", right: true, cell: ({samples}) => formatCount(samples)},
];

const MOST_LINKS = 3;

function BlockLinks({blocks, onOpen}: {blocks: readonly string[]; onOpen: (ulid: string) => void}): ReactNode {
  return (
    <>
      {blocks.slice(0, MOST_LINKS).map((ulid) => (
        <div key={ulid}>
          <BlockLink ulid={ulid} onOpen={onOpen} />
        </div>
      ))}
      {blocks.length > MOST_LINKS && <span className="muted">and {blocks.length - MOST_LINKS} more</span>}
    </>
  );
}

const BlockLink = ({ulid, onOpen}: {ulid: string; onOpen: (ulid: string) => void}): ReactNode => (
  <button type="button" className="link mono" onClick={() => onOpen(ulid)}>
    {ulid}
  </button>
);

const deletionColumns = (at: number, onOpen: (ulid: string) => void): readonly Column<Deletion>[] => [
  {name: "Block", cell: ({block}) => <BlockLink ulid={block} onOpen={onOpen} />},
  {name: "Resolution", cell: ({resolution}) => resolutionName(resolution)},
  {name: "When", cell: (deletion) => when(deletion, at)},
  {name: "Why", wrap: true, cell: ({why}) => why},
  {name: "Stays because", wrap: true, cell: ({held}) => held ?? "–"},
];

const when = ({at: due, held}: Deletion, at: number): ReactNode =>
  held === null ? (
    <span title={formatTime(due / 1000)}>{due <= at ? "next round" : formatAgo((at - due) / 1000)}</span>
  ) : (
    "not now"
  );

const markColumns = (onOpen: (ulid: string) => void): readonly Column<Mark>[] => [
  {name: "Block", cell: ({block}) => <BlockLink ulid={block} onOpen={onOpen} />},
  {name: "Mark", cell: ({kind}) => <Badge state={kind} tone={kind === "deletion" ? "bad" : "warn"} />},
  {name: "Reason", cell: ({reason}) => reason || "–"},
  {name: "Details", wrap: true, cell: ({details}) => details || "–"},
  {name: "Since", cell: ({time}) => formatTime(time / 1000)},
];
