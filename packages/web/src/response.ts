import {once} from "node:events";
import type {IncomingMessage, ServerResponse} from "node:http";
import {promisify} from "node:util";
import {constants, createGzip, createZstdCompress, gzip, zstdCompress} from "node:zlib";
import type {HttpBody, HttpResponse} from "./http-types.ts";

/** Smaller bodies are sent as they are. */
export const COMPRESS_FROM_BYTES = 1024;

/** Shorter streams are packed in one go once they have ended: a packing stream costs several times as much as the packing. */
const WHOLE_BYTES = 64 * 1024;

/**
 * The fastest levels. Query answers shrink to a third with either; gzip at level 6 costs three times the processor time
 * of level 1, zstd a quarter of it.
 */
const GZIP = {level: constants.Z_BEST_SPEED};
const ZSTD = {params: {[constants.ZSTD_c_compressionLevel]: 1}};

/** How a body may be compressed, the better first. */
const CODINGS = ["zstd", "gzip"] as const;
export type Coding = (typeof CODINGS)[number];

const gzipWhole = promisify(gzip) as (data: Uint8Array, options: typeof GZIP) => Promise<Buffer>;
const zstdWhole = promisify(zstdCompress) as (data: Uint8Array, options: typeof ZSTD) => Promise<Buffer>;

/** What the client likes best of what there is; undefined when it takes neither. Of equals zstd; `*` means gzip. */
export function chooseCoding(header: string | string[] | undefined): Coding | undefined {
  const qualities = new Map<string, number>();
  for (const part of String(header ?? "").split(",")) {
    const [coding = "", ...params] = part.split(";").map((s) => s.trim().toLowerCase());
    qualities.set(coding, Number(params.find((p) => p.startsWith("q="))?.slice(2) ?? "1"));
  }
  const quality = (coding: Coding): number =>
    qualities.get(coding) ?? (coding === "gzip" ? (qualities.get("*") ?? 0) : 0);
  const best = quality("zstd") >= quality("gzip") ? "zstd" : "gzip";
  return quality(best) > 0 ? best : undefined;
}

/** Writes the answer and resolves with the bytes sent as body. Streams are pulled as fast as the client reads. */
export async function writeResponse(req: IncomingMessage, res: ServerResponse, answer: HttpResponse): Promise<number> {
  for (const [name, value] of Object.entries(answer.headers ?? {})) res.setHeader(name, value);
  res.statusCode = answer.status;
  const body = answer.body;
  const noBody = body === undefined || req.method === "HEAD";
  if (answer.compress === true) res.setHeader("vary", "Accept-Encoding");
  if (noBody) {
    if (body === undefined && answer.status !== 204 && answer.status !== 304) res.setHeader("content-length", 0);
    res.end();
    return 0;
  }
  const coding = answer.compress === true ? chooseCoding(req.headers["accept-encoding"]) : undefined;
  if (typeof body === "string" || body instanceof Uint8Array) return writeWhole(res, body, coding);
  return writeStream(res, body, coding);
}

async function writeWhole(res: ServerResponse, body: string | Uint8Array, coding: Coding | undefined): Promise<number> {
  let bytes: Uint8Array = typeof body === "string" ? Buffer.from(body) : body;
  if (coding !== undefined && bytes.length >= COMPRESS_FROM_BYTES) {
    bytes = coding === "zstd" ? await zstdWhole(bytes, ZSTD) : await gzipWhole(bytes, GZIP);
    res.setHeader("content-encoding", coding);
  }
  res.setHeader("content-length", bytes.length);
  res.end(bytes);
  return bytes.length;
}

/** Holds pieces back until it is known whether there are enough bytes to be worth compressing, and a stream for it. */
async function writeStream(
  res: ServerResponse,
  body: AsyncIterable<Uint8Array>,
  coding: Coding | undefined,
): Promise<number> {
  const iterator = body[Symbol.asyncIterator]();
  try {
    const held: Uint8Array[] = [];
    let heldBytes = 0;
    const enough = coding === undefined ? COMPRESS_FROM_BYTES : WHOLE_BYTES;
    while (heldBytes < enough) {
      const next = await iterator.next();
      if (next.done === true) return await writeWhole(res, Buffer.concat(held, heldBytes), coding);
      held.push(next.value);
      heldBytes += next.value.length;
    }
    if (coding === undefined) return await pump(res, res, held, iterator);
    res.setHeader("content-encoding", coding);
    const zip = coding === "zstd" ? createZstdCompress(ZSTD) : createGzip(GZIP);
    zip.pipe(res);
    res.once("close", () => zip.destroy());
    // Only a write that crosses with the client's leaving can fail, and then nobody is there to be told.
    zip.on("error", () => {});
    return await pump(zip, res, held, iterator);
  } finally {
    // Tells the source to free what it holds when the client left early.
    await iterator.return?.();
  }
}

async function pump(
  out: NodeJS.WritableStream & {destroyed?: boolean},
  res: ServerResponse,
  held: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): Promise<number> {
  let bytes = 0;
  const write = async (piece: Uint8Array): Promise<void> => {
    // The client may have left while the source was working.
    if (res.closed) return;
    bytes += piece.length;
    if (!out.write(piece)) await drainedOrClosed(out, res);
  };
  for (const piece of held) await write(piece);
  while (!res.closed) {
    const next = await rest.next();
    if (next.done === true) break;
    await write(next.value);
  }
  if (!res.closed) {
    // A response closes once it is finished, and also when the client leaves.
    const closed = once(res, "close");
    out.end();
    await closed;
  }
  return bytes;
}

/** Listeners are taken off again, because a long answer waits thousands of times. */
function drainedOrClosed(out: NodeJS.WritableStream, res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      out.off("drain", done);
      res.off("close", done);
      resolve();
    };
    out.on("drain", done);
    res.on("close", done);
    if (res.closed) done();
  });
}

/** For tests and tools: the whole of a body. */
export async function collectBody(body: HttpBody | undefined): Promise<Uint8Array> {
  if (body === undefined) return new Uint8Array();
  if (typeof body === "string") return Buffer.from(body);
  if (body instanceof Uint8Array) return body;
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}
