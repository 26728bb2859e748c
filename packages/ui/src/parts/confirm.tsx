import {type ReactNode, useEffect, useId, useRef} from "react";

type Props = {
  readonly title: string;
  /** What the button says that does it: "Kill query". */
  readonly action: string;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
};

/** Asks before something is done that cannot be taken back. Cancel has the focus; Escape cancels. */
export function Confirm({title, action, onConfirm, onClose, children}: Props): ReactNode {
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <div className="buttons">
        {/* biome-ignore lint/a11y/noAutofocus: of a dialog, where one has to have it: the harmless one */}
        <button type="button" autoFocus onClick={onClose}>
          Cancel
        </button>
        <button
          type="button"
          className="danger"
          onClick={() => {
            onConfirm();
            onClose();
          }}
        >
          {action}
        </button>
      </div>
    </Dialog>
  );
}

/** A dialog above the page, shown for as long as it is rendered. Closes by Escape and by a click beside it. */
export function Dialog(props: {title: string; onClose: () => void; children: ReactNode}): ReactNode {
  const {title, onClose, children} = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes every dialog
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <div className="dialog-body">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}
