import type {Api} from "./envelope.ts";

export type PagesOptions = {
  readonly component: string;
  readonly version: string;
  /** Request header that names the tenant; undefined where requests have none. */
  readonly tenantHeader: string | undefined;
};

/**
 * Adds `/status/pages`, from which the web pages learn which component is behind them and what its API has, and thus
 * which of them have something to show. Strata's own.
 */
export function addPagesRoute(api: Api, options: PagesOptions): void {
  const {component, version, tenantHeader} = options;
  api.add(["GET"], "/status/pages", "status_pages", () => ({
    data: {component, version, paths: [...api.paths].sort(), tenantHeader: tenantHeader ?? null},
  }));
}
