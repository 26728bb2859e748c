import {readdirSync, readFileSync} from "node:fs";
import {join} from "node:path";
import {repoRoot} from "@strata/base/testing";
import type {Rule} from "./rule-series.ts";

type Panel = {readonly title: string; readonly targets?: readonly {readonly expr: string}[]};
export type Dashboard = {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: {readonly list: readonly {query: unknown}[]};
};

/** The folder of dashboards. */
export const DASHBOARDS = "deploy/grafana/dashboards";

/** Dashboards by the names of their files. */
export const readDashboards = (): ReadonlyMap<string, Dashboard> =>
  new Map(
    readdirSync(join(repoRoot, DASHBOARDS)).map((file) => [
      file,
      JSON.parse(readFileSync(join(repoRoot, DASHBOARDS, file), "utf8")) as Dashboard,
    ]),
  );

/** What Grafana puts in before it asks. */
export const filledIn = (expr: string): string =>
  expr.replaceAll("$__rate_interval", "5m").replaceAll("$job", ".+").replaceAll("$instance", ".+");

/** The queries of all panels, as if each were a rule. */
export const panelRules = (): readonly Rule[] =>
  [...readDashboards()].flatMap(([file, {panels}]) =>
    panels.flatMap(({title, targets = []}) =>
      targets.map(({expr}) => ({record: `${file}, ${title}`, expr: filledIn(expr)})),
    ),
  );
