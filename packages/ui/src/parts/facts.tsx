import type {ReactNode} from "react";

/** Names with their values; what is empty is left out. */
export const Facts = ({facts}: {facts: readonly (readonly [string, ReactNode])[]}): ReactNode => (
  <dl className="facts">
    {facts
      .filter(([, value]) => value !== "")
      .map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
  </dl>
);
