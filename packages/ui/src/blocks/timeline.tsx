import type {ReactNode} from "react";
import {counted, formatTime} from "../format.ts";
import {timeLabels, timeStep, timeTicks} from "../ticks.ts";
import {type Block, resolutionName, resolutionOf} from "./block.ts";
import {type Bar, bars, lanes} from "./lanes.ts";
import {type Mark, marksOf, type Plan} from "./plan.ts";

/** Times in ms, `to` exclusive. */
export type Range = {readonly from: number; readonly to: number};

type Props = {
  readonly blocks: readonly Block[];
  readonly range: Range;
  readonly plan: Plan | undefined;
  readonly onOpen: (block: Block) => void;
  readonly onZoom: (range: Range) => void;
};

/** Blocks narrower than this part of the width are drawn together. */
const LEAST_PART = 1 / 250;
const MOST_TICKS = 8;

/** Blocks of one source along time: a row of lanes for each resolution. */
export function Timeline({blocks, range, plan, onOpen, onZoom}: Props): ReactNode {
  const byResolution = [...Map.groupBy(blocks, resolutionOf)].sort(([a], [b]) => a - b);
  const scale = (t: number): number => Math.min(1, Math.max(0, (t - range.from) / (range.to - range.from)));
  const open = (bar: Bar): void => {
    const [only] = bar.blocks;
    if (bar.blocks.length === 1 && only !== undefined) onOpen(only);
    else onZoom(around(bar));
  };
  return (
    <div className="timeline">
      {byResolution.map(([resolution, own]) => (
        <div className="resolution" key={resolution}>
          <h3>{resolutionName(resolution)}</h3>
          <div className="lanes">
            {lanes(own).map((row) => (
              <Lane key={row[0]?.ulid} row={row} range={range} plan={plan} scale={scale} onOpen={open} />
            ))}
          </div>
        </div>
      ))}
      <Axis range={range} scale={scale} />
    </div>
  );
}

type LaneProps = {
  readonly row: readonly Block[];
  readonly range: Range;
  readonly plan: Plan | undefined;
  readonly scale: (t: number) => number;
  readonly onOpen: (bar: Bar) => void;
};

function Lane({row, range, plan, scale, onOpen}: LaneProps): ReactNode {
  const markText = (block: Block): string => kinds(marksOf(block.ulid, plan));
  return (
    <div className="lane">
      {bars(row, range.from, range.to, (range.to - range.from) * LEAST_PART, markText).map((bar) => {
        const marks = markText(bar.blocks[0] as Block);
        const text = barText(bar, marks);
        return (
          <button
            type="button"
            key={bar.from}
            className={`bar level-${Math.min(bar.level, 5)} ${marks === "" ? "" : "marked"}`}
            style={{left: `${scale(bar.from) * 100}%`, width: `${(scale(bar.to) - scale(bar.from)) * 100}%`}}
            title={text}
            aria-label={text}
            onClick={() => onOpen(bar)}
          />
        );
      })}
    </div>
  );
}

function barText({from, to, level, blocks}: Bar, marks: string): string {
  const span = `${formatTime(from / 1000)} to ${formatTime(to / 1000)}, level ${level}`;
  const what = blocks.length === 1 ? (blocks[0] as Block).ulid : `${counted(blocks.length, "block", "blocks")} (zoom)`;
  return `${what}: ${span}${marks === "" ? "" : `, marked: ${marks}`}`;
}

const kinds = (marks: readonly Mark[]): string => marks.map(({kind}) => kind).join(", ");

/** A bar's own time and some of what is around it. */
const around = ({from, to}: Bar): Range => ({from: from - (to - from) * 0.05, to: to + (to - from) * 0.05});

function Axis({range, scale}: {range: Range; scale: (t: number) => number}): ReactNode {
  const [from, to] = [range.from / 1000, range.to / 1000];
  const step = timeStep(to - from, MOST_TICKS);
  const offset = -new Date(range.to).getTimezoneOffset() * 60;
  const ticks = timeTicks(from, to, step, offset);
  const labels = timeLabels(ticks, step, offset);
  return (
    <div className="axis" aria-hidden="true">
      {ticks.map((t, i) => (
        <span key={t} style={{left: `${scale(t * 1000) * 100}%`}}>
          {labels[i]}
        </span>
      ))}
    </div>
  );
}
