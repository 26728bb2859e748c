import {lazy, type ReactNode, Suspense, useEffect, useRef, useState} from "react";
import {PAGES, type PagePath} from "../pages.js";
import {HelpDialog} from "./help-dialog.tsx";
import {ErrorBoundary} from "./parts/error-boundary.tsx";
import {Loading} from "./parts/loaded.tsx";
import {followLinks, pageAt} from "./parts/navigate.ts";
import {type Offer, useOffer} from "./parts/use-offer.ts";
import {useShortcuts} from "./shortcuts.ts";
import {useTheme} from "./theme.ts";
import {TopBar} from "./top-bar.tsx";

type ViewProps = {readonly dark: boolean; readonly offer: Offer | undefined};

/** Each page's code is fetched when the page is first shown. */
const VIEWS: Readonly<Record<PagePath, (props: ViewProps) => ReactNode>> = {
  graph: lazy(async () => ({default: (await import("./query/query-page.tsx")).QueryPage})),
  alerts: lazy(async () => ({default: (await import("./rules/alerts-page.tsx")).AlertsPage})),
  rules: lazy(async () => ({default: (await import("./rules/rules-page.tsx")).RulesPage})),
  targets: lazy(async () => ({default: (await import("./targets/targets-page.tsx")).TargetsPage})),
  stores: lazy(async () => ({default: (await import("./stores/stores-page.tsx")).StoresPage})),
  blocks: lazy(async () => ({default: (await import("./blocks/blocks-page.tsx")).BlocksPage})),
  queries: lazy(async () => ({default: (await import("./queries/queries-page.tsx")).QueriesPage})),
  status: lazy(async () => ({default: (await import("./status/status-page.tsx")).StatusPage})),
};

export function App(): ReactNode {
  const theme = useTheme();
  const offer = useOffer();
  const main = useRef<HTMLElement>(null);
  const page = usePage(offer);
  const [help, setHelp] = useState(false);
  useShortcuts({offer, help: () => setHelp(true), theme: theme.next});

  useEffect(() => {
    document.addEventListener("click", followLinks);
    return () => document.removeEventListener("click", followLinks);
  }, []);

  const title = PAGES.find(({path}) => path === page)?.title ?? "Strata";
  useEffect(() => {
    document.title = `${title} · Strata`;
  }, [title]);

  return (
    <>
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <TopBar page={page} offer={offer} theme={theme} onHelp={() => setHelp(true)} />
      <main tabIndex={-1} ref={main}>
        <Content page={page} offer={offer} dark={theme.dark} />
      </main>
      {help && <HelpDialog offer={offer} onClose={() => setHelp(false)} />}
    </>
  );
}

function Content({page, offer, dark}: ViewProps & {page: PagePath | "" | undefined}): ReactNode {
  if (page === "") return offer === undefined ? <Loading /> : <p className="empty">This component has no pages.</p>;
  if (page === undefined || (offer !== undefined && !offer.pages.includes(page))) {
    const first = offer?.pages[0] ?? "graph";
    return (
      <div className="empty">
        <h1>There is nothing here</h1>
        <p>
          {page === undefined ? "No page has this address." : `This component (${offer?.component}) has no such page.`}{" "}
          <a href={first}>Go to the first page</a>
        </p>
      </div>
    );
  }
  const View = VIEWS[page];
  return (
    <ErrorBoundary key={page}>
      <Suspense fallback={<Loading />}>
        <View dark={dark} offer={offer} />
      </Suspense>
    </ErrorBoundary>
  );
}

/** The page that the address names; the root shows the first page that the server has. */
function usePage(offer: Offer | undefined): PagePath | "" | undefined {
  const [page, setPage] = useState(() => pageAt(location.pathname));
  useEffect(() => {
    const sync = (): void => setPage(pageAt(location.pathname));
    window.addEventListener("popstate", sync);
    return () => window.removeEventListener("popstate", sync);
  }, []);
  const first = offer?.pages[0];
  return page === "" && first !== undefined ? first : page;
}
