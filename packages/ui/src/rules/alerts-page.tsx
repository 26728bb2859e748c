import {type ReactNode, useState} from "react";
import {counted, formatDuration, formatTime} from "../format.ts";
import {MetricText} from "../query/result-table.tsx";
import {Badge, placeholder, Title, Warnings} from "./parts.tsx";
import {type Alert, type Group, type Rule, useRules} from "./use-rules.ts";

const STATES = ["firing", "pending", "inactive"] as const;
type State = (typeof STATES)[number];

/** Alerting rules by state, with the alerts that are active. */
export function AlertsPage(): ReactNode {
  const {load, retry} = useRules("alert");
  const [filter, setFilter] = useState("");
  const [hidden, setHidden] = useState<ReadonlySet<State>>(new Set(["inactive"]));
  const toggle = (state: State): void => {
    const next = new Set(hidden);
    if (!next.delete(state)) next.add(state);
    setHidden(next);
  };
  const rules = load.state === "done" ? load.groups.flatMap((group) => group.rules.map((rule) => ({group, rule}))) : [];
  return (
    <div className="rules">
      <Title text="Alerts" filter={filter} onFilter={setFilter}>
        <fieldset>
          <legend>States</legend>
          {STATES.map((state) => (
            <label key={state}>
              <input type="checkbox" checked={!hidden.has(state)} onChange={() => toggle(state)} />
              {state} ({rules.filter(({rule}) => stateOf(rule) === state).length})
            </label>
          ))}
        </fieldset>
      </Title>
      {placeholder(load, retry)}
      {load.state === "done" && <Warnings warnings={load.warnings} />}
      {load.state === "done" && (
        <List
          rules={rules.filter(({group, rule}) => !hidden.has(stateOf(rule)) && matches(group, rule, filter))}
          any={rules.length > 0}
        />
      )}
    </div>
  );
}

const stateOf = ({state}: Rule): State => (state === "firing" || state === "pending" ? state : "inactive");

function matches(group: Group, rule: Rule, filter: string): boolean {
  const text = `${group.name} ${rule.name} ${rule.query} ${JSON.stringify(rule.labels)} ${JSON.stringify(rule.alerts)}`;
  return text.toLowerCase().includes(filter.trim().toLowerCase());
}

function List({rules, any}: {rules: readonly {group: Group; rule: Rule}[]; any: boolean}): ReactNode {
  if (!any) return <p className="empty">There are no alerting rules.</p>;
  if (rules.length === 0) return <p className="empty">No alert is in one of these states.</p>;
  const order = [...rules].sort((a, b) => STATES.indexOf(stateOf(a.rule)) - STATES.indexOf(stateOf(b.rule)));
  return order.map(({group, rule}) => (
    <section
      className="panel"
      key={`${group.file};${group.name};${rule.name};${rule.query};${JSON.stringify(rule.labels)}`}
      aria-label={rule.name}
    >
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
        <a href={`graph?g0.expr=${encodeURIComponent(rule.query)}&g0.tab=1`}>
          <code>{rule.query}</code>
        </a>
      </p>
      {rule.lastError !== undefined && <p className="fault">{rule.lastError}</p>}
      {(rule.alerts ?? []).map((alert) => (
        <AlertRow key={JSON.stringify(alert.labels)} alert={alert} />
      ))}
    </section>
  ));
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
