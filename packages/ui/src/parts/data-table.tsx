import {type ReactNode, useState} from "react";
import {MoreButton} from "./pages.tsx";

export type Column<T> = {
  readonly name: string;
  readonly cell: (row: T) => ReactNode;
  /** Numbers stand on the right. */
  readonly right?: boolean;
  /** How much of the table it gets where there is room: tables below each other then line up. */
  readonly width?: string;
  /** Long text, which may wrap; other cells stay on one line. */
  readonly wrap?: boolean;
};

type Props<T> = {
  readonly label: string;
  /** The first one heads its row. */
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly rowKey: (row: T, index: number) => string;
};

/** Rows drawn at first; more are a click away. */
const PAGE = 100;

/** A table that turns into a list of cards on narrow screens, each cell with the name of its column. */
export function DataTable<T>({label, columns, rows, rowKey}: Props<T>): ReactNode {
  const [limit, setLimit] = useState(PAGE);
  return (
    <div className="scroll">
      <table className="data" aria-label={label}>
        <thead>
          <tr>
            {columns.map(({name, right, width}) => (
              <th key={name} scope="col" className={right ? "right" : undefined} style={{width}}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, limit).map((row, i) => (
            <tr key={rowKey(row, i)}>
              {columns.map((column, at) => (
                <Cell key={column.name} column={column} first={at === 0} row={row} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      <MoreButton left={rows.length - limit} what="rows" onClick={() => setLimit((n) => n + 5 * PAGE)} />
    </div>
  );
}

function Cell<T>({column, first, row}: {column: Column<T>; first: boolean; row: T}): ReactNode {
  const classes = [column.right ? "right" : "", column.wrap ? "wrap" : ""].join(" ").trim() || undefined;
  if (first) {
    return (
      <th scope="row" className={classes}>
        {column.cell(row)}
      </th>
    );
  }
  return (
    <td data-name={column.name} className={classes}>
      <div>{column.cell(row)}</div>
    </td>
  );
}
