import type {ReactNode} from "react";
import type {ApiError} from "../api.ts";
import {counted} from "../format.ts";
import type {ParseError} from "../parse-error.ts";
import {Warnings} from "../parts/loaded.tsx";

const TITLES: Readonly<Record<string, string>> = {
  bad_data: "The query is not valid",
  execution: "The query could not be evaluated",
  timeout: "The query took too long",
  canceled: "The query was cancelled",
  internal: "The server failed",
  unavailable: "The server is not available",
  unreachable: "No connection",
};

type ErrorProps = {
  readonly error: ApiError;
  readonly expr: string;
  readonly fault: ParseError | undefined;
  /** Of the expression, where there are several. */
  readonly letter?: string;
};

/** What went wrong; a parse error also shows the line with a mark below the place. */
export function ErrorMessage({error, expr, fault, letter = ""}: ErrorProps): ReactNode {
  return (
    <div className="message error" role="alert">
      <strong>
        {letter !== "" && `${letter}: `}
        {fault === undefined ? (TITLES[error.type] ?? error.type) : "Parse error"}
      </strong>
      {fault === undefined ? (
        <p>{error.message}</p>
      ) : (
        <>
          <p>
            {fault.message}{" "}
            <span className="muted">
              (line {fault.line}, column {fault.column})
            </span>
          </p>
          <Excerpt expr={expr} index={fault.index} />
        </>
      )}
    </div>
  );
}

/** How much of a long line is shown around the fault. */
const BEFORE = 60;
const AFTER = 40;

function Excerpt({expr, index}: {expr: string; index: number}): ReactNode {
  const lineStart = expr.lastIndexOf("\n", index - 1) + 1;
  const newline = expr.indexOf("\n", index);
  const lineEnd = newline < 0 ? expr.length : newline;
  const from = Math.max(lineStart, index - BEFORE);
  const to = Math.min(lineEnd, index + AFTER);
  return (
    <pre className="excerpt">
      {from > lineStart ? "…" : ""}
      {expr.slice(from, index)}
      <mark>{index < to ? expr.slice(index, index + 1) : "\u00a0"}</mark>
      {expr.slice(index + 1, to)}
      {to < lineEnd ? "…" : ""}
    </pre>
  );
}

type NoticesProps = {readonly warnings: readonly string[]; readonly infos: readonly string[]};

/** Warnings stand open; notes about the data can be opened. */
export function Notices({warnings, infos}: NoticesProps): ReactNode {
  return (
    <>
      <Warnings warnings={warnings} />
      {infos.length > 0 && (
        <details className="message note">
          <summary>{counted(infos.length, "note", "notes")}</summary>
          <ul>
            {infos.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
