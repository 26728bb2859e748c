import {Fragment, type ReactNode} from "react";
import {formatMetric, type Metric} from "../format.ts";

/** A label set with its parts told apart, and copied as plain text. */
export function MetricText({metric}: {metric: Metric}): ReactNode {
  const {__name__: name = "", ...labels} = metric;
  const names = Object.keys(labels).sort();
  if (names.length === 0 || (name !== "" && !/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name))) {
    return <code className="metric">{formatMetric(metric)}</code>;
  }
  return (
    <code className="metric">
      {name}
      {"{"}
      {names.map((label, i) => (
        <Fragment key={label}>
          <span className="pair">
            <span className="label">{/^\w+$/.test(label) ? label : JSON.stringify(label)}</span>=
            <span className="string">{JSON.stringify(labels[label])}</span>
            {i < names.length - 1 && ","}
          </span>
          {i < names.length - 1 && " "}
        </Fragment>
      ))}
      {"}"}
    </code>
  );
}
