import {type ReactNode, useEffect, useState} from "react";
import {formatDuration, formatTime, parseDuration} from "../format.ts";
import type {PanelState} from "../url-state.ts";

type Props = {readonly state: PanelState; readonly change: (part: Partial<PanelState>) => void};

/** Lengths that the minus and plus buttons step through, in seconds. */
const RANGES: readonly number[] = [
  60, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600, 2_419_200, 4_838_400,
  14_515_200, 31_536_000, 63_072_000,
];

export function GraphControls({state, change, autoStep}: Props & {readonly autoStep: number}): ReactNode {
  const shorter = RANGES.findLast((range) => range < state.range);
  const longer = RANGES.find((range) => range > state.range);
  return (
    <>
      <div className="field joined">
        <Step text="−" label="Shorter range" to={shorter} onClick={(range) => change({range})} />
        <DurationInput label="Range" value={state.range} onCommit={(range) => range && change({range})} />
        <Step text="+" label="Longer range" to={longer} onClick={(range) => change({range})} />
      </div>
      <TimeInput
        label="End time"
        hint="end: now"
        value={state.end}
        shift={state.range / 2}
        onCommit={(end) => change({end})}
      />
      <div className="field joined">
        <DurationInput
          label="Step"
          value={state.step}
          placeholder={`step ${formatDuration(autoStep)}`}
          onCommit={(step) => change({step})}
        />
      </div>
    </>
  );
}

export function TableControls({state, change}: Props): ReactNode {
  return (
    <TimeInput
      label="Evaluation time"
      hint="now"
      value={state.moment}
      shift={state.range / 2}
      onCommit={(moment) => change({moment})}
    />
  );
}

type StepProps = {
  readonly text: string;
  readonly label: string;
  readonly to: number | undefined;
  readonly onClick: (to: number) => void;
};

function Step({text, label, to, onClick}: StepProps): ReactNode {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      disabled={to === undefined}
      onClick={() => to !== undefined && onClick(to)}
    >
      {text}
    </button>
  );
}

type DurationProps = {
  readonly label: string;
  readonly value: number | undefined;
  readonly placeholder?: string;
  readonly onCommit: (seconds: number | undefined) => void;
};

/** A duration as text, taken over on Enter or when the field is left; what cannot be read is marked and kept. */
function DurationInput({label, value, placeholder, onCommit}: DurationProps): ReactNode {
  const shown = value === undefined ? "" : formatDuration(value);
  const [text, setText] = useState(shown);
  useEffect(() => setText(shown), [shown]);
  const seconds = parseDuration(text);
  const bad = text.trim() !== "" && !(seconds !== undefined && seconds > 0);
  const commit = (): void => {
    if (!bad && text !== shown) onCommit(text.trim() === "" ? undefined : seconds);
  };
  return (
    <input
      aria-label={label}
      title={label}
      aria-invalid={bad}
      value={text}
      placeholder={placeholder}
      // The longest step that is chosen by itself has ten characters.
      size={placeholder === undefined ? 8 : 12}
      onChange={(event) => setText(event.target.value)}
      onBlur={commit}
      onKeyDown={(event) => event.key === "Enter" && commit()}
    />
  );
}

type TimeProps = {
  readonly label: string;
  /** Stands in the empty field. */
  readonly hint: string;
  readonly value: number | undefined;
  /** Seconds that the arrows move by. */
  readonly shift: number;
  readonly onCommit: (seconds: number | undefined) => void;
};

/** A point in time on this machine's clock; empty is now. */
function TimeInput({label, hint, value, shift, onCommit}: TimeProps): ReactNode {
  const shown = value === undefined ? "" : formatTime(value);
  const [text, setText] = useState(shown);
  useEffect(() => setText(shown), [shown]);
  const time = readTime(text);
  const bad = text.trim() !== "" && time === undefined;
  const commit = (): void => {
    if (!bad && text !== shown) onCommit(time);
  };
  const move = (by: number): void => onCommit(Math.round((value ?? Date.now() / 1000) + by));
  return (
    <div className="field joined">
      <button type="button" aria-label={`${label}: earlier`} title="Earlier" onClick={() => move(-shift)}>
        ‹
      </button>
      <input
        className="time"
        aria-label={label}
        title={`${label}, local time; empty is now`}
        aria-invalid={bad}
        value={text}
        placeholder={hint}
        size={19}
        onChange={(event) => setText(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => event.key === "Enter" && commit()}
      />
      <button type="button" aria-label={`${label}: later`} title="Later" onClick={() => move(shift)}>
        ›
      </button>
      {value !== undefined && (
        <button type="button" aria-label={`${label}: now`} title="Back to now" onClick={() => onCommit(undefined)}>
          now
        </button>
      )}
    </div>
  );
}

/** `2024-03-01`, `2024-03-01 14:05`, `2024-03-01 14:05:09`: local; with `Z` or an offset as it says. */
function readTime(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/.test(trimmed)) return undefined;
  const iso = trimmed.length === 10 ? `${trimmed}T00:00` : trimmed.replace(" ", "T");
  const ms = Date.parse(iso);
  return Number.isNaN(ms) ? undefined : ms / 1000;
}
