import {useEffect, useRef} from "react";
import {PAGES} from "../pages.js";
import {navigate} from "./parts/navigate.ts";
import type {Offer} from "./parts/use-offer.ts";

const KEY = "strata.shortcuts";
/** How long after `g` the letter of a page may come, ms. */
const GO_MS = 1500;

/** Whether single keys do something; who speaks to the browser wants them off. */
export function shortcutsOn(): boolean {
  try {
    return localStorage.getItem(KEY) !== "off";
  } catch {
    return true;
  }
}

/** Switches single keys on or off for this browser. */
export function switchShortcuts(on: boolean): void {
  try {
    localStorage.setItem(KEY, on ? "on" : "off");
  } catch {
    // Storage may be forbidden; they then stay on.
  }
}

type Actions = {readonly offer: Offer | undefined; readonly help: () => void; readonly theme: () => void};

/** Keys that work wherever nothing is being typed: `?`, `/`, `t`, and `g` with the letter of a page. */
export function useShortcuts(actions: Actions): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    let going = 0;
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (typing(event.target) || document.querySelector("dialog[open]") !== null) return;
      // Help is always there: it is where the rest is switched on again.
      if (event.key !== "?" && !shortcutsOn()) return;
      const went = event.timeStamp - going < GO_MS && goTo(event.key, latest.current.offer);
      going = event.key === "g" ? event.timeStamp : 0;
      if (went || act(event.key, latest.current)) event.preventDefault();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}

function act(key: string, {help, theme}: Actions): boolean {
  if (key === "?") help();
  else if (key === "t") theme();
  else return key === "/" && focusField();
  return true;
}

function goTo(key: string, offer: Offer | undefined): boolean {
  const page = PAGES.find((one) => one.key === key);
  if (page === undefined || !offer?.pages.includes(page.path)) return false;
  navigate(page.path);
  return true;
}

/** The search field of a page, or the first editor. */
function focusField(): boolean {
  const field = document.querySelector<HTMLElement>('main input[type="search"], main .cm-content');
  field?.focus();
  return field !== null;
}

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches('input:not([type="checkbox"]), textarea, select'));
