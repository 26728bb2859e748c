import {useEffect, useState} from "react";
import {baseUrl} from "./api.ts";

/** Whether the server behind the page answers queries; rulers do not. Taken for granted until it is known. */
export function useIsQuerier(): boolean {
  const [isQuerier, setIsQuerier] = useState(true);
  useEffect(() => {
    const abort = new AbortController();
    fetch(new URL("api/v1/stores", baseUrl()), {signal: abort.signal}).then(
      ({status}) => setIsQuerier(status !== 404),
      () => undefined,
    );
    return () => abort.abort();
  }, []);
  return isQuerier;
}
