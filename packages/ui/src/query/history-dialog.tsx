import {type ReactNode, useState} from "react";
import {formatAgo} from "../format.ts";
import {Dialog} from "../parts/confirm.tsx";
import {MoreButton} from "../parts/pages.tsx";
import {matchesFilter} from "../parts/use-param.ts";
import {forget, readHistory} from "./query-history.ts";

const PAGE = 50;

/** The queries run in this browser before, to be run again. */
export function HistoryDialog({onPick, onClose}: {onPick: (expr: string) => void; onClose: () => void}): ReactNode {
  const [list, setList] = useState(readHistory);
  const [filter, setFilter] = useState("");
  const [limit, setLimit] = useState(PAGE);
  const [now] = useState(() => Date.now());
  const shown = list.filter(({expr}) => matchesFilter(expr, filter));
  const drop = (expr?: string): void => {
    forget(expr);
    setList(readHistory());
  };
  return (
    <Dialog title="History" onClose={onClose}>
      <input
        type="search"
        className="full"
        aria-label="Filter history"
        placeholder="Part of an expression"
        value={filter}
        onChange={(event) => setFilter(event.target.value)}
      />
      {shown.length === 0 && (
        <p className="empty">
          {list.length === 0 ? "No query was run in this browser yet." : "No query matches the filter."}
        </p>
      )}
      <ul className="plain history" aria-label="Past queries">
        {shown.slice(0, limit).map(({expr, at}) => (
          <li key={expr} className="past">
            <button type="button" className="quiet pick" onClick={() => onPick(expr)}>
              <code className="metric">{expr}</code>
              <span className="muted">{formatAgo((now - at) / 1000)}</span>
            </button>
            <button type="button" className="quiet" aria-label={`Forget ${expr}`} onClick={() => drop(expr)}>
              ×
            </button>
          </li>
        ))}
      </ul>
      <MoreButton left={shown.length - limit} what="queries" onClick={() => setLimit((n) => n + 4 * PAGE)} />
      <div className="buttons">
        {list.length > 0 && (
          <button type="button" className="danger" onClick={() => drop()}>
            Forget all
          </button>
        )}
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
