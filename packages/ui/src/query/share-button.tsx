import {type ReactNode, useEffect, useState} from "react";
import {Dialog} from "../parts/confirm.tsx";
import {type PanelState, pinned, searchFromPanels} from "../url-state.ts";

/** How long the button says that the link is copied, ms. */
const SAID_MS = 2000;

/** Copies a link that shows others what is seen now: what ends "now" is pinned to this moment. */
export function ShareButton({state}: {state: PanelState}): ReactNode {
  const [copied, setCopied] = useState(false);
  const [shown, setShown] = useState<string>();
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SAID_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const share = (): void => {
    const link = new URL(searchFromPanels([pinned(state, Date.now() / 1000)]), location.href).href;
    // Over plain HTTP browsers have no clipboard for pages.
    const writing = navigator.clipboard?.writeText(link) ?? Promise.reject(new Error("no clipboard"));
    writing.then(
      () => setCopied(true),
      () => setShown(link),
    );
  };
  return (
    <>
      <button type="button" className="quiet" onClick={share} title="Copy a link to exactly this, its times pinned">
        <span aria-live="polite">{copied ? "Link copied" : "Share"}</span>
      </button>
      {shown !== undefined && (
        <Dialog title="Link to this query" onClose={() => setShown(undefined)}>
          <input className="full" aria-label="Link" readOnly value={shown} onFocus={(event) => event.target.select()} />
          <div className="buttons">
            <button type="button" onClick={() => setShown(undefined)}>
              Close
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
