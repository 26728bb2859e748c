import {type ReactNode, useState} from "react";
import {counted, formatDuration} from "../format.ts";
import {MetricText} from "../query/result-table.tsx";
import {Badge, evaluated, placeholder, Title, Warnings} from "./parts.tsx";
import {type Group, type Rule, useRules} from "./use-rules.ts";

/** All groups of rules with how each rule does. */
export function RulesPage(): ReactNode {
  const {load, retry} = useRules("all");
  const [filter, setFilter] = useState("");
  const [onlyFaulty, setOnlyFaulty] = useState(false);
  return (
    <div className="rules">
      <Title text="Rules" filter={filter} onFilter={setFilter}>
        <label>
          <input type="checkbox" checked={onlyFaulty} onChange={(event) => setOnlyFaulty(event.target.checked)} />
          Only with errors
        </label>
      </Title>
      {placeholder(load, retry)}
      {load.state === "done" && <Warnings warnings={load.warnings} />}
      {load.state === "done" && (
        <Groups groups={load.groups} at={load.at} wanted={(group, rule) => wanted(group, rule, filter, onlyFaulty)} />
      )}
    </div>
  );
}

function wanted(group: Group, rule: Rule, filter: string, onlyFaulty: boolean): boolean {
  if (onlyFaulty && rule.health !== "err") return false;
  const text = `${group.name} ${group.file} ${rule.name} ${rule.query} ${JSON.stringify(rule.labels)}`;
  return text.toLowerCase().includes(filter.trim().toLowerCase());
}

function Groups({
  groups,
  at,
  wanted: keep,
}: {
  groups: readonly Group[];
  at: number;
  wanted: (group: Group, rule: Rule) => boolean;
}): ReactNode {
  if (groups.length === 0) return <p className="empty">There are no rules.</p>;
  const shown = groups
    .map((group) => ({group, rules: group.rules.filter((rule) => keep(group, rule))}))
    .filter(({rules}) => rules.length > 0);
  if (shown.length === 0) return <p className="empty">No rule matches the filter.</p>;
  return shown.map(({group, rules}) => (
    <section className="panel" key={`${group.file};${group.name}`} aria-label={group.name}>
      <h2>
        {group.name}
        <span className="muted">
          {group.file} · every {formatDuration(group.interval)} ·{" "}
          {evaluated(group.lastEvaluation, group.evaluationTime, at)} · {counted(group.rules.length, "rule", "rules")}
        </span>
      </h2>
      {rules.map((rule) => (
        <RuleRow key={`${rule.type} ${rule.name} ${rule.query} ${JSON.stringify(rule.labels)}`} rule={rule} at={at} />
      ))}
    </section>
  ));
}

function RuleRow({rule, at}: {rule: Rule; at: number}): ReactNode {
  const alerting = rule.type === "alerting";
  return (
    <article className="rule">
      <h3>
        <span className="muted">{alerting ? "alert" : "record"}</span> {rule.name}
        <Badge state={rule.health} />
        {alerting && rule.state !== undefined && <Badge state={rule.state} />}
      </h3>
      <p>
        <a href={`graph?g0.expr=${encodeURIComponent(rule.query)}&g0.tab=1`}>
          <code>{rule.query}</code>
        </a>
      </p>
      {Object.keys(rule.labels).length > 0 && (
        <p>
          <MetricText metric={rule.labels} />
        </p>
      )}
      <p className="muted">
        {(rule.duration ?? 0) > 0 && `for ${formatDuration(rule.duration ?? 0)} · `}
        {(rule.keepFiringFor ?? 0) > 0 && `keeps firing for ${formatDuration(rule.keepFiringFor ?? 0)} · `}
        {evaluated(rule.lastEvaluation, rule.evaluationTime, at)}
      </p>
      {rule.lastError !== undefined && <p className="fault">{rule.lastError}</p>}
    </article>
  );
}
