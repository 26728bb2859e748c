import {useEffect, useState} from "react";

/** A text that stands in the page's address as a parameter, so that a link shows the same; "" leaves it out. */
export function useParam(name: string): [string, (value: string) => void] {
  const [value, setValue] = useState(() => read(name));
  useEffect(() => {
    const sync = (): void => setValue(read(name));
    window.addEventListener("popstate", sync);
    return () => window.removeEventListener("popstate", sync);
  }, [name]);
  const set = (next: string): void => {
    setValue(next);
    const url = new URL(location.href);
    if (next === "") url.searchParams.delete(name);
    else url.searchParams.set(name, next);
    history.replaceState(null, "", url);
  };
  return [value, set];
}

const read = (name: string): string => new URLSearchParams(location.search).get(name) ?? "";

/** Whether a text has all words of a filter in it, in any case. */
export function matchesFilter(text: string, filter: string): boolean {
  const lower = text.toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => lower.includes(word));
}
