import {type ReactNode, useState} from "react";
import {PAGES} from "../pages.js";
import {Dialog} from "./parts/confirm.tsx";
import type {Offer} from "./parts/use-offer.ts";
import {shortcutsOn, switchShortcuts} from "./shortcuts.ts";

const ANYWHERE: readonly (readonly [readonly string[], string])[] = [
  [["?"], "This help"],
  [["/"], "To the search field or the editor"],
  [["t"], "Next theme: as the system, light, dark"],
];

const IN_THE_EDITOR: readonly (readonly [readonly string[], string])[] = [
  [["Shift", "Enter"], "Execute; Ctrl and ⌘ do the same"],
  [["Ctrl", "Space"], "Complete"],
  [["Tab"], "Leave the editor"],
  [["Esc"], "Close the completion"],
];

/** All keys, and the switch for those that are a single letter. */
export function HelpDialog({offer, onClose}: {offer: Offer | undefined; onClose: () => void}): ReactNode {
  const [on, setOn] = useState(shortcutsOn);
  const pages = PAGES.filter(({path}) => offer?.pages.includes(path));
  return (
    <Dialog title="Keys" onClose={onClose}>
      <div className="columns keys">
        <Keys title="Anywhere" keys={ANYWHERE} />
        <Keys title="In the editor" keys={IN_THE_EDITOR} />
        <Keys title="Pages" keys={pages.map(({key, title}) => [["g", key], title] as const)} />
      </div>
      <label className="check">
        <input
          type="checkbox"
          checked={on}
          onChange={(event) => {
            setOn(event.target.checked);
            switchShortcuts(event.target.checked);
          }}
        />
        Keys of a single letter do something
      </label>
      <div className="buttons">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

const Keys = (props: {title: string; keys: readonly (readonly [readonly string[], string])[]}): ReactNode => (
  <div>
    <h3>{props.title}</h3>
    <dl>
      {props.keys.map(([keys, text]) => (
        <div key={text}>
          <dt>
            {keys.map((key) => (
              <kbd key={key}>{key}</kbd>
            ))}
          </dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  </div>
);
