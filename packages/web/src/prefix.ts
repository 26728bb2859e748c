import type {IncomingHttpHeaders} from "node:http";

export type PrefixOptions = {
  /** `--web.route-prefix`, normalised. */
  readonly route: string;
  /** `--web.external-prefix`, normalised. */
  readonly external: string;
  /** `--web.prefix-header`; "" for none. */
  readonly header: string;
};

/** A leading slash, no trailing one, only the path of a URL; "" stays "". */
export function normalisePrefix(prefix: string): string {
  const path = prefix.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, "");
  const trimmed = path.replace(/^\/+|\/+$/g, "");
  return trimmed === "" ? "" : `/${trimmed}`;
}

/** A route prefix that is not given is the external one. */
export function prefixOptions(route: string, external: string, header: string): PrefixOptions {
  const [r, e] = [normalisePrefix(route), normalisePrefix(external)];
  return {route: r === "" ? e : r, external: e, header};
}

/** What links and redirects of one answer start with. A header that is no plain path is ignored. */
export function linkPrefix(options: PrefixOptions, headers: IncomingHttpHeaders): string {
  if (options.external !== "" || options.header === "")
    return options.external === "" ? options.route : options.external;
  const value = headers[options.header.toLowerCase()];
  const text = Array.isArray(value) ? value[0] : value;
  if (text === undefined || !/^\/?[A-Za-z0-9._~/-]*$/.test(text)) return options.route;
  return normalisePrefix(text);
}
