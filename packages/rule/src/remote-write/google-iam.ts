import {errorText, StrataError} from "@strata/base";
import type {Credentials} from "@strata/http-client";
import {GoogleAuth} from "google-auth-library";

/** What writing samples to Google's managed Prometheus takes. */
const SCOPE = "https://www.googleapis.com/auth/monitoring.write";

/** Tokens for Google's services by the key in `keyFile`; "" is the machine's own identity. */
export function googleCredentials(keyFile: string): Credentials {
  const auth = new GoogleAuth({scopes: SCOPE, ...(keyFile === "" ? {} : {keyFilename: keyFile})});
  return {
    headers: async ({url}) => {
      try {
        return Object.fromEntries(await auth.getRequestHeaders(url));
      } catch (err) {
        throw new StrataError("unavailable", `cannot get a token from Google: ${errorText(err)}`, {cause: err});
      }
    },
    close: () => undefined,
  };
}
