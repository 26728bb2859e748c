import {type ReactNode, useState} from "react";
import {counted, formatDuration, formatTime} from "../format.ts";
import {Badge} from "../parts/badge.tsx";
import {Empty, Loaded} from "../parts/loaded.tsx";
import {MetricText} from "../parts/metric-text.tsx";
import {PageHead, StateChecks, toggled} from "../parts/page-head.tsx";
import {Pages} from "../parts/pages.tsx";
import {matchesFilter, useParam} from "../parts/use-param.ts";
import {type Alert, type Group, queryLink, type Rule, useRules} from "./use-rules.ts";

const STATES = ["firing", "pending", "inactive"] as const;
type State = (typeof STATES)[number];

/** Alerting rules by state, with the alerts that are active. */
export function AlertsPage(): ReactNode {
  const polled = useRules("alert");
  const [filter, setFilter] = useParam("filter");
  const [hidden, setHidden] = useState<ReadonlySet<State>>(new Set(["inactive"]));
  const rules = (polled.answer?.data.groups ?? []).flatMap((group) => group.rules.map((rule) => ({group, rule})));
  const shown = rules.filter(
    ({group, rule}) => !hidden.has(stateOf(rule)) && matchesFilter(ruleText(group, rule), filter),
  );
  return (
    <div className="rules">
      <PageHead title="Alerts" filter={filter} onFilter={setFilter} placeholder="Name, label, group or expression">
        <StateChecks
          label="States"
          states={STATES}
          hidden={hidden}
          count={(state) => rules.filter(({rule}) => stateOf(rule) === state).length}
          onToggle={(state) => setHidden(toggled(hidden, state))}
        />
      </PageHead>
      <Loaded polled={polled} what="the rules">
        {() => <List rules={shown} all={rules} />}
      </Loaded>
    </div>
  );
}

const stateOf = ({state}: Rule): State => (state === "firing" || state === "pending" ? state : "inactive");

const ruleText = (group: Group, rule: Rule): string =>
  `${group.name} ${rule.name} ${rule.query} ${JSON.stringify(rule.labels)} ${JSON.stringify(rule.alerts)}`;

type Found = {readonly group: Group; readonly rule: Rule};

function List({rules, all}: {rules: readonly Found[]; all: readonly Found[]}): ReactNode {
  if (all.length === 0) return <Empty>There are no alerting rules.</Empty>;
  if (rules.length === 0) {
    const calm = all.every(({rule}) => stateOf(rule) === "inactive");
    return (
      <Empty>
        {calm
          ? `All is quiet: none of ${counted(all.length, "rule", "rules")} fires.`
          : "No alert is in one of these states."}
      </Empty>
    );
  }
  const order = [...rules].sort((a, b) => STATES.indexOf(stateOf(a.rule)) - STATES.indexOf(stateOf(b.rule)));
  return (
    <Pages
      items={order}
      size={50}
      render={({group, rule}) => (
        <RulePanel
          key={`${group.file};${group.name};${rule.name};${rule.query};${JSON.stringify(rule.labels)}`}
          group={group}
          rule={rule}
        />
      )}
    />
  );
}

function RulePanel({group, rule}: Found): ReactNode {
  return (
    <section className="panel" aria-label={rule.name}>
      <h2>
        {rule.name}
        <Badge state={stateOf(rule)} />
        <span className="muted">
          {group.name}
          {(rule.duration ?? 0) > 0 && ` · for ${formatDuration(rule.duration ?? 0)}`}
          {` · ${counted(rule.alerts?.length ?? 0, "alert", "alerts")}`}
        </span>
      </h2>
      <p>
        <a href={queryLink(rule.query)}>
          <code>{rule.query}</code>
        </a>
      </p>
      {rule.lastError !== undefined && <p className="fault">{rule.lastError}</p>}
      <Pages
        items={rule.alerts ?? []}
        size={50}
        render={(alert) => <AlertRow key={JSON.stringify(alert.labels)} alert={alert} />}
      />
    </section>
  );
}

function AlertRow({alert}: {alert: Alert}): ReactNode {
  const since = alert.activeAt === undefined ? Number.NaN : Date.parse(alert.activeAt) / 1000;
  return (
    <article className="rule">
      <p>
        <Badge state={alert.state} /> <MetricText metric={alert.labels} />
      </p>
      <p className="muted">
        {Number.isNaN(since) ? "" : `since ${formatTime(since)} · `}value {Number(alert.value)}
      </p>
      {Object.entries(alert.annotations).map(([name, text]) => (
        <p key={name} className="annotation">
          <span className="muted">{name}</span> {text}
        </p>
      ))}
    </article>
  );
}
