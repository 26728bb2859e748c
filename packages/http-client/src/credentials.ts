import {type Secret, secretText} from "./secret.ts";

/** A request about to be sent, without what credentials add to it. */
export type OutgoingRequest = {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
};

export type HeaderFields = Readonly<Record<string, string | readonly string[]>>;

/** What lets requests in. */
export type Credentials = {
  /** Headers that go with a request. */
  headers(request: OutgoingRequest, signal: AbortSignal): HeaderFields | Promise<HeaderFields>;
  /** Safe to call twice. */
  close(): void;
};

/** Name and password. */
export const basicCredentials = (username: Secret, password: Secret): Credentials =>
  secretCredentials([username, password], ([name, word]) => ({
    authorization: `Basic ${Buffer.from(`${name}:${word}`).toString("base64")}`,
  }));

/** A token of the scheme `type`, such as Bearer. */
export const tokenCredentials = (type: string, token: Secret): Credentials =>
  secretCredentials([token], ([text]) => ({authorization: `${type} ${text}`}));

/** Headers of any name. */
export function headerCredentials(headers: Readonly<Record<string, readonly Secret[]>>): Credentials {
  const names = Object.entries(headers).flatMap(([name, values]) => values.map(() => name));
  return secretCredentials(Object.values(headers).flat(), (texts) => {
    const fields: Record<string, string[]> = {};
    names.forEach((name, i) => {
      fields[name] = [...(fields[name] ?? []), texts[i] as string];
    });
    return fields;
  });
}

/** The headers of all of them. */
export function allCredentials(parts: readonly Credentials[]): Credentials {
  return {
    headers: (request, signal) => {
      const fields = parts.map((part) => part.headers(request, signal));
      if (!fields.some((each) => each instanceof Promise)) return Object.assign({}, ...fields);
      return Promise.all(fields).then((all) => Object.assign({}, ...all));
    },
    close: () => {
      for (const part of parts) part.close();
    },
  };
}

/** Made once where nothing comes from files, which are read for each request. */
function secretCredentials(secrets: readonly Secret[], make: (texts: readonly string[]) => HeaderFields): Credentials {
  const close = (): void => undefined;
  if (!secrets.every((secret) => typeof secret === "string")) {
    return {headers: async () => make(await Promise.all(secrets.map(secretText))), close};
  }
  const fixed = make(secrets);
  return {headers: () => fixed, close};
}
