import {type MouseEvent, type ReactNode, useEffect, useRef, useState} from "react";
import {QueryPage} from "./query/query-page.tsx";
import {AlertsPage} from "./rules/alerts-page.tsx";
import {RulesPage} from "./rules/rules-page.tsx";
import {StoresPage} from "./stores/stores-page.tsx";
import {type ThemeChoice, useTheme} from "./theme.ts";
import {useIsQuerier} from "./use-is-querier.ts";

type Page = "graph" | "stores" | "alerts" | "rules" | "unknown";

const TITLES: Readonly<Record<Page, string>> = {
  graph: "Query",
  stores: "Stores",
  alerts: "Alerts",
  rules: "Rules",
  unknown: "Not found",
};

/** The last step of the path says which page this is, so that any prefix in front of it works. */
function pageOf(path: string): Page {
  const base = new URL(".", document.baseURI).pathname;
  const name = path.startsWith(base) ? path.slice(base.length).replace(/\/+$/, "") : "";
  if (name === "" || name === "graph") return "graph";
  return name === "stores" || name === "alerts" || name === "rules" ? name : "unknown";
}

export function App(): ReactNode {
  const theme = useTheme();
  const isQuerier = useIsQuerier();
  const main = useRef<HTMLElement>(null);
  const [page, setPage] = useState(() => pageOf(location.pathname));

  useEffect(() => {
    const sync = (): void => setPage(pageOf(location.pathname));
    window.addEventListener("popstate", sync);
    return () => window.removeEventListener("popstate", sync);
  }, []);

  useEffect(() => {
    document.title = `${TITLES[page]} · Strata`;
  }, [page]);

  useEffect(() => {
    if (isQuerier || page === "alerts" || page === "rules" || page === "unknown") return;
    history.replaceState(null, "", new URL("alerts", document.baseURI));
    setPage("alerts");
  }, [isQuerier, page]);

  const go = (event: MouseEvent<HTMLAnchorElement>, to: Page): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    if (to === page) return;
    history.pushState(null, "", new URL(to, document.baseURI));
    setPage(to);
  };

  const link = (to: Page, text: string): ReactNode => (
    <a href={to} aria-current={to === page ? "page" : undefined} onClick={(event) => go(event, to)}>
      {text}
    </a>
  );

  return (
    <>
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <header className="top">
        <a className="brand" href="graph" onClick={(event) => go(event, "graph")}>
          <Logo />
          <span>Strata</span>
        </a>
        <nav aria-label="Pages">
          {isQuerier && link("graph", "Query")}
          {isQuerier && link("stores", "Stores")}
          {link("alerts", "Alerts")}
          {link("rules", "Rules")}
        </nav>
        <ThemeButton choice={theme.choice} next={theme.next} />
      </header>
      <main tabIndex={-1} ref={main}>
        {page === "graph" && <QueryPage dark={theme.dark} />}
        {page === "stores" && <StoresPage />}
        {page === "alerts" && <AlertsPage />}
        {page === "rules" && <RulesPage />}
        {page === "unknown" && (
          <p className="empty">
            There is no page here. <a href="graph">Go to the query page</a>
          </p>
        )}
      </main>
    </>
  );
}

const THEME_TEXT: Readonly<Record<ThemeChoice, string>> = {system: "Auto", light: "Light", dark: "Dark"};

function ThemeButton({choice, next}: {choice: ThemeChoice; next: () => void}): ReactNode {
  return (
    <button type="button" className="quiet theme" onClick={next} aria-label={`Theme: ${THEME_TEXT[choice]}. Change`}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <circle cx="8" cy="8" r="5.500" fill="none" stroke="currentColor" strokeWidth="1.500" />
        <path d="M8 2.500a5.500 5.500 0 0 1 0 11z" fill="currentColor" />
      </svg>
      <span>{THEME_TEXT[choice]}</span>
    </button>
  );
}

function Logo(): ReactNode {
  return (
    <svg
      viewBox="0 0 24 24"
      width="22"
      height="22"
      aria-hidden="true"
      fill="none"
      strokeWidth="2.600"
      strokeLinecap="round"
    >
      <path d="M2.500 6c4-2.500 7 2.500 19-.5" stroke="currentColor" />
      <path d="M2.500 12c5-2.500 8 2.500 19-.5" stroke="currentColor" opacity=".7" />
      <path d="M2.500 18c4-2.500 9 2.500 19-.5" stroke="currentColor" opacity=".45" />
    </svg>
  );
}
