import {isIP} from "node:net";
import {errorText} from "@strata/base";
import {compileSearch, goQuote} from "@strata/model";
import {callError} from "./call-error.ts";

/** Go's `strings.Title`: the first letter of each word in title case, the rest as it is. */
export function titleCase(text: string): string {
  return text.replace(/(^|[^\p{L}\p{Nd}_'])(\p{L})/gu, (_, before: string, letter: string) => {
    const upper = letter.toUpperCase();
    return before + ([...upper].length === 1 ? upper : letter);
  });
}

export const matches = (pattern: string, text: string): boolean => compileSearch(pattern).test(text);

/** Compat: a faulty pattern is told as Go's `MustCompile` tells it. */
export function replaceAll(pattern: string, replacement: string, text: string): string {
  let regex: ReturnType<typeof compileSearch>;
  try {
    regex = compileSearch(pattern);
  } catch (err) {
    const quoted = pattern.includes("`") ? goQuote(pattern) : `\`${pattern}\``;
    throw callError(`regexp: Compile(${quoted}): ${errorText(err)}`);
  }
  return regex.replaceAll(text, replacement);
}

/** The host of `host:port`; anything else as it is. */
export const stripPort = (text: string): string => hostPort(text)?.host ?? text;

/** Only the first DNS label, the port kept; addresses as they are. */
export function stripDomain(text: string): string {
  const parts = hostPort(text);
  const host = parts?.host ?? text;
  if (isIP(host) !== 0) return text;
  const first = host.split(".")[0] as string;
  return parts === undefined || parts.port === "" ? first : `${first}:${parts.port}`;
}

function hostPort(text: string): {host: string; port: string} | undefined {
  const found = /^(?:\[([^[\]]*)\]|([^:[\]]*)):([^:[\]]*)$/.exec(text);
  return found === null ? undefined : {host: (found[1] ?? found[2]) as string, port: found[3] as string};
}

/** Go's `url.QueryEscape`. */
export const queryEscape = (text: string): string =>
  encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");

export const graphLink = (expr: string): string => `/graph?g0.expr=${queryEscape(expr)}&g0.tab=0`;

export const tableLink = (expr: string): string => `/graph?g0.expr=${queryEscape(expr)}&g0.tab=1`;

const HTML: Readonly<Record<string, string>> = {
  "\0": "\ufffd",
  '"': "&#34;",
  "'": "&#39;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
};

export const htmlEscape = (text: string): string => text.replace(/[\0"'&<>]/g, (char) => HTML[char] as string);

const JS: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "'": "\\'",
  '"': '\\"',
  "<": "\\u003C",
  ">": "\\u003E",
  "&": "\\u0026",
  "=": "\\u003D",
};

export const jsEscape = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is escaped.
  text.replace(/[\\'"<>&=\x00-\x1f\u007f\u2028\u2029]/g, (char) => {
    return JS[char] ?? `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
  });
