import type {ReactNode} from "react";
import {counted, formatDuration} from "../format.ts";
import {Badge} from "../parts/badge.tsx";
import {Empty, Loaded} from "../parts/loaded.tsx";
import {MetricText} from "../parts/metric-text.tsx";
import {PageHead} from "../parts/page-head.tsx";
import {Pages} from "../parts/pages.tsx";
import {matchesFilter, useParam} from "../parts/use-param.ts";
import {evaluated} from "./evaluated.ts";
import {type Group, queryLink, type Rule, useRules} from "./use-rules.ts";

/** All groups of rules with how each rule does. */
export function RulesPage(): ReactNode {
  const polled = useRules("all");
  const [filter, setFilter] = useParam("filter");
  const [only, setOnly] = useParam("errors");
  const wanted = (group: Group, rule: Rule): boolean => {
    if (only !== "" && rule.health !== "err") return false;
    const text = `${group.name} ${group.file} ${rule.name} ${rule.query} ${JSON.stringify(rule.labels)}`;
    return matchesFilter(text, filter);
  };
  return (
    <div className="rules">
      <PageHead title="Rules" filter={filter} onFilter={setFilter} placeholder="Name, label, group or expression">
        <label className="check">
          <input type="checkbox" checked={only !== ""} onChange={(event) => setOnly(event.target.checked ? "1" : "")} />
          Only with errors
        </label>
      </PageHead>
      <Loaded polled={polled} what="the rules">
        {({groups}, at) => <Groups groups={groups} at={at} wanted={wanted} />}
      </Loaded>
    </div>
  );
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
  if (groups.length === 0) return <Empty>There are no rules.</Empty>;
  const shown = groups
    .map((group) => ({group, rules: group.rules.filter((rule) => keep(group, rule))}))
    .filter(({rules}) => rules.length > 0);
  if (shown.length === 0) return <Empty>No rule matches the filter.</Empty>;
  return (
    <Pages
      items={shown}
      size={50}
      render={({group, rules}) => (
        <GroupPanel key={`${group.file};${group.name}`} group={group} rules={rules} at={at} />
      )}
    />
  );
}

function GroupPanel({group, rules, at}: {group: Group; rules: readonly Rule[]; at: number}): ReactNode {
  return (
    <section className="panel" aria-label={group.name}>
      <h2>
        {group.name}
        <span className="muted">
          {group.file} · every {formatDuration(group.interval)} ·{" "}
          {evaluated(group.lastEvaluation, group.evaluationTime, at)} · {counted(group.rules.length, "rule", "rules")}
        </span>
      </h2>
      <Pages
        items={rules}
        size={100}
        render={(rule) => (
          <RuleRow key={`${rule.type} ${rule.name} ${rule.query} ${JSON.stringify(rule.labels)}`} rule={rule} at={at} />
        )}
      />
    </section>
  );
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
        <a href={queryLink(rule.query)}>
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
