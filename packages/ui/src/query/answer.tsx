import {type ReactNode, useEffect, useId, useMemo, useRef, useState} from "react";
import {exprLetter, type GraphMode, type PanelState, stepFor, type Tab} from "../url-state.ts";
import type {AskOptions} from "./ask.ts";
import {GraphControls, TableControls} from "./controls.tsx";
import {ExplainView} from "./explain-view.tsx";
import {type GraphSeries, GraphView} from "./graph-view.tsx";
import {HeatView} from "./heat-view.tsx";
import {ResultTable} from "./result-table.tsx";
import {TreeView} from "./tree-view.tsx";
import type {QueryState, Result} from "./use-query.ts";

type Props = {
  readonly state: PanelState;
  readonly options: AskOptions;
  /** Counts how often the panel was run. */
  readonly run: number;
  readonly query: QueryState;
  readonly dark: boolean;
  readonly change: (part: Partial<PanelState>) => void;
};

const TABS: readonly (readonly [Tab, string])[] = [
  ["graph", "Graph"],
  ["table", "Table"],
  ["tree", "Tree"],
  ["explain", "Explain"],
];

/** The tabs with their controls and what they show. */
export function Answer(props: Props): ReactNode {
  const {state, change} = props;
  const id = useId();
  return (
    <div className="answer">
      <div className="bar">
        <Tabs id={id} tab={state.tab} onChoose={(tab) => change({tab})} />
        <div className="controls">
          {state.tab === "graph" && (
            <>
              <ModeChoice mode={state.mode} onChoose={(mode) => change({mode})} />
              <GraphControls state={state} change={change} autoStep={stepFor(state.range, undefined)} />
            </>
          )}
          {state.tab === "explain" && (
            <GraphControls state={state} change={change} autoStep={stepFor(state.range, undefined)} />
          )}
          {(state.tab === "table" || state.tab === "tree") && <TableControls state={state} change={change} />}
        </div>
      </div>
      <div id={`${id}-view`} role="tabpanel" aria-labelledby={`${id}-${state.tab}`} className="view">
        {state.tab === "tree" || state.tab === "explain" ? <Parts {...props} /> : <View {...props} />}
      </div>
    </div>
  );
}

/** Arrow keys move along the tabs. */
function Tabs({id, tab: current, onChoose}: {id: string; tab: Tab; onChoose: (tab: Tab) => void}): ReactNode {
  const buttons = useRef(new Map<Tab, HTMLButtonElement>());
  const move = (by: number): void => {
    const at = TABS.findIndex(([tab]) => tab === current);
    const [tab] = TABS[(at + by + TABS.length) % TABS.length] as readonly [Tab, string];
    onChoose(tab);
    buttons.current.get(tab)?.focus();
  };
  return (
    <div role="tablist" aria-label="Result view">
      {TABS.map(([tab, text]) => (
        <button
          key={tab}
          type="button"
          role="tab"
          id={`${id}-${tab}`}
          aria-selected={tab === current}
          aria-controls={`${id}-view`}
          tabIndex={tab === current ? 0 : -1}
          ref={(element) => {
            if (element !== null) buttons.current.set(tab, element);
          }}
          onClick={() => onChoose(tab)}
          onKeyDown={(event) => {
            if (event.key === "ArrowRight") move(1);
            if (event.key === "ArrowLeft") move(-1);
          }}
        >
          {text}
        </button>
      ))}
    </div>
  );
}

const MODES: readonly (readonly [GraphMode, string])[] = [
  ["lines", "Lines"],
  ["stacked", "Stacked"],
  ["heatmap", "Heat map"],
];

const ModeChoice = ({mode: current, onChoose}: {mode: GraphMode; onChoose: (mode: GraphMode) => void}): ReactNode => (
  <fieldset className="field joined modes">
    <legend className="sr-only">Drawn as</legend>
    {MODES.map(([mode, text]) => (
      <button key={mode} type="button" aria-pressed={mode === current} onClick={() => onChoose(mode)}>
        {text}
      </button>
    ))}
  </fieldset>
);

/** The tabs that look into each expression by itself. */
function Parts({state, options, run}: Props): ReactNode {
  const asked = state.exprs.map((expr, i) => ({expr, letter: exprLetter(i)})).filter(({expr}) => expr.trim() !== "");
  if (asked.length === 0) return <Prompt />;
  const One = state.tab === "tree" ? TreeView : ExplainView;
  return asked.map(({expr, letter}) => (
    <div key={letter} className="part">
      {asked.length > 1 && <PartTitle letter={letter} expr={expr} />}
      <One expr={expr} panel={state} options={options} run={run} />
    </div>
  ));
}

const PartTitle = ({letter, expr}: {letter: string; expr: string}): ReactNode => (
  <h2 className="part-title">
    <span className="letter">{letter}</span>
    <code className="metric">{expr}</code>
  </h2>
);

const Prompt = (): ReactNode => (
  <p className="empty">
    Type an expression and press <kbd>Shift</kbd> + <kbd>Enter</kbd>.
  </p>
);

function View({state, query, dark, change}: Props): ReactNode {
  const slow = useSlow(query.loading);
  // The answer to the other tab's question stays hidden until this tab's has come.
  const kind = state.tab === "graph" ? "range" : "instant";
  const result = query.result?.request.kind === kind ? query.result : undefined;
  if (result === undefined) {
    if (query.loading) return <p className="empty">{slow ? "Loading…" : "\u00a0"}</p>;
    return <Prompt />;
  }
  if (result.parts.every(({answer}) => answer === undefined)) {
    return <p className="empty">No result: {result.parts.length === 1 ? "the query" : "every query"} failed.</p>;
  }
  return (
    <div className={slow ? "dim" : undefined}>
      {result.request.kind === "range" ? (
        <Graph result={result} mode={state.mode} dark={dark} change={change} />
      ) : (
        <Tables result={result} several={state.exprs.length > 1} />
      )}
    </div>
  );
}

type GraphProps = {
  readonly result: Result;
  readonly mode: GraphMode;
  readonly dark: boolean;
  readonly change: Props["change"];
};

/** All expressions on one graph. */
function Graph({result, mode, dark, change}: GraphProps): ReactNode {
  const {parts, request} = result;
  const series = useMemo((): readonly GraphSeries[] => {
    return parts.flatMap(({answer, index}) => {
      const letter = parts.length > 1 ? exprLetter(index) : "";
      return answer?.data.resultType === "matrix" ? answer.data.result.map((s) => ({...s, letter})) : [];
    });
  }, [parts]);
  if (request.kind !== "range") return undefined;
  const {start, end, step} = request;
  const shown = {
    ...{series, start, end, step, dark},
    onZoom: (from: number, to: number) => change({range: Math.max(1, Math.round(to - from)), end: Math.round(to)}),
  };
  if (mode === "heatmap") return <HeatView {...shown} />;
  return <GraphView {...shown} stacked={mode === "stacked"} onHeatmap={() => change({mode: "heatmap"})} />;
}

const Tables = ({result, several}: {result: Result; several: boolean}): ReactNode =>
  result.parts.map(
    ({answer, index, expr}) =>
      answer !== undefined && (
        <div key={index} className="part">
          {several && <PartTitle letter={exprLetter(index)} expr={expr} />}
          <ResultTable data={answer.data} />
        </div>
      ),
  );

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
