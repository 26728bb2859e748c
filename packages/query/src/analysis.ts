import type {PlanNode} from "@strata/engine";
import {formatGoDuration} from "@strata/model";
import type {PlanTree} from "@strata/web";
import type {FanoutEntry, FanoutSelect} from "./fanout-log.ts";

/** One operator of an analyzed query as the API shows it. */
export type Analysis = {
  readonly name: string;
  readonly executionTime: string;
  readonly peakSamples: number;
  readonly totalSamples: number;
  /** Beyond the original's: series given, and the most bytes held at a time. */
  readonly series: number;
  readonly peakBytes: number;
  readonly fanout?: readonly Record<string, unknown>[];
  readonly children?: readonly Analysis[];
};

/** A plan as a tree of names. */
export function planTree(node: PlanNode): PlanTree {
  const children = node.children.map(planTree);
  return {name: nodeName(node), ...(children.length === 0 ? {} : {children})};
}

/** A plan with its costs; what endpoints gave stands at the selectors that asked for it. */
export function analysisOf(plan: PlanNode, selects: readonly FanoutSelect[]): Analysis {
  const left = [...selects];
  const take = (detail: string): readonly FanoutEntry[] => {
    const at = left.findIndex((s) => detail.includes(s.selector));
    return at < 0 ? [] : (left.splice(at, 1)[0]?.endpoints ?? []);
  };
  const analyze = (node: PlanNode): Analysis => {
    const children = node.children.map(analyze);
    const fanout = take(node.detail);
    const samples = node.cost?.samples ?? 0;
    return {
      name: nodeName(node),
      executionTime: formatGoDuration(node.cost?.timeMs ?? 0),
      peakSamples: samples,
      totalSamples: samples,
      series: node.cost?.series ?? 0,
      peakBytes: node.cost?.peakBytes ?? 0,
      ...(fanout.length === 0 ? {} : {fanout: fanout.map(entryJson)}),
      ...(children.length === 0 ? {} : {children}),
    };
  };
  return analyze(plan);
}

const nodeName = ({name, detail}: PlanNode): string => (detail === "" ? `[${name}]` : `[${name}] ${detail}`);

function entryJson({durationMs, endpointAddr, ...counts}: FanoutEntry): Record<string, unknown> {
  return {endpointAddr, duration: formatGoDuration(durationMs), ...counts};
}
