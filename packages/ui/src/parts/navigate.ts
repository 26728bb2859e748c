import {ALIASES, PAGES, type PagePath} from "../../pages.js";
import {baseUrl} from "../api.ts";

/** The page that a path shows: "" for the root, undefined where there is none. */
export function pageAt(path: string): PagePath | "" | undefined {
  const base = new URL(baseUrl()).pathname;
  const name = path.startsWith(base) ? path.slice(base.length).replace(/\/+$/, "") : undefined;
  if (name === undefined || name === "") return name;
  return PAGES.find((page) => page.path === name)?.path ?? (Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined);
}

/** Goes to an address of these pages without loading the document anew; whoever shows addresses hears `popstate`. */
export function navigate(to: string | URL): void {
  const url = new URL(to, baseUrl());
  if (url.href === location.href) return;
  history.pushState(null, "", url);
  window.dispatchEvent(new PopStateEvent("popstate"));
  window.scrollTo(0, 0);
}

/** Takes over plain clicks on links to these pages, wherever in the document they are. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  const link = (event.target as Element).closest("a");
  if (link === null || link.target !== "" || link.hasAttribute("download")) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || pageAt(url.pathname) === undefined) return;
  event.preventDefault();
  navigate(url);
}
