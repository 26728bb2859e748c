import {useEffect, useState} from "react";

/** What the user asked for; "system" follows the operating system. */
export type ThemeChoice = "system" | "light" | "dark";

const KEY = "strata.theme";
const ORDER: readonly ThemeChoice[] = ["system", "light", "dark"];

const darkQuery = (): MediaQueryList => window.matchMedia("(prefers-color-scheme: dark)");

function stored(): ThemeChoice {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
    return "system";
  }
}

const isDark = (choice: ThemeChoice): boolean => (choice === "system" ? darkQuery().matches : choice === "dark");

/** Puts the theme on the document before anything is drawn. */
export function applyTheme(choice: ThemeChoice = stored()): void {
  document.documentElement.dataset.theme = isDark(choice) ? "dark" : "light";
}

/** The theme in force, the choice behind it, and a function that moves on to the next choice. */
export type Theme = {readonly dark: boolean; readonly choice: ThemeChoice; readonly next: () => void};

export function useTheme(): Theme {
  const [choice, setChoice] = useState<ThemeChoice>(stored);
  const [dark, setDark] = useState(() => isDark(choice));
  useEffect(() => {
    const update = (): void => {
      applyTheme(choice);
      setDark(isDark(choice));
    };
    update();
    const query = darkQuery();
    query.addEventListener("change", update);
    return () => query.removeEventListener("change", update);
  }, [choice]);
  const next = (): void => {
    const chosen = ORDER[(ORDER.indexOf(choice) + 1) % ORDER.length] as ThemeChoice;
    setChoice(chosen);
    try {
      localStorage.setItem(KEY, chosen);
    } catch {
      // See stored().
    }
  };
  return {dark, choice, next};
}
