import {connect, type Socket} from "node:net";
import {errorText, StrataError} from "@strata/base";
import type {CacheEntry} from "./client.ts";

/*
 * The text protocol, as far as it takes to get and set:
 *
 *   get KEY KEY …\r\n            →  (VALUE KEY FLAGS LENGTH\r\n LENGTH bytes \r\n)* END\r\n
 *   set KEY FLAGS SECONDS LENGTH\r\n LENGTH bytes \r\n   →  STORED\r\n
 *   config get cluster\r\n       →  CONFIG cluster FLAGS LENGTH\r\n … END\r\n
 *
 * Any request may be answered by ERROR, CLIENT_ERROR or SERVER_ERROR and a text. Answers come in the order of requests.
 * The kept libraries hold answers in a buffer that they copy with every packet, or make texts of values.
 */

type Request = {
  /** Told of each value. */
  readonly value: (key: string, bytes: Uint8Array) => void;
  readonly done: () => void;
  readonly fail: (err: unknown) => void;
};

/** No line of an answer is longer: a key has 250 bytes. */
const MAX_LINE_BYTES = 2048;

/** A value that claims to be larger is a broken stream. */
const MAX_VALUE_BYTES = 1 << 30;

/** What one read takes at most. */
const READ_BYTES = 256 << 10;

/** Longest time to live in seconds: larger ones are read as a date. */
const MAX_TTL_SECONDS = 30 * 86_400;

/** One connection to one server, opened when it is needed and again after it broke. Requests are pipelined. */
export class MemcachedConnection {
  readonly #address: {readonly host: string; readonly port: number};
  readonly #timeoutMs: number;
  #socket: Socket | undefined;
  #requests: Request[] = [];
  /** An unfinished line; or the value being read, how much of it is there, and its key. */
  #line = "";
  #value: Uint8Array | undefined;
  #filled = 0;
  #key = "";

  /** `address` is host:port. `timeoutMs` bounds silence while requests wait, connecting included. */
  constructor(address: string, timeoutMs: number) {
    const at = address.lastIndexOf(":");
    this.#address = {host: address.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(address.slice(at + 1))};
    this.#timeoutMs = timeoutMs;
  }

  /** Tells `value` of each key that the server has. */
  get(keys: readonly string[], value: Request["value"]): Promise<void> {
    return this.#send(`get ${keys.join(" ")}\r\n`, [], value);
  }

  set({key, value, ttlMs}: CacheEntry): Promise<void> {
    const seconds = Math.min(Math.ceil(ttlMs / 1000), MAX_TTL_SECONDS);
    return this.#send(`set ${key} 0 ${seconds} ${value.length}\r\n`, [value, NEWLINE], () => {});
  }

  /** The text under which a managed cluster lists its servers. */
  async clusterConfig(): Promise<string> {
    let text = "";
    await this.#send("config get cluster\r\n", [], (_, bytes) => {
      text = Buffer.from(bytes).toString();
    });
    return text;
  }

  #send(head: string, body: readonly Uint8Array[], value: Request["value"]): Promise<void> {
    return new Promise((done, fail) => {
      this.#requests.push({value, done, fail});
      const socket = this.#socket ?? this.#open();
      if (this.#requests.length === 1) socket.setTimeout(this.#timeoutMs);
      if (body.length === 0) {
        socket.write(head, "latin1");
        return;
      }
      socket.cork();
      socket.write(head, "latin1");
      for (const bytes of body) socket.write(bytes);
      socket.uncork();
    });
  }

  #open(): Socket {
    // PERF: one buffer for all that arrives: values are copied out of it, and a fresh one a packet cost half as much again.
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const callback = (size: number): boolean => {
      if (this.#socket !== socket) return false;
      try {
        this.#read(buffer.subarray(0, size));
      } catch (err) {
        this.#drop(err);
      }
      return true;
    };
    const socket: Socket = connect({...this.#address, noDelay: true, onread: {buffer, callback}});
    this.#socket = socket;
    const lost = (err: unknown) => {
      if (this.#socket === socket) this.#drop(err);
    };
    socket.on("error", (err) => lost(new StrataError("unavailable", `memcached: ${errorText(err)}`, {cause: err})));
    socket.on("close", () => lost(new StrataError("unavailable", "memcached: the connection was closed")));
    socket.on("timeout", () => {
      if (this.#requests.length > 0) lost(new StrataError("timeout", `memcached: silent for ${this.#timeoutMs} ms`));
    });
    return socket;
  }

  /** Gives the connection up; whoever waits for an answer fails, the next request opens another. */
  #drop(err: unknown): void {
    const requests = this.#requests;
    this.#requests = [];
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#line = "";
    this.#value = undefined;
    for (const {fail} of requests) fail(err);
  }

  #read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#value !== undefined) {
        at = this.#readValue(chunk, at);
        continue;
      }
      const end = chunk.indexOf(10, at);
      this.#line += chunk.toString("latin1", at, end < 0 ? chunk.length : end + 1);
      if (this.#line.length > MAX_LINE_BYTES) throw broken("a line is too long");
      if (end < 0) return;
      at = end + 1;
      const line = this.#line.trimEnd();
      this.#line = "";
      this.#answer(line);
    }
  }

  /** Takes what belongs to the value and the end of line behind it. */
  #readValue(chunk: Buffer, from: number): number {
    const value = this.#value as Uint8Array;
    const take = Math.max(0, Math.min(value.length - this.#filled, chunk.length - from));
    if (take > 0) {
      // A copy of the bytes alone: a view would keep the socket's whole buffer.
      value.set(chunk.subarray(from, from + take), this.#filled);
      this.#filled += take;
    }
    let at = from + take;
    // Behind the value come "\r\n", which may arrive in two parts.
    while (this.#filled >= value.length && this.#filled < value.length + 2 && at < chunk.length) {
      if (chunk[at++] !== NEWLINE[this.#filled - value.length]) throw broken("a value is longer than it says");
      this.#filled++;
    }
    if (this.#filled < value.length + 2) return at;
    this.#value = undefined;
    this.#requests[0]?.value(this.#key, value);
    return at;
  }

  #answer(line: string): void {
    const request = this.#requests[0];
    if (request === undefined) throw broken("an answer that nobody asked for");
    const [word, key, , length] = line.split(" ");
    if (word === "VALUE" || word === "CONFIG") {
      const size = Number(length);
      if (!Number.isInteger(size) || size < 0 || size > MAX_VALUE_BYTES) throw broken(`a value of ${length} bytes`);
      this.#key = key ?? "";
      this.#value = Buffer.allocUnsafeSlow(size);
      this.#filled = 0;
      return;
    }
    if (line === "") return; // behind the text of CONFIG
    const refused = word === "ERROR" || word === "CLIENT_ERROR" || word === "SERVER_ERROR";
    if (!refused && word !== "END" && word !== "STORED" && word !== "NOT_STORED") throw broken(`an answer ${word}`);
    this.#requests.shift();
    if (this.#requests.length === 0) this.#socket?.setTimeout(0);
    if (refused) request.fail(new StrataError("execution", `memcached: ${line}`));
    else request.done();
  }

  close(): void {
    this.#drop(new StrataError("unavailable", "memcached: the client was closed"));
  }
}

const NEWLINE = Buffer.from("\r\n");

const broken = (why: string) => new StrataError("corrupt", `memcached: cannot read the server's answer: ${why}`);
