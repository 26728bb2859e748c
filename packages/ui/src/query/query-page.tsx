import {type ReactNode, useCallback, useEffect, useRef, useState} from "react";
import type {Offer} from "../parts/use-offer.ts";
import {DEFAULT_PANEL, type PanelState, panelsFromSearch, searchFromPanels} from "../url-state.ts";
import {QueryPanel} from "./query-panel.tsx";

type Keyed = {readonly key: number; readonly state: PanelState};

/** One or more panels below each other; the address holds all of their state. */
export function QueryPage({dark, offer}: {dark: boolean; offer: Offer | undefined}): ReactNode {
  const nextKey = useRef(0);
  const keyed = useCallback((states: readonly PanelState[]): Keyed[] => {
    return states.map((state) => ({key: nextKey.current++, state}));
  }, []);
  const [panels, setPanels] = useState<readonly Keyed[]>(() => keyed(panelsFromSearch(location.search)));
  const latest = useRef(panels);
  latest.current = panels;

  useEffect(() => {
    const restore = (): void => setPanels(keyed(panelsFromSearch(location.search)));
    window.addEventListener("popstate", restore);
    return () => window.removeEventListener("popstate", restore);
  }, [keyed]);

  /** Shows `next` and puts it into the address, as a new entry of the history when it is another query. */
  const show = useCallback((next: readonly Keyed[], newEntry: boolean): void => {
    latest.current = next;
    setPanels(next);
    // Against the page's own address: the document's base is the folder above it.
    const url = new URL(searchFromPanels(next.map((panel) => panel.state)), location.href);
    if (newEntry) history.pushState(null, "", url);
    else history.replaceState(null, "", url);
  }, []);

  const change = useCallback(
    (key: number, state: PanelState): void => {
      const before = latest.current.find((panel) => panel.key === key)?.state;
      const next = latest.current.map((panel) => (panel.key === key ? {key, state} : panel));
      show(next, before?.exprs.some((expr) => expr !== "") === true && isOther(before, state));
    },
    [show],
  );

  const last = panels.at(-1)?.state ?? DEFAULT_PANEL;
  return (
    <>
      <h1 className="sr-only">Query</h1>
      {panels.map(({key, state}, i) => (
        <QueryPanel
          key={key}
          label={panels.length > 1 ? `Query ${i + 1}` : "Query"}
          state={state}
          dark={dark}
          focus={i === panels.length - 1}
          tenantHeader={offer?.tenantHeader}
          onChange={(changed) => change(key, changed)}
          onRemove={
            panels.length > 1
              ? () =>
                  show(
                    panels.filter((panel) => panel.key !== key),
                    true,
                  )
              : undefined
          }
        />
      ))}
      <button
        type="button"
        className="quiet add"
        onClick={() => show([...panels, ...keyed([{...last, exprs: [""]}])], true)}
      >
        + Add panel
      </button>
    </>
  );
}

/** Whether other expressions are asked: only then the browser's way back leads to the ones before. */
const isOther = (a: PanelState, b: PanelState): boolean => JSON.stringify(a.exprs) !== JSON.stringify(b.exprs);
