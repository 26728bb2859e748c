import type {ReactNode} from "react";
import {formatAgo, formatElapsed} from "../format.ts";
import type {RulesLoad} from "./use-rules.ts";

/** The head of a page with a search field. */
export function Title({
  text,
  filter,
  onFilter,
  children,
}: {
  text: string;
  filter: string;
  onFilter: (filter: string) => void;
  children?: ReactNode;
}): ReactNode {
  return (
    <div className="title">
      <h1>{text}</h1>
      {children}
      <input
        type="search"
        aria-label={`Filter ${text.toLowerCase()}`}
        placeholder="Filter by name, label, group or expression"
        value={filter}
        onChange={(event) => onFilter(event.target.value)}
      />
    </div>
  );
}

/** What stands in place of the rules while there are none to show; undefined when there are. */
export function placeholder(load: RulesLoad, retry: () => void): ReactNode {
  if (load.state === "loading") return <p className="empty">Loading…</p>;
  if (load.state !== "failed") return undefined;
  return (
    <div className="message error" role="alert">
      <strong>Cannot list the rules</strong>
      <p>{load.error.message}</p>
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}

/** What the server had to say besides the rules. */
export function Warnings({warnings}: {warnings: readonly string[]}): ReactNode {
  return warnings.map((text) => (
    <div className="message warning" key={text}>
      <p>{text}</p>
    </div>
  ));
}

const KINDS: Readonly<Record<string, string>> = {
  ok: "up",
  inactive: "up",
  pending: "waiting",
  firing: "down",
  err: "down",
};

/** A state or a health as a word with a colour. */
export const Badge = ({state}: {state: string}): ReactNode => (
  <span className={`badge ${KINDS[state] ?? "unknown"}`}>{state}</span>
);

/** When something was evaluated and how long it took; the year 1 is "never". */
export function evaluated(last: string, seconds: number, at: number): string {
  const time = Date.parse(last);
  if (Number.isNaN(time) || time < 0) return "never evaluated";
  return `${formatAgo((at - time) / 1000)}, took ${formatElapsed(seconds * 1000)}`;
}
