import {type ReactNode, useEffect, useRef, useState} from "react";
import {PAGES, type PagePath} from "../pages.js";
import type {Offer} from "./parts/use-offer.ts";
import type {Theme, ThemeChoice} from "./theme.ts";

type Props = {
  readonly page: PagePath | "" | undefined;
  readonly offer: Offer | undefined;
  readonly theme: Theme;
  readonly onHelp: () => void;
};

/** Name, pages and theme. On narrow screens the pages hide behind a button. */
export function TopBar({page, offer, theme, onHelp}: Props): ReactNode {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page closes the menu
  useEffect(() => setOpen(false), [page]);
  return (
    <header className="top">
      <a className="brand" href={offer?.pages[0] ?? "graph"}>
        <Logo />
        <span>Strata</span>
        {offer !== undefined && offer.component !== "" && <span className="component">{offer.component}</span>}
      </a>
      <button
        type="button"
        className="quiet menu"
        ref={button}
        aria-expanded={open}
        aria-controls="pages"
        onClick={() => setOpen(!open)}
      >
        {PAGES.find(({path}) => path === page)?.title ?? "Pages"} <span aria-hidden="true">▾</span>
      </button>
      <nav
        id="pages"
        aria-label="Pages"
        className={open ? "open" : undefined}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || !open) return;
          setOpen(false);
          button.current?.focus();
        }}
      >
        {PAGES.filter(({path}) => offer?.pages.includes(path)).map(({path, title}) => (
          <a key={path} href={path} aria-current={path === page ? "page" : undefined} onClick={() => setOpen(false)}>
            {title}
          </a>
        ))}
      </nav>
      <button type="button" className="quiet help" onClick={onHelp} aria-label="Keys" title="Keys (?)">
        ?
      </button>
      <ThemeButton choice={theme.choice} next={theme.next} />
    </header>
  );
}

const THEME_TEXT: Readonly<Record<ThemeChoice, string>> = {system: "Auto", light: "Light", dark: "Dark"};

function ThemeButton({choice, next}: {choice: ThemeChoice; next: () => void}): ReactNode {
  return (
    <button type="button" className="quiet theme" onClick={next} aria-label={`Theme: ${THEME_TEXT[choice]}. Change`}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <circle cx="8" cy="8" r="5.500" fill="none" stroke="currentColor" strokeWidth="1.500" />
        <path d="M8 2.500a5.500 5.500 0 0 1 0 11z" fill="currentColor" />
      </svg>
      <span>{THEME_TEXT[choice]}</span>
    </button>
  );
}

function Logo(): ReactNode {
  return (
    <svg
      viewBox="0 0 24 24"
      width="22"
      height="22"
      aria-hidden="true"
      fill="none"
      strokeWidth="2.600"
      strokeLinecap="round"
    >
      <path d="M2.500 6c4-2.500 7 2.500 19-.5" stroke="currentColor" />
      <path d="M2.500 12c5-2.500 8 2.500 19-.5" stroke="currentColor" opacity=".7" />
      <path d="M2.500 18c4-2.500 9 2.500 19-.5" stroke="currentColor" opacity=".45" />
    </svg>
  );
}
