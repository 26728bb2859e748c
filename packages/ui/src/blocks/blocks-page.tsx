import {type ReactNode, useState} from "react";
import {counted, formatAgo, formatBytes, formatCount} from "../format.ts";
import {Empty, Loaded} from "../parts/loaded.tsx";
import {MetricText} from "../parts/metric-text.tsx";
import {PageHead, StateChecks, toggled} from "../parts/page-head.tsx";
import {Pages} from "../parts/pages.tsx";
import type {Offer} from "../parts/use-offer.ts";
import {matchesFilter, useParam} from "../parts/use-param.ts";
import {type Block, type Blocks, blockText, labelsOf, resolutionName, resolutionOf, totals} from "./block.ts";
import {BlockDialog} from "./block-dialog.tsx";
import type {Plan} from "./plan.ts";
import {PlanView} from "./plan-view.tsx";
import {type Range, Timeline} from "./timeline.tsx";
import {useBlocks, useRenewed, type View} from "./use-blocks.ts";

const RESOLUTIONS = ["raw", "5m", "1h"] as const;
type Resolution = (typeof RESOLUTIONS)[number];

/** A component needs a look at the bucket before it tells of a mark: seconds where that is large. */
const LOOKS_AFTER_MARK_MS = [300, 1000, 3000, 8000, 20_000];

const DAY_MS = 86_400_000;
const SPANS: readonly (readonly [string, number])[] = [
  ["all", 0],
  ["1 year", 365 * DAY_MS],
  ["90 days", 90 * DAY_MS],
  ["30 days", 30 * DAY_MS],
  ["7 days", 7 * DAY_MS],
  ["1 day", DAY_MS],
];

/** The blocks of the bucket along time, what will become of them and why, and their marks. */
export function BlocksPage({offer}: {offer: Offer | undefined}): ReactNode {
  // A gateway knows what it serves, everything else the bucket.
  const preferred: View = offer?.component === "store" ? "loaded" : "global";
  const [asked, setAsked] = useParam("view");
  const view = asked === "loaded" || asked === "global" ? asked : preferred;
  const [tab, setTab] = useParam("tab");
  const [filter, setFilter] = useParam("filter");
  const [hidden, setHidden] = useState<ReadonlySet<Resolution>>(new Set());
  const [open, setOpen] = useState<Block>();
  const {blocks, plan} = useBlocks(view, offer);
  const all = blocks.answer?.data.blocks ?? [];
  useRenewed(open, all, setOpen);
  const hasPlan = offer?.has("/blocks/plan") === true;
  const shown = all.filter(
    (block) =>
      !hidden.has(resolutionName(resolutionOf(block)) as Resolution) && matchesFilter(blockText(block), filter),
  );
  const renewSoon = (): void => {
    for (const ms of LOOKS_AFTER_MARK_MS) {
      setTimeout(() => {
        blocks.refresh();
        plan.refresh();
      }, ms);
    }
  };
  const byName = (ulid: string): void => setOpen(all.find((block) => block.ulid === ulid));
  return (
    <div className="blocks">
      <PageHead
        title="Blocks"
        about={blocks.answer && about(blocks.answer.data, blocks.at)}
        filter={filter}
        onFilter={setFilter}
        placeholder="Id, label, source or level:2"
      >
        {hasPlan && (
          <Choice
            label="Show"
            value={tab || "timeline"}
            options={TABS}
            onChange={(next) => setTab(next === "plan" ? next : "")}
          />
        )}
        <Choice label="Blocks" value={view} options={VIEWS} onChange={setAsked} />
        <StateChecks
          label="Resolutions"
          states={RESOLUTIONS}
          hidden={hidden}
          count={(name) => all.filter((block) => resolutionName(resolutionOf(block)) === name).length}
          onToggle={(name) => setHidden(toggled(hidden, name))}
        />
      </PageHead>
      {hasPlan && tab === "plan" ? (
        <Loaded polled={plan} what="what comes next">
          {(data, at) => <PlanView plan={data} at={at} onOpen={byName} />}
        </Loaded>
      ) : (
        <Loaded polled={blocks} what="the blocks">
          {(data) => <Sources data={data} shown={shown} plan={plan.answer?.data} onOpen={setOpen} />}
        </Loaded>
      )}
      {open !== undefined && (
        <BlockDialog
          block={open}
          plan={hasPlan ? plan.answer?.data : undefined}
          mayMark={offer?.has("/blocks/unmark") === true}
          onChange={renewSoon}
          onClose={() => setOpen(undefined)}
        />
      )}
    </div>
  );
}

const TABS: readonly (readonly [string, string])[] = [
  ["timeline", "Timeline"],
  ["plan", "What comes next"],
];
const VIEWS: readonly (readonly [string, string])[] = [
  ["global", "In the bucket"],
  ["loaded", "Loaded here"],
];

function Choice(props: {
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
}): ReactNode {
  return (
    <select aria-label={props.label} value={props.value} onChange={(event) => props.onChange(event.target.value)}>
      {props.options.map(([value, text]) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </select>
  );
}

function about({blocks, refreshedAt}: Blocks, at: number): string {
  const looked = Date.parse(refreshedAt);
  const age = looked > 0 ? `looked at ${formatAgo((at - looked) / 1000)}` : "not looked at yet";
  const {samples, bytes} = totals(blocks);
  const size = bytes > 0 ? `, ${formatBytes(bytes)}` : "";
  return `${counted(blocks.length, "block", "blocks")}, ${formatCount(samples)} samples${size}, ${age}`;
}

type SourcesProps = {
  readonly data: Blocks;
  readonly shown: readonly Block[];
  readonly plan: Plan | undefined;
  readonly onOpen: (block: Block) => void;
};

/** Timelines of all sources over one range of time. */
function Sources({data, shown, plan, onOpen}: SourcesProps): ReactNode {
  const [zoom, setZoom] = useState<Range>();
  if (data.blocks.length === 0) {
    return (
      <>
        <Fault text={data.err} />
        <Empty>There are no blocks here.</Empty>
      </>
    );
  }
  if (shown.length === 0) return <Empty>No block matches the filter.</Empty>;
  const whole = wholeRange(shown);
  const range = zoom ?? whole;
  const sources = [...Map.groupBy(shown, (block) => sourceKey(block, data.label))].sort(([a], [b]) => (a < b ? -1 : 1));
  return (
    <>
      <Fault text={data.err} />
      <fieldset className="spans">
        <legend className="sr-only">Range of time</legend>
        {SPANS.map(([name, span]) => (
          <button
            type="button"
            key={name}
            className="small"
            aria-pressed={span === 0 ? zoom === undefined : zoom?.to === whole.to && zoom.from === whole.to - span}
            onClick={() => setZoom(span === 0 ? undefined : {from: whole.to - span, to: whole.to})}
          >
            {name}
          </button>
        ))}
        <Legend />
      </fieldset>
      <Pages
        items={sources}
        size={25}
        render={([key, blocks]) => (
          <section className="panel" key={key} aria-label={key || "blocks without labels"}>
            <h2 className="panel-head">
              <SourceName blocks={blocks} label={data.label} />
              <span className="muted">{counted(blocks.length, "block", "blocks")}</span>
            </h2>
            <Timeline blocks={blocks} range={range} plan={plan} onOpen={onOpen} onZoom={setZoom} />
          </section>
        )}
      />
    </>
  );
}

function Fault({text}: {text: string | null}): ReactNode {
  if (text === null || text === "") return undefined;
  return (
    <div className="message error" role="alert">
      <strong>The last look at the bucket went wrong</strong>
      <p>{text}</p>
    </div>
  );
}

const wholeRange = (blocks: readonly Block[]): Range => ({
  from: blocks.reduce((t, {minTime}) => Math.min(t, minTime), Number.POSITIVE_INFINITY),
  to: blocks.reduce((t, {maxTime}) => Math.max(t, maxTime), Number.NEGATIVE_INFINITY),
});

/** The value of the label by which blocks are grouped, or all labels where there is none. */
function sourceKey(block: Block, label: string): string {
  const labels = labelsOf(block);
  if (label !== "") return labels[label] ?? "";
  return JSON.stringify(Object.entries(labels).sort());
}

function SourceName({blocks, label}: {blocks: readonly Block[]; label: string}): ReactNode {
  const labels = labelsOf(blocks[0] as Block);
  if (label === "") return <MetricText metric={labels} />;
  return (
    <>
      <span className="muted">{label}</span> {labels[label] ?? "none"}
    </>
  );
}

const LEVELS = [1, 2, 3, 4, 5];

const Legend = (): ReactNode => (
  <ul className="legend-levels" aria-label="Colours">
    {LEVELS.map((level) => (
      <li key={level}>
        <i className={`bar level-${level}`} /> level {level}
        {level === 5 && " and up"}
      </li>
    ))}
    <li>
      <i className="bar level-2 marked" /> marked
    </li>
  </ul>
);
