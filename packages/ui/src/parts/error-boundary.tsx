import {Component, type ReactNode} from "react";

type Props = {readonly children: ReactNode};
type State = {readonly error: Error | undefined};

/**
 * Shows what went wrong in a page instead of nothing at all, such as a page's code that a server of another version no
 * longer has. React knows no other way than a class.
 */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = {error: undefined};

  static getDerivedStateFromError(error: unknown): State {
    return {error: error instanceof Error ? error : new Error(String(error))};
  }

  override render(): ReactNode {
    const {error} = this.state;
    if (error === undefined) return this.props.children;
    return (
      <div className="message error" role="alert">
        <strong>This page cannot be shown</strong>
        <p>{error.message}</p>
        <p>When the server has been updated meanwhile, loading the page anew helps.</p>
        <button type="button" onClick={() => location.reload()}>
          Load anew
        </button>
      </div>
    );
  }
}
