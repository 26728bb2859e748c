import {Fragment, type ReactNode, useState} from "react";
import {toApiError} from "../api.ts";
import {counted, formatBytes, formatCount, formatDuration, formatTime} from "../format.ts";
import {Badge} from "../parts/badge.tsx";
import {Dialog} from "../parts/confirm.tsx";
import {Facts} from "../parts/facts.tsx";
import {MetricText} from "../parts/metric-text.tsx";
import {type Block, bytesOf, labelsOf, resolutionName, resolutionOf} from "./block.ts";
import {fateOf, type Mark, marksOf, type Plan} from "./plan.ts";
import {changeMark, type ManualMark} from "./use-blocks.ts";

type Props = {
  readonly block: Block;
  readonly plan: Plan | undefined;
  readonly mayMark: boolean;
  /** A mark came or went. */
  readonly onChange: () => void;
  readonly onClose: () => void;
};

/** All that is known of one block, and its marks to set and to take off. */
export function BlockDialog({block, plan, mayMark, onChange, onClose}: Props): ReactNode {
  const fate = plan === undefined ? undefined : fateOf(block.ulid, plan);
  return (
    <Dialog title={`Block ${block.ulid}`} onClose={onClose}>
      <Description block={block} />
      {fate !== undefined && (
        <>
          <h3>What happens next</h3>
          <ul>
            {fate.length === 0 && <li>Nothing: the block stays as it is.</li>}
            {fate.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </>
      )}
      <Marks marks={marksOf(block.ulid, plan)} known={plan !== undefined} />
      {mayMark && (
        <MarkForm block={block} marks={marksOf(block.ulid, plan)} known={plan !== undefined} onChange={onChange} />
      )}
      <Files block={block} />
      <div className="buttons">
        {/* biome-ignore lint/a11y/noAutofocus: a dialog has to have it, and closing does no harm */}
        <button type="button" autoFocus onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

function Description({block}: {block: Block}): ReactNode {
  const {stats, compaction, minTime, maxTime, thanos} = block;
  const bytes = bytesOf(block);
  const facts: readonly (readonly [string, ReactNode])[] = [
    ["From", formatTime(minTime / 1000)],
    ["To", formatTime(maxTime / 1000)],
    ["Length", formatDuration((maxTime - minTime) / 1000)],
    ["Resolution", resolutionName(resolutionOf(block))],
    ["Level", compaction.level],
    ["Source", thanos?.source || "–"],
    ["Series", formatCount(stats.numSeries ?? 0)],
    ["Samples", formatCount(stats.numSamples ?? 0)],
    ["Chunks", formatCount(stats.numChunks ?? 0)],
    ["Size", bytes === undefined ? "not known" : formatBytes(bytes)],
    ["Made of", counted(compaction.sources?.length ?? 0, "original block", "original blocks")],
  ];
  return (
    <>
      <p>
        <MetricText metric={labelsOf(block)} />
      </p>
      <Facts facts={facts} />
    </>
  );
}

function Marks({marks, known}: {marks: readonly Mark[]; known: boolean}): ReactNode {
  if (!known || marks.length === 0) return undefined;
  return (
    <>
      <h3>Marks</h3>
      <ul className="plain">
        {marks.map(({kind, reason, details, time}) => (
          <li key={kind}>
            <Badge state={kind} tone={kind === "deletion" ? "bad" : "warn"} />{" "}
            {[reason, details].filter((text) => text !== "").join(": ")}{" "}
            <span className="muted">since {formatTime(time / 1000)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

const ACTIONS: readonly {readonly kind: ManualMark; readonly mark: string; readonly unmark: string}[] = [
  {kind: "deletion", mark: "Mark for deletion", unmark: "Take off the deletion mark"},
  {kind: "no-compact", mark: "Keep out of compaction", unmark: "Let it be compacted again"},
];

/** Where marks are not known, both ways are offered. */
function MarkForm(props: {block: Block; marks: readonly Mark[]; known: boolean; onChange: () => void}): ReactNode {
  const {block, marks, known, onChange} = props;
  const [details, setDetails] = useState("");
  const [failure, setFailure] = useState<string>();
  const [busy, setBusy] = useState(false);
  const run = (kind: ManualMark, set: boolean): void => {
    setBusy(true);
    changeMark(block.ulid, kind, set, details).then(
      () => {
        setFailure(undefined);
        setBusy(false);
        onChange();
      },
      (err: unknown) => {
        setFailure(toApiError(err).message);
        setBusy(false);
      },
    );
  };
  return (
    <>
      <h3>Change its marks</h3>
      <label className="reason">
        <span className="muted">Why (kept with the mark)</span>
        <input value={details} onChange={(event) => setDetails(event.target.value)} />
      </label>
      <div className="mark-buttons">
        {ACTIONS.map((action) => {
          const isMarked = marks.some(({kind}) => kind === action.kind);
          return (
            <Fragment key={action.kind}>
              {(!known || !isMarked) && (
                <button
                  type="button"
                  disabled={busy}
                  className={action.kind === "deletion" ? "danger" : undefined}
                  onClick={() => run(action.kind, true)}
                >
                  {action.mark}
                </button>
              )}
              {(!known || isMarked) && (
                <button type="button" disabled={busy} onClick={() => run(action.kind, false)}>
                  {action.unmark}
                </button>
              )}
            </Fragment>
          );
        })}
      </div>
      {failure !== undefined && (
        <div className="message error" role="alert">
          {failure}
        </div>
      )}
    </>
  );
}

function Files({block}: {block: Block}): ReactNode {
  const files = block.thanos?.files ?? [];
  if (files.length === 0) return undefined;
  return (
    <details>
      <summary>Files ({files.length})</summary>
      <ul className="plain">
        {files.map(({rel_path: path, size_bytes: size}) => (
          <li key={path}>
            <span className="mono">{path}</span>{" "}
            {size !== undefined && <span className="muted">{formatBytes(size)}</span>}
          </li>
        ))}
      </ul>
    </details>
  );
}
