/** The last step of a page's address. */
export type PagePath = "graph" | "alerts" | "rules" | "targets" | "stores" | "blocks" | "queries" | "status";

/**
 * The pages in the order of the navigation: path below the prefix, title, letter that goes there after `g`, and the
 * path of the API that a component must have for the page to have something to show.
 */
export declare const PAGES: readonly {
  readonly path: PagePath;
  readonly title: string;
  readonly key: string;
  readonly needs: string;
}[];

/** Addresses of Thanos' pages that are elsewhere here, so that links to them lead somewhere. */
export declare const ALIASES: Readonly<Record<string, PagePath>>;
