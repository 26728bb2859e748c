import type {IncomingMessage} from "node:http";
import {setTimeout as sleep} from "node:timers/promises";
import {nodeHttp, nodeHttps, StrataError} from "@strata/base";
import type {GcsConfig} from "./gcs-config.ts";

/** First pause before a request is sent again, ms; doubled each time, up to the second, with as much chance in it. */
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 10_000;

/** An error's text is read up to here. */
const ERROR_TEXT_BYTES = 2048;

export type MediaSource = {
  /** Where the JSON API is: `https://storage.googleapis.com`, or an emulator. */
  readonly endpoint: string;
  /** Headers that say who asks. */
  readonly authorize: (url: string) => Promise<Iterable<readonly [string, string]>>;
  readonly config: GcsConfig;
};

/**
 * Opens an object's bytes. The library's own read streams cannot be let go before the answer has come (they throw where
 * nobody catches), and take no TLS settings: so reads are plain requests, tried again as the library does.
 */
export async function openMedia(
  source: MediaSource,
  key: string,
  range: {readonly start: number; readonly end: number} | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const {endpoint, config} = source;
  const url = `${endpoint}/storage/v1/b/${encodeURIComponent(config.bucket)}/o/${encodeURIComponent(key)}?alt=media`;
  for (let attempt = 0; ; attempt++) {
    try {
      const headers = Object.fromEntries(await source.authorize(url));
      if (range !== undefined) headers.range = `bytes=${range.start}-${range.end}`;
      return await send(url, headers, config, signal);
    } catch (err) {
      if (signal.aborted || attempt >= config.maxRetries || !mayPass(err)) throw err;
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** attempt, MAX_PAUSE_MS);
      await sleep(pause * (0.5 + Math.random()), undefined, {signal});
    }
  }
}

/** Whether the same request may be answered the next time. */
function mayPass(err: unknown): boolean {
  const status = (err as {code?: unknown}).code;
  return typeof status !== "number" || status === 408 || status === 429 || status >= 500;
}

function send(
  url: string,
  headers: Record<string, string>,
  config: GcsConfig,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const {http} = config;
  const secure = url.startsWith("https:");
  return new Promise((resolve, reject) => {
    const options = {headers, signal, agent: secure ? http.httpsAgent : http.httpAgent};
    const request = (secure ? nodeHttps() : nodeHttp()).request(url, options, (response) => {
      clearTimeout(timer);
      const status = response.statusCode ?? 0;
      if (status === 200 || status === 206) resolve(response);
      else errorOf(response, status).then(reject, reject);
    });
    const timer = setTimeout(
      () => request.destroy(new StrataError("unavailable", `no answer within ${http.responseHeaderTimeoutMs} ms`)),
      http.responseHeaderTimeoutMs || 2 ** 31 - 1,
    );
    request.once("error", (err) => {
      clearTimeout(timer);
      reject(err);
    });
    request.end();
  });
}

/** An error as the library's are: the status is its `code`. */
async function errorOf(response: IncomingMessage, status: number): Promise<Error> {
  let text = "";
  try {
    for await (const part of response.setEncoding("utf8")) if (text.length < ERROR_TEXT_BYTES) text += part;
  } catch {
    // The status says enough.
  }
  const line = text.slice(0, ERROR_TEXT_BYTES).split("\n")[0] ?? "";
  return Object.assign(new Error(line === "" ? `status ${status}` : `status ${status}: ${line}`), {code: status});
}
