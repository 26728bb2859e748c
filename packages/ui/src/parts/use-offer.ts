import {useEffect, useState} from "react";
import {PAGES, type PagePath} from "../../pages.js";
import {callApi, toApiError} from "../api.ts";

/** What the component behind the pages has. */
export type Offer = {
  /** `query`, `store`, …; "" where the server does not say. */
  readonly component: string;
  readonly version: string;
  readonly pages: readonly PagePath[];
  /** Whether the API has a path, such as `/status/tsdb`. */
  has(path: string): boolean;
  /** Request header that names the tenant; undefined where requests have none. */
  readonly tenantHeader: string | undefined;
};

type PagesAnswer = {
  readonly component: string;
  readonly version: string;
  readonly paths: readonly string[];
  readonly tenantHeader: string | null;
};

/** What the server behind the page offers; undefined until it is known. */
export function useOffer(): Offer | undefined {
  const [offer, setOffer] = useState<Offer>();
  useEffect(() => {
    const abort = new AbortController();
    callApi<PagesAnswer>("status/pages", {signal: abort.signal}).then(
      ({data}) => setOffer(offerOf(data)),
      (err: unknown) => {
        if (abort.signal.aborted) return;
        // A server that cannot say, such as another's querier behind our query frontend, or one that is away for now.
        console.info("cannot learn what the server offers", toApiError(err).message);
        setOffer(EVERYTHING);
      },
    );
    return () => abort.abort();
  }, []);
  return offer;
}

function offerOf({component, version, paths, tenantHeader}: PagesAnswer): Offer {
  const known = new Set(paths);
  return {
    component,
    version,
    pages: PAGES.filter(({needs}) => known.has(needs)).map(({path}) => path),
    has: (path) => known.has(path),
    tenantHeader: tenantHeader ?? undefined,
  };
}

const EVERYTHING: Offer = {
  component: "",
  version: "",
  pages: PAGES.map(({path}) => path),
  has: () => true,
  tenantHeader: "THANOS-TENANT",
};
