import {type ReactNode, useMemo, useRef, useState} from "react";
import {counted, formatElapsed} from "../format.ts";
import {type ParseError, parseErrorIn} from "../parse-error.ts";
import {exprLetter, type PanelState} from "../url-state.ts";
import {Answer} from "./answer.tsx";
import {type AskOptions, askHeaders} from "./ask.ts";
import {Expressions} from "./expressions.tsx";
import {HistoryDialog} from "./history-dialog.tsx";
import {ErrorMessage, Notices} from "./messages.tsx";
import {remember} from "./query-history.ts";
import {QueryOptions} from "./query-options.tsx";
import {ShareButton} from "./share-button.tsx";
import {type Part, type QueryState, useQuery} from "./use-query.ts";

type Props = {
  readonly state: PanelState;
  readonly label: string;
  readonly dark: boolean;
  readonly focus: boolean;
  readonly tenantHeader: string | undefined;
  readonly onChange: (state: PanelState) => void;
  readonly onRemove: (() => void) | undefined;
};

/** Editors, options and the answer of the expressions on one graph. */
export function QueryPanel({state, label, dark, focus, tenantHeader, onChange, onRemove}: Props): ReactNode {
  const drafts = useRef<readonly string[]>(state.exprs);
  const [run, setRun] = useState(0);
  const [history, setHistory] = useState(false);
  const {dedup, partialResponse, maxResolution, tenant, stores} = state;
  const options: AskOptions = {dedup, partialResponse, maxResolution, tenant, stores, tenantHeader};
  const query = useQuery(state, options, run);
  const change = (part: Partial<PanelState>): void => onChange({...state, ...part});
  /** Shows expressions and runs them; what is typed elsewhere in the panel goes with them. */
  const show = (exprs: readonly string[]): void => {
    drafts.current = exprs;
    for (const expr of exprs) remember(expr, Date.now());
    setRun((n) => n + 1);
    change({exprs});
  };
  const execute = (): void => show(drafts.current);
  const parts = query.result?.parts ?? [];
  const faults = useMemo(() => faultsOf(parts), [parts]);
  const headers = askHeaders(options);

  return (
    <section className="panel" aria-label={label} aria-busy={query.loading}>
      <div className="ask">
        <Expressions
          label={label}
          exprs={state.exprs}
          focus={focus}
          tenant={headers}
          faults={faults}
          onDraft={(index, text) => {
            drafts.current = drafts.current.with(index, text);
          }}
          onExecute={execute}
          onAdd={() => {
            drafts.current = [...drafts.current, ""];
            change({exprs: drafts.current});
          }}
          onRemove={(index) => show(drafts.current.toSpliced(index, 1))}
        >
          <button type="button" className="quiet" onClick={() => setHistory(true)}>
            History
          </button>
          <ShareButton state={state} />
          {onRemove !== undefined && (
            <button type="button" className="quiet" onClick={onRemove} aria-label={`Remove ${label}`}>
              Remove
            </button>
          )}
        </Expressions>
        <button type="button" className="primary" onClick={execute} title="Shift+Enter or Ctrl+Enter">
          Execute
        </button>
      </div>
      <div className="options">
        <QueryOptions state={state} tenantHeader={tenantHeader} change={change} />
        <Summary query={query} />
      </div>
      {history && (
        <HistoryDialog
          onClose={() => setHistory(false)}
          onPick={(expr) => {
            setHistory(false);
            show(drafts.current.with(-1, expr));
          }}
        />
      )}
      <Messages parts={parts} faults={faults} several={state.exprs.length > 1} />
      <Answer state={state} options={options} run={run} query={query} dark={dark} change={change} />
    </section>
  );
}

function faultsOf(parts: readonly Part[]): ReadonlyMap<number, ParseError> {
  const faults = new Map<number, ParseError>();
  for (const {index, expr, error} of parts) {
    const fault = error && parseErrorIn(error.message, expr);
    if (fault !== undefined) faults.set(index, fault);
  }
  return faults;
}

type MessagesProps = {
  readonly parts: readonly Part[];
  readonly faults: ReadonlyMap<number, ParseError>;
  readonly several: boolean;
};

/** What went wrong, by expression, and what the server had to say; the same words of several expressions once. */
function Messages({parts, faults, several}: MessagesProps): ReactNode {
  const all = (kind: "warnings" | "infos"): string[] => [...new Set(parts.flatMap(({answer}) => answer?.[kind] ?? []))];
  return (
    <>
      {parts.map(
        ({index, expr, error}) =>
          error !== undefined && (
            <ErrorMessage
              key={index}
              error={error}
              expr={expr}
              fault={faults.get(index)}
              letter={several ? exprLetter(index) : ""}
            />
          ),
      )}
      <Notices warnings={all("warnings")} infos={all("infos")} />
    </>
  );
}

function Summary({query: {result, loading}}: {query: QueryState}): ReactNode {
  const answered = result?.parts.filter(({answer}) => answer !== undefined) ?? [];
  let text = "";
  if (loading) text = "Loading…";
  else if (answered.length > 0)
    text = `${countText(answered)} · ${formatElapsed(Math.max(...answered.map((p) => p.elapsed)))}`;
  return (
    <output className="summary" aria-live="polite">
      {text}
    </output>
  );
}

function countText(parts: readonly Part[]): string {
  const [first] = parts;
  const type = first?.answer?.data.resultType;
  if (parts.length === 1 && (type === "scalar" || type === "string")) return type;
  const count = parts.reduce((n, {answer}) => n + seriesIn(answer), 0);
  return counted(count, "series", "series");
}

const seriesIn = (answer: Part["answer"]): number =>
  answer === undefined || answer.data.resultType === "scalar" || answer.data.resultType === "string"
    ? 1
    : answer.data.result.length;
