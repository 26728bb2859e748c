/**
 * The pages in the order of the navigation: path below the prefix, title, and the path of the API that a component must
 * have for the page to have something to show.
 */
export const PAGES = /** @type {const} */ ([
  {path: "graph", title: "Query", needs: "/query"},
  {path: "alerts", title: "Alerts", needs: "/rules"},
  {path: "rules", title: "Rules", needs: "/rules"},
  {path: "targets", title: "Targets", needs: "/targets"},
  {path: "stores", title: "Stores", needs: "/stores"},
  {path: "blocks", title: "Blocks", needs: "/blocks"},
  {path: "queries", title: "Running", needs: "/queries/active"},
  {path: "status", title: "Status", needs: "/status/buildinfo"},
]);
