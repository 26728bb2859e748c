import {type ReactNode, useEffect, useMemo, useState} from "react";
import {type ApiError, callApi, type QueryData, toApiError} from "../api.ts";
import {counted, formatElapsed} from "../format.ts";
import type {PanelState} from "../url-state.ts";
import {type AskOptions, askHeaders, askParams, instantRequest} from "./ask.ts";
import {countQuery, type ExprNode, exprTree} from "./expr-tree.ts";

/** What a node came to. */
type Count =
  | {readonly state: "waiting"}
  | {readonly state: "done"; readonly text: string; readonly empty: boolean; readonly elapsed: number}
  | {readonly state: "failed"; readonly error: ApiError};

type Props = {
  readonly expr: string;
  readonly panel: PanelState;
  readonly options: AskOptions;
  readonly run: number;
};

/** Nodes evaluated at a time: a look at a query should not be a load test. */
const AT_ONCE = 2;

/** The parts of an expression, each with how many series it gives and how long that took, evaluated at one moment. */
export function TreeView({expr, panel, options, run}: Props): ReactNode {
  const tree = useMemo(() => exprTree(expr), [expr]);
  const counts = useCounts(tree, panel, options, run);
  if (tree === undefined) {
    return <p className="empty">This expression has no parts to look at, or the editor cannot read it.</p>;
  }
  return (
    <ul className="tree" aria-label="Expression tree">
      <TreeNode node={tree} counts={counts} />
    </ul>
  );
}

function TreeNode({node, counts}: {node: ExprNode; counts: ReadonlyMap<ExprNode, Count>}): ReactNode {
  return (
    <li>
      <div className="node">
        <code className="metric">{node.text}</code>
        <CountText count={counts.get(node)} />
      </div>
      {node.children.length > 0 && (
        <ul>
          {node.children.map((child) => (
            <TreeNode key={child.from} node={child} counts={counts} />
          ))}
        </ul>
      )}
    </li>
  );
}

function CountText({count}: {count: Count | undefined}): ReactNode {
  if (count === undefined || count.state === "waiting") return <span className="muted">…</span>;
  if (count.state === "failed") return <span className="fault">{count.error.message}</span>;
  return (
    <span className="counted">
      <span className={count.empty ? "badge warn" : "badge calm"}>{count.text}</span>
      <span className="muted">{formatElapsed(count.elapsed)}</span>
    </span>
  );
}

/** Evaluates the nodes from the leaves up, a few at a time. */
function useCounts(
  tree: ExprNode | undefined,
  panel: PanelState,
  options: AskOptions,
  run: number,
): ReadonlyMap<ExprNode, Count> {
  const [counts, setCounts] = useState<ReadonlyMap<ExprNode, Count>>(new Map());
  const key = JSON.stringify([panel.moment, options]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` stands for panel and options, `run` asks again
  useEffect(() => {
    setCounts(new Map());
    if (tree === undefined) return;
    const abort = new AbortController();
    const request = instantRequest(panel, Date.now() / 1000);
    const left = leavesFirst(tree);
    const work = async (): Promise<void> => {
      for (let node = left.shift(); node !== undefined && !abort.signal.aborted; node = left.shift()) {
        const done = node;
        const params = askParams(countQuery(node), request, options);
        const count = await countOf(params, askHeaders(options), abort.signal);
        if (!abort.signal.aborted) setCounts((before) => new Map(before).set(done, count));
      }
    };
    void Promise.all(Array.from({length: AT_ONCE}, work));
    return () => abort.abort();
  }, [tree, key, run]);
  return counts;
}

function leavesFirst(node: ExprNode): ExprNode[] {
  return [...node.children.flatMap(leavesFirst), node];
}

/** Never rejects: what fails is told at the node. */
async function countOf(params: URLSearchParams, headers: Record<string, string>, signal: AbortSignal): Promise<Count> {
  const started = performance.now();
  try {
    const {data} = await callApi<QueryData>("query", {params, headers, signal});
    const elapsed = performance.now() - started;
    if (data.resultType === "scalar") return {state: "done", text: data.result[1], empty: false, elapsed};
    const n = data.resultType === "vector" ? Number(data.result[0]?.value?.[1] ?? 0) : 0;
    return {state: "done", text: counted(n, "series", "series"), empty: n === 0, elapsed};
  } catch (err) {
    return {state: "failed", error: toApiError(err)};
  }
}
