import type {ReactNode} from "react";
import {counted, formatAgo} from "../format.ts";
import type {Polled} from "./use-polled.ts";

type Props<T> = {
  readonly polled: Polled<T>;
  /** What cannot be listed when it fails: "the stores". */
  readonly what: string;
  readonly children: (data: T, at: number) => ReactNode;
};

/** What was asked for, with what is said beside it: that it loads, fails, is old, or has gaps. */
export function Loaded<T>({polled, what, children}: Props<T>): ReactNode {
  const {answer, at, error, refresh} = polled;
  return (
    <>
      {error !== undefined && (
        <div className="message error" role="alert">
          <strong>Cannot list {what}</strong>
          <p>
            {error.message}
            {answer !== undefined && ` What follows was true ${formatAgo((Date.now() - at) / 1000)}.`}
          </p>
          <button type="button" onClick={refresh}>
            Try again
          </button>
        </div>
      )}
      {answer === undefined && error === undefined && <Loading />}
      {answer !== undefined && <Warnings warnings={answer.warnings} />}
      {answer !== undefined && children(answer.data, at)}
    </>
  );
}

/** Grey bars where lines will be. */
export function Loading(): ReactNode {
  return (
    <div className="panel skeleton" role="status">
      <span className="sr-only">Loading…</span>
      <i />
      <i />
      <i />
    </div>
  );
}

/** Where there is nothing to list: says so, and what would be there. */
export const Empty = ({children}: {children: ReactNode}): ReactNode => <p className="empty">{children}</p>;

/** What the server had to say besides the answer. */
export function Warnings({warnings}: {warnings: readonly string[]}): ReactNode {
  if (warnings.length === 0) return undefined;
  return (
    <div className="message warning" role="status">
      <strong>{counted(warnings.length, "warning", "warnings")}</strong>
      <ul>
        {warnings.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </div>
  );
}
