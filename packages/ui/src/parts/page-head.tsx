import type {ReactNode} from "react";

type Props = {
  readonly title: string;
  /** One line below the title. */
  readonly about?: ReactNode;
  /** The search field is left out without it. */
  readonly filter?: string;
  readonly onFilter?: (filter: string) => void;
  readonly placeholder?: string;
  /** Other filters, between title and search field. */
  readonly children?: ReactNode;
};

/** The head of a page: its title, filters and a search field, which `/` jumps to. */
export function PageHead({title, about, filter, onFilter, placeholder, children}: Props): ReactNode {
  return (
    <div className="page-head">
      <div className="page-title">
        <h1>{title}</h1>
        {about !== undefined && <p className="muted">{about}</p>}
      </div>
      {children}
      {onFilter !== undefined && (
        <input
          type="search"
          aria-label={`Filter ${title.toLowerCase()}`}
          placeholder={placeholder}
          value={filter}
          onChange={(event) => onFilter(event.target.value)}
        />
      )}
    </div>
  );
}

/** A row of states to show or hide, with how many there are of each. */
export function StateChecks<S extends string>(props: {
  readonly label: string;
  readonly states: readonly S[];
  readonly hidden: ReadonlySet<S>;
  readonly count: (state: S) => number;
  readonly onToggle: (state: S) => void;
}): ReactNode {
  return (
    <fieldset className="checks">
      <legend className="sr-only">{props.label}</legend>
      {props.states.map((state) => (
        <label key={state} className="check">
          <input type="checkbox" checked={!props.hidden.has(state)} onChange={() => props.onToggle(state)} />
          {state} ({props.count(state)})
        </label>
      ))}
    </fieldset>
  );
}

/** `set` with `item` taken out, or put in. */
export function toggled<T>(set: ReadonlySet<T>, item: T): ReadonlySet<T> {
  const next = new Set(set);
  if (!next.delete(item)) next.add(item);
  return next;
}
