import {Fragment, type ReactNode, useState} from "react";
import {formatCount} from "../format.ts";

type Props<T> = {
  readonly items: readonly T[];
  /** How many are drawn at first, and more with each click. */
  readonly size: number;
  readonly render: (item: T, index: number) => ReactNode;
};

/** The first of many items, and a button for more: nobody reads ten thousand, and no browser likes to draw them. */
export function Pages<T>({items, size, render}: Props<T>): ReactNode {
  const [limit, setLimit] = useState(size);
  return (
    <Fragment>
      {items.slice(0, limit).map(render)}
      <MoreButton left={items.length - limit} what="" onClick={() => setLimit((n) => n + 4 * size)} />
    </Fragment>
  );
}

/** Says how many are left, and shows more of them; nothing where none is left. */
export function MoreButton(props: {left: number; what: string; onClick: () => void}): ReactNode {
  if (props.left <= 0) return undefined;
  return (
    <button type="button" className="quiet add" onClick={props.onClick}>
      {`${formatCount(props.left)} more ${props.what}`.trim()}
    </button>
  );
}
