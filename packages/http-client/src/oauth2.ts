import {type ConfigFields, StrataError} from "@strata/base";
import type {Credentials} from "./credentials.ts";
import {HttpClient, type HttpClientConfig} from "./http-client.ts";
import {type AssertionConfig, assertionConfig, assertionOf} from "./jwt-assertion.ts";
import {type Lasting, Renewed} from "./renewed.ts";
import {type Secret, secretField, secretText} from "./secret.ts";

/** Client credentials that are exchanged for tokens: `oauth2`. */
export type OAuth2Config = {
  readonly clientId: string;
  readonly clientSecret: Secret;
  /** Signs for the client where there is no secret. */
  readonly assertion: AssertionConfig | undefined;
  readonly tokenUrl: URL;
  readonly scopes: readonly string[];
  /** More parameters for the token endpoint. */
  readonly params: Readonly<Record<string, string>>;
  /** How to reach the token endpoint. */
  readonly http: Pick<HttpClientConfig, "tls" | "proxy">;
};

const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/** A token is replaced so long before it expires, for requests take time. */
const EARLY_MS = 10_000;
/** A token endpoint that takes longer is asked again by the next request. */
const TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 1 << 20;

/** Reads an `oauth2` block but for its `tls_config` and proxy, which are `http`. Throws `bad_data`. */
export function oauth2Config(fields: ConfigFields, http: OAuth2Config["http"]): OAuth2Config {
  const clientId = fields.text("client_id");
  if (clientId === "") throw fields.bad("client_id must be configured");
  const tokenUrl = fields.parsed("token_url", (text) => new URL(text), undefined);
  if (tokenUrl === undefined) throw fields.bad("token_url must be configured");
  const grant = fields.choice("grant_type", ["client_credentials", JWT_BEARER], "client_credentials");
  return {
    clientId,
    clientSecret: secretField(fields, "client_secret") ?? "",
    assertion: grant === JWT_BEARER ? assertionConfig(fields, clientId, tokenUrl) : undefined,
    tokenUrl,
    scopes: fields.list("scopes"),
    params: fields.texts("endpoint_params"),
    http,
  };
}

/** Credentials by tokens, which are fetched when one is needed and kept until they expire. */
export function oauth2Credentials(config: OAuth2Config, userAgent: string): Credentials {
  const tokens = new TokenSource(config, userAgent);
  return {
    headers: async (_request, signal) => ({authorization: await tokens.get(signal)}),
    close: () => tokens.close(),
  };
}

class TokenSource {
  readonly #config: OAuth2Config;
  readonly #client: HttpClient;
  readonly #token = new Renewed(() => this.#fetch());
  /** Servers take the client's name and secret in a header, or in the form; which of them is found out. */
  #inForm: boolean | undefined;

  constructor(config: OAuth2Config, userAgent: string) {
    this.#config = config;
    this.#client = new HttpClient(config.tokenUrl, config.http, userAgent);
  }

  close(): void {
    this.#client.close();
  }

  get(signal: AbortSignal): Promise<string> {
    return this.#token.get(signal);
  }

  async #fetch(): Promise<Lasting<string>> {
    const {clientId, clientSecret, assertion, scopes} = this.#config;
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    if (assertion !== undefined) {
      const signed = await assertionOf(assertion, clientId, scopes.join(" "));
      return this.#post({grant_type: JWT_BEARER, assertion: signed}, {}, signal);
    }
    const secret = await secretText(clientSecret);
    if (this.#inForm !== undefined) return this.#ask(secret, this.#inForm, signal);
    try {
      const token = await this.#ask(secret, false, signal);
      this.#inForm = false;
      return token;
    } catch {
      const token = await this.#ask(secret, true, signal);
      this.#inForm = true;
      return token;
    }
  }

  #ask(secret: string, inForm: boolean, signal: AbortSignal): Promise<Lasting<string>> {
    const {clientId} = this.#config;
    const form = {grant_type: "client_credentials"};
    if (inForm) {
      const own = {client_id: clientId, ...(secret === "" ? {} : {client_secret: secret})};
      return this.#post({...form, ...own}, {}, signal);
    }
    const basic = Buffer.from(`${formEscaped(clientId)}:${formEscaped(secret)}`).toString("base64");
    return this.#post(form, {authorization: `Basic ${basic}`}, signal);
  }

  async #post(
    fields: Readonly<Record<string, string>>,
    more: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Lasting<string>> {
    const {tokenUrl, scopes, params} = this.#config;
    const scope = scopes.length === 0 ? {} : {scope: scopes.join(" ")};
    const form = new URLSearchParams({...fields, ...scope, ...params});
    const headers = {accept: "application/json", "content-type": "application/x-www-form-urlencoded", ...more};
    const body = Buffer.from(form.toString());
    const asked = Date.now();
    const answer = await this.#client.answer({method: "POST", path: "", headers, body}, MAX_ANSWER_BYTES, signal);
    return tokenIn(answer.body.toString("utf8"), answer.status, answer.headers["content-type"], asked, tokenUrl);
  }
}

const formEscaped = (text: string): string => new URLSearchParams([["", text]]).toString().slice(1);

function tokenIn(
  body: string,
  status: number,
  contentType: string | undefined,
  asked: number,
  tokenUrl: URL,
): Lasting<string> {
  const fields = fieldsOf(body, contentType);
  const {access_token: token, token_type: type, expires_in: seconds, error} = fields;
  if (status < 200 || status > 299 || error !== undefined || typeof token !== "string" || token === "") {
    const description = [error, fields.error_description].filter((text) => typeof text === "string").join(": ");
    const why = `status ${status}${description === "" ? "" : `, ${description}`}`;
    throw new StrataError("unavailable", `cannot get a token from ${tokenUrl.origin}${tokenUrl.pathname}: ${why}`);
  }
  const lasts = Number(seconds ?? 0);
  return {
    value: `${schemeOf(type)} ${token}`,
    until: lasts > 0 ? asked + lasts * 1000 - EARLY_MS : Number.POSITIVE_INFINITY,
  };
}

/** Most servers answer in JSON, some in the form of a query. */
function fieldsOf(body: string, contentType = ""): Readonly<Record<string, unknown>> {
  if (/^(application\/x-www-form-urlencoded|text\/plain)\b/.test(contentType)) {
    return Object.fromEntries(new URLSearchParams(body));
  }
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Compat: servers name the scheme in any case, not all of them understand it so. */
function schemeOf(type: unknown): string {
  if (typeof type !== "string" || type === "" || type.toLowerCase() === "bearer") return "Bearer";
  if (type.toLowerCase() === "mac") return "MAC";
  return type.toLowerCase() === "basic" ? "Basic" : type;
}
