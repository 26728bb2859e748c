import type {ReactNode} from "react";
import type {ParseError} from "../parse-error.ts";
import {exprLetter, MAX_EXPRS} from "../url-state.ts";
import {ExpressionEditor} from "./expression-editor.tsx";

type Props = {
  readonly label: string;
  readonly exprs: readonly string[];
  readonly focus: boolean;
  readonly tenant: Readonly<Record<string, string>>;
  /** By the expression's place. */
  readonly faults: ReadonlyMap<number, ParseError>;
  readonly onDraft: (index: number, text: string) => void;
  readonly onExecute: () => void;
  readonly onAdd: () => void;
  readonly onRemove: (index: number) => void;
  /** Buttons below the editors. */
  readonly children: ReactNode;
};

/** The editors of a panel, one below the other; several have letters, by which the legend names them. */
export function Expressions(props: Props): ReactNode {
  const {label, exprs, focus, tenant, faults, onDraft, onExecute, onAdd, onRemove, children} = props;
  const several = exprs.length > 1;
  return (
    <div className="expressions">
      {exprs.map((expr, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an expression is its place; its text is what changes
        <div className="expression" key={i}>
          {several && <span className="letter">{exprLetter(i)}</span>}
          <ExpressionEditor
            value={expr}
            label={several ? `${label} ${exprLetter(i)}: PromQL expression` : `${label}: PromQL expression`}
            focus={focus && i === exprs.length - 1}
            headers={tenant}
            fault={faults.get(i)}
            onChange={(text) => onDraft(i, text)}
            onExecute={onExecute}
          />
          {several && (
            <button
              type="button"
              className="quiet drop"
              aria-label={`Remove expression ${exprLetter(i)}`}
              title="Remove"
              onClick={() => onRemove(i)}
            >
              ×
            </button>
          )}
        </div>
      ))}
      <div className="below">
        {exprs.length < MAX_EXPRS && (
          <button type="button" className="quiet another" onClick={onAdd}>
            + Expression on the same graph
          </button>
        )}
        <div>{children}</div>
      </div>
    </div>
  );
}
