import {type ReactNode, useEffect, useState} from "react";
import type {Store} from "../api.ts";
import {counted} from "../format.ts";
import {toggled} from "../parts/page-head.tsx";
import {usePolled} from "../parts/use-polled.ts";
import type {PanelState} from "../url-state.ts";

type Props = {
  readonly state: PanelState;
  readonly tenantHeader: string | undefined;
  readonly change: (part: Partial<PanelState>) => void;
};

/** How the panel's queries are asked, whatever they ask. */
export function QueryOptions({state, tenantHeader, change}: Props): ReactNode {
  return (
    <>
      <Check label="Deduplicate" checked={state.dedup} onChange={(dedup) => change({dedup})} />
      <Check
        label="Partial response"
        checked={state.partialResponse}
        onChange={(partialResponse) => change({partialResponse})}
      />
      <label className="field inline">
        <span>Resolution</span>
        <select value={state.maxResolution} onChange={(e) => change({maxResolution: e.target.value})}>
          <option value="">Server default</option>
          <option value="0s">Raw only</option>
          <option value="5m">Up to 5 m</option>
          <option value="1h">Up to 1 h</option>
          <option value="auto">Automatic</option>
        </select>
      </label>
      <StoreChoice chosen={state.stores} onChange={(stores) => change({stores})} />
      {tenantHeader !== undefined && <TenantInput value={state.tenant} onCommit={(tenant) => change({tenant})} />}
    </>
  );
}

function Check(props: {label: string; checked: boolean; onChange: (checked: boolean) => void}): ReactNode {
  return (
    <label className="check">
      <input type="checkbox" checked={props.checked} onChange={(event) => props.onChange(event.target.checked)} />
      <span>{props.label}</span>
    </label>
  );
}

/** Taken over on Enter or when the field is left, so that no half-typed tenant is asked. */
function TenantInput({value, onCommit}: {value: string; onCommit: (tenant: string) => void}): ReactNode {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const commit = (): void => {
    if (text.trim() !== value) onCommit(text.trim());
  };
  return (
    <label className="field inline">
      <span>Tenant</span>
      <input
        value={text}
        placeholder="default"
        size={12}
        autoCapitalize="off"
        spellCheck={false}
        onChange={(event) => setText(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => event.key === "Enter" && commit()}
      />
    </label>
  );
}

type StoresByType = Readonly<Record<string, readonly Store[]>>;

/** Which endpoints are asked; none chosen is all of them. They are listed once the choice is opened. */
function StoreChoice(props: {chosen: readonly string[]; onChange: (chosen: readonly string[]) => void}): ReactNode {
  const {chosen, onChange} = props;
  const [open, setOpen] = useState(false);
  const {answer, error} = usePolled<StoresByType>(open ? "stores" : undefined);
  const known = Object.values(answer?.data ?? {}).flatMap((stores) => stores.map(({name}) => name));
  // Those that an old link names and that are gone can still be unchosen.
  const names = [...new Set([...chosen, ...known])].sort();
  return (
    <details
      className="choice"
      open={open}
      onToggle={(event) => setOpen(event.currentTarget.open)}
      onKeyDown={(event) => event.key === "Escape" && setOpen(false)}
    >
      <summary>{chosen.length === 0 ? "All stores" : counted(chosen.length, "store", "stores")}</summary>
      <fieldset className="choices">
        <legend className="sr-only">Stores to ask</legend>
        {error !== undefined && <p className="fault">{error.message}</p>}
        {names.map((name) => (
          <label key={name} className="check">
            <input
              type="checkbox"
              checked={chosen.includes(name)}
              onChange={() => onChange([...toggled(new Set(chosen), name)])}
            />
            <span className="mono">{name}</span>
          </label>
        ))}
        {answer !== undefined && names.length === 0 && <p className="muted">No stores are connected.</p>}
        {chosen.length > 0 && (
          <button type="button" className="quiet" onClick={() => onChange([])}>
            Ask all stores
          </button>
        )}
      </fieldset>
    </details>
  );
}
