/**
 * The pages in the order of the navigation: path below the prefix, title, letter that goes there after `g`, and the
 * path of the API that a component must have for the page to have something to show.
 */
export const PAGES = /** @type {const} */ ([
  {path: "graph", title: "Query", key: "q", needs: "/query"},
  {path: "alerts", title: "Alerts", key: "a", needs: "/rules"},
  {path: "rules", title: "Rules", key: "r", needs: "/rules"},
  {path: "targets", title: "Targets", key: "t", needs: "/targets"},
  {path: "stores", title: "Stores", key: "s", needs: "/stores"},
  {path: "blocks", title: "Blocks", key: "b", needs: "/blocks"},
  {path: "queries", title: "Running", key: "n", needs: "/queries/active"},
  {path: "status", title: "Status", key: "i", needs: "/status/buildinfo"},
]);

/** Addresses of Thanos' pages that are elsewhere here, so that links to them lead somewhere. */
export const ALIASES = /** @type {const} */ ({loaded: "blocks", flags: "status", "tsdb-status": "status"});
