import {type ReactNode, useEffect, useState} from "react";
import {type ApiError, callApi, type QueryData, toApiError} from "../api.ts";
import {counted, formatBytes, formatCount, formatElapsed} from "../format.ts";
import {type Column, DataTable} from "../parts/data-table.tsx";
import {Loading} from "../parts/loaded.tsx";
import type {PanelState} from "../url-state.ts";
import {type AskOptions, askHeaders, askParams, instantRequest, rangeRequest} from "./ask.ts";
import {ErrorMessage} from "./messages.tsx";
import {type Fanout, goDurationMs, type Plan, type PlanRow, planRows, timeMs} from "./plan.ts";

type Props = {
  readonly expr: string;
  readonly panel: PanelState;
  readonly options: AskOptions;
  readonly run: number;
};

type Kind = "range" | "instant";
type Load = {
  readonly busy: boolean;
  readonly plan: Plan | undefined;
  readonly analyzed: boolean;
  readonly error: ApiError | undefined;
};

const NONE: Load = {busy: true, plan: undefined, analyzed: false, error: undefined};

/** How the engine goes about an expression, and what each step of it costs once it is asked to run it. */
export function ExplainView({expr, panel, options, run}: Props): ReactNode {
  const [kind, setKind] = useState<Kind>("range");
  const [analyze, setAnalyze] = useState(0);
  const load = usePlan(expr, panel, options, kind, analyze, run);
  return (
    <>
      <div className="options">
        <label className="field inline">
          <span>As</span>
          <select value={kind} onChange={(event) => setKind(event.target.value as Kind)}>
            <option value="range">range query</option>
            <option value="instant">instant query</option>
          </select>
        </label>
        <button type="button" disabled={load.busy} onClick={() => setAnalyze((n) => n + 1)}>
          Analyze: run it and measure
        </button>
      </div>
      {load.error !== undefined && <ErrorMessage error={load.error} expr={expr} fault={undefined} />}
      {load.plan === undefined && load.error === undefined && <Loading />}
      {load.plan !== undefined && <PlanTable plan={load.plan} analyzed={load.analyzed} />}
    </>
  );
}

/** The plan; `analyze` counts how often it was asked to be run for it, and zero only explains. */
function usePlan(expr: string, panel: PanelState, options: AskOptions, kind: Kind, analyze: number, run: number): Load {
  const [load, setLoad] = useState(NONE);
  const key = JSON.stringify([expr, panel.range, panel.end, panel.step, panel.moment, options, kind, run]);
  const [analyzedKey, setAnalyzedKey] = useState({key, analyze});
  // Another query is only explained until it is asked to be run, too.
  const wanted = analyze !== analyzedKey.analyze;
  if (analyzedKey.key !== key) setAnalyzedKey({key, analyze});
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` stands for all that is asked
  useEffect(() => {
    const abort = new AbortController();
    setLoad((before) => ({...before, busy: true, error: undefined}));
    ask(expr, panel, options, kind, wanted, abort.signal).then(
      (plan) => setLoad({busy: false, plan, analyzed: wanted, error: undefined}),
      (err: unknown) => {
        if (!abort.signal.aborted) setLoad({...NONE, busy: false, error: toApiError(err)});
      },
    );
    return () => abort.abort();
  }, [key, analyze]);
  return load;
}

async function ask(
  expr: string,
  panel: PanelState,
  options: AskOptions,
  kind: Kind,
  analyze: boolean,
  signal: AbortSignal,
): Promise<Plan> {
  const now = Date.now() / 1000;
  const request = kind === "range" ? rangeRequest(panel, now) : instantRequest(panel, now);
  const params = askParams(expr, request, options);
  params.set("engine", "thanos");
  const path = kind === "range" ? "query_range" : "query";
  const headers = askHeaders(options);
  if (!analyze) return (await callApi<Plan>(`${path}_explain`, {params, headers, signal})).data;
  params.set("analyze", "true");
  const {data} = await callApi<QueryData & {analysis?: Plan}>(path, {params, headers, signal});
  if (data.analysis === undefined || data.analysis.name === "") throw new Error("the server gave no analysis");
  return data.analysis;
}

function PlanTable({plan, analyzed}: {plan: Plan; analyzed: boolean}): ReactNode {
  const columns = analyzed ? [OPERATOR, ...costs(Math.max(timeMs(plan), 1e-6))] : [OPERATOR];
  return (
    <DataTable label="Plan" columns={columns} rows={planRows(plan)} rowKey={(row, i) => `${i} ${row.plan.name}`} />
  );
}

const OPERATOR: Column<PlanRow> = {
  name: "Operator",
  wrap: true,
  cell: ({plan, depth, operator, detail}) => (
    <div className="operator" style={{paddingLeft: `${depth * 18}px`}}>
      <span className="badge calm">{operator}</span> <code className="metric">{detail}</code>
      {plan.fanout !== undefined && <FanoutTable fanout={plan.fanout} />}
    </div>
  ),
};

const costs = (total: number): readonly Column<PlanRow>[] => [
  {
    name: "Time",
    right: true,
    cell: ({plan}) => (
      <span className="share">
        {formatMs(timeMs(plan))}
        <i style={{width: `${Math.min(100, (100 * timeMs(plan)) / total)}%`}} />
      </span>
    ),
  },
  {name: "Self", right: true, cell: ({ownMs}) => formatMs(ownMs)},
  {name: "Series", right: true, cell: ({plan}) => known(plan.series, formatCount)},
  {name: "Samples", right: true, cell: ({plan}) => known(plan.totalSamples, formatCount)},
  {name: "Peak memory", right: true, cell: ({plan}) => known(plan.peakBytes, formatBytes)},
];

const known = (value: number | undefined, format: (value: number) => string): string =>
  value === undefined ? "–" : format(value);

const formatMs = (ms: number): string => (ms > 0 && ms < 10 ? `${Number(ms.toPrecision(2))} ms` : formatElapsed(ms));

/** What each endpoint gave to a selection. */
const FanoutTable = ({fanout}: {fanout: readonly Fanout[]}): ReactNode => (
  <details className="before">
    <summary>{counted(fanout.length, "endpoint", "endpoints")} asked</summary>
    <DataTable
      label="Endpoints"
      columns={[
        {name: "Endpoint", cell: ({endpointAddr}) => <span className="mono">{endpointAddr}</span>},
        {name: "Took", right: true, cell: ({duration}) => formatMs(goDurationMs(duration))},
        {name: "Series", right: true, cell: ({series}) => formatCount(series)},
        {name: "Chunks", right: true, cell: ({chunks}) => formatCount(chunks)},
        {name: "Samples", right: true, cell: ({samples}) => formatCount(samples)},
        {name: "Data", right: true, cell: ({bytesProcessed}) => formatBytes(bytesProcessed)},
      ]}
      rows={fanout}
      rowKey={({endpointAddr}, i) => `${endpointAddr} ${i}`}
    />
  </details>
);
