import {type ReactNode, useEffect, useId, useMemo, useRef, useState} from "react";
import {counted, formatElapsed} from "../format.ts";
import {parseErrorIn} from "../parse-error.ts";
import {type PanelState, stepFor, type Tab} from "../url-state.ts";
import {GraphControls, TableControls} from "./controls.tsx";
import {ExpressionEditor} from "./expression-editor.tsx";
import {GraphView} from "./graph-view.tsx";
import {ErrorMessage, Notices} from "./messages.tsx";
import {ResultTable} from "./result-table.tsx";
import {type QueryState, type Result, useQuery} from "./use-query.ts";

type Props = {
  readonly state: PanelState;
  readonly label: string;
  readonly dark: boolean;
  readonly focus: boolean;
  readonly onChange: (state: PanelState) => void;
  readonly onRemove: (() => void) | undefined;
};

/** Editor, options and the answer of one query. */
export function QueryPanel({state, label, dark, focus, onChange, onRemove}: Props): ReactNode {
  const draft = useRef(state.expr);
  const [run, setRun] = useState(0);
  const query = useQuery(state, run);
  const change = (part: Partial<PanelState>): void => onChange({...state, ...part});
  const execute = (): void => {
    setRun((n) => n + 1);
    change({expr: draft.current});
  };
  const fault = useMemo(() => query.error && parseErrorIn(query.error.error.message, query.error.expr), [query.error]);

  return (
    <section className="panel" aria-label={label} aria-busy={query.loading}>
      <div className="ask">
        <ExpressionEditor
          value={state.expr}
          label={`${label}: PromQL expression`}
          focus={focus}
          fault={fault}
          onChange={(text) => {
            draft.current = text;
          }}
          onExecute={execute}
        />
        <button type="button" className="primary" onClick={execute} title="Shift+Enter or Ctrl+Enter">
          Execute
        </button>
      </div>
      <div className="options">
        <Check label="Deduplicate" checked={state.dedup} onChange={(dedup) => change({dedup})} />
        <Check
          label="Partial response"
          checked={state.partialResponse}
          onChange={(partialResponse) => change({partialResponse})}
        />
        <label className="field inline">
          <span>Resolution</span>
          <select value={state.maxResolution} onChange={(e) => change({maxResolution: e.target.value})}>
            <option value="">Server default</option>
            <option value="0s">Raw only</option>
            <option value="5m">Up to 5 m</option>
            <option value="1h">Up to 1 h</option>
            <option value="auto">Automatic</option>
          </select>
        </label>
        <Summary query={query} />
        {onRemove !== undefined && (
          <button type="button" className="quiet" onClick={onRemove} aria-label={`Remove ${label}`}>
            Remove
          </button>
        )}
      </div>
      {query.error !== undefined && <ErrorMessage {...query.error} fault={fault} />}
      {query.result !== undefined && <Notices warnings={query.result.warnings} infos={query.result.infos} />}
      <Answer state={state} query={query} dark={dark} change={change} />
    </section>
  );
}

type AnswerProps = {
  readonly state: PanelState;
  readonly query: QueryState;
  readonly dark: boolean;
  readonly change: (part: Partial<PanelState>) => void;
};

const TABS: readonly (readonly [Tab, string])[] = [
  ["graph", "Graph"],
  ["table", "Table"],
];

/** The two tabs with their controls and what they show. */
function Answer({state, query, dark, change}: AnswerProps): ReactNode {
  const id = useId();
  const buttons = useRef(new Map<Tab, HTMLButtonElement>());
  const move = (by: number): void => {
    const at = TABS.findIndex(([tab]) => tab === state.tab);
    const [tab] = TABS[(at + by + TABS.length) % TABS.length] as readonly [Tab, string];
    change({tab});
    buttons.current.get(tab)?.focus();
  };
  // The answer to the other tab's question stays hidden until this tab's has come.
  const result = query.result?.request.tab === state.tab ? query.result : undefined;
  return (
    <div className="answer">
      <div className="bar">
        <div role="tablist" aria-label="Result view">
          {TABS.map(([tab, text]) => (
            <button
              key={tab}
              type="button"
              role="tab"
              id={`${id}-${tab}`}
              aria-selected={tab === state.tab}
              aria-controls={`${id}-view`}
              tabIndex={tab === state.tab ? 0 : -1}
              ref={(element) => {
                if (element !== null) buttons.current.set(tab, element);
              }}
              onClick={() => change({tab})}
              onKeyDown={(event) => {
                if (event.key === "ArrowRight") move(1);
                if (event.key === "ArrowLeft") move(-1);
              }}
            >
              {text}
            </button>
          ))}
        </div>
        {state.tab === "graph" ? (
          <GraphControls state={state} change={change} autoStep={stepFor(state.range, undefined)} />
        ) : (
          <TableControls state={state} change={change} />
        )}
      </div>
      <div id={`${id}-view`} role="tabpanel" aria-labelledby={`${id}-${state.tab}`} className="view">
        <View result={result} query={query} dark={dark} change={change} />
      </div>
    </div>
  );
}

type ViewProps = {
  readonly result: Result | undefined;
  readonly query: QueryState;
  readonly dark: boolean;
  readonly change: (part: Partial<PanelState>) => void;
};

function View({result, query, dark, change}: ViewProps): ReactNode {
  const slow = useSlow(query.loading);
  if (result === undefined) {
    if (query.loading) return <p className="empty">{slow ? "Loading…" : "\u00a0"}</p>;
    if (query.error !== undefined) return <p className="empty">No result: the query failed.</p>;
    return (
      <p className="empty">
        Type an expression and press <kbd>Shift</kbd> + <kbd>Enter</kbd>.
      </p>
    );
  }
  const {data, request} = result;
  const dim = slow ? "dim" : undefined;
  if (request.tab === "graph" && data.resultType === "matrix") {
    return (
      <div className={dim}>
        <GraphView
          series={data.result}
          start={request.start}
          end={request.end}
          step={request.step}
          dark={dark}
          onZoom={(from, to) => change({range: Math.max(1, Math.round(to - from)), end: Math.round(to)})}
        />
      </div>
    );
  }
  return (
    <div className={dim}>
      <ResultTable data={data} />
    </div>
  );
}

/** True once `loading` has lasted long enough to be worth showing; quick answers then do not flicker. */
function useSlow(loading: boolean): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (!loading) {
      setSlow(false);
      return;
    }
    const timer = setTimeout(() => setSlow(true), 200);
    return () => clearTimeout(timer);
  }, [loading]);
  return slow;
}

function Summary({query: {result, loading}}: {query: QueryState}): ReactNode {
  let text = "";
  if (loading) text = "Loading…";
  else if (result !== undefined) text = `${countText(result)} · ${formatElapsed(result.elapsed)}`;
  return (
    <output className="summary" aria-live="polite">
      {text}
    </output>
  );
}

function countText({data}: Result): string {
  if (data.resultType === "scalar" || data.resultType === "string") return data.resultType;
  return counted(data.result.length, "series", "series");
}

function Check(props: {label: string; checked: boolean; onChange: (checked: boolean) => void}): ReactNode {
  return (
    <label className="check">
      <input type="checkbox" checked={props.checked} onChange={(event) => props.onChange(event.target.checked)} />
      <span>{props.label}</span>
    </label>
  );
}
