import {connect, type Socket} from "node:net";

/** Where the proxy is and as whom it is spoken to; "" is nobody. */
export type SocksProxy = {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
};

const VERSION = 5;
const METHOD = {none: 0, password: 2} as const;
/** What a proxy says when it does not connect. */
const REFUSALS: readonly string[] = [
  ...["", "general failure", "not allowed by its rules", "network unreachable", "host unreachable"],
  ...["connection refused", "time to live expired", "command not supported", "address type not supported"],
];

/** A connection to `host:port` that a SOCKS 5 proxy (RFC 1928, RFC 1929) has opened; names are left for it to look up. */
export async function socksConnect(
  proxy: SocksProxy,
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = connect({host: proxy.host, port: proxy.port});
  const abort = (): void => void socket.destroy(signal.reason as Error);
  signal.addEventListener("abort", abort, {once: true});
  try {
    const answers = new Answers(socket);
    const methods = proxy.username === "" ? [METHOD.none] : [METHOD.none, METHOD.password];
    socket.write(Uint8Array.of(VERSION, methods.length, ...methods));
    const [version, method] = await answers.read(2);
    if (version !== VERSION) throw new Error(`it speaks another version: ${version}`);
    if (method === METHOD.password) await logIn(socket, answers, proxy);
    else if (method !== METHOD.none) throw new Error("it wants another way to log in");
    socket.write(connectRequest(host, port));
    await readReply(answers);
    answers.end();
    return socket;
  } catch (err) {
    socket.destroy();
    throw err;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function logIn(socket: Socket, answers: Answers, {username, password}: SocksProxy): Promise<void> {
  socket.write(Buffer.concat([Uint8Array.of(1), counted(username), counted(password)]));
  const [, status] = await answers.read(2);
  if (status !== 0) throw new Error("it refuses the user name or password");
}

/** CONNECT, by name: the proxy may know names that we do not. */
const connectRequest = (host: string, port: number): Buffer =>
  Buffer.concat([Uint8Array.of(VERSION, 1, 0, 3), counted(host), Uint8Array.of(port >> 8, port & 0xff)]);

function counted(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 255) throw new Error("a name or password is longer than 255 bytes");
  return Buffer.concat([Uint8Array.of(bytes.length), bytes]);
}

async function readReply(answers: Answers): Promise<void> {
  const [version, status = 0, , type] = await answers.read(4);
  if (version !== VERSION) throw new Error(`it speaks another version: ${version}`);
  if (status !== 0) throw new Error(REFUSALS[status] ?? `refusal ${status}`);
  // The address that it connects from, which is of no use.
  const length = type === 1 ? 4 : type === 4 ? 16 : ((await answers.read(1))[0] ?? 0);
  await answers.read(length + 2);
}

/** Reads a socket a known number of bytes at a time. */
class Answers {
  readonly #socket: Socket;
  #held = Buffer.alloc(0);
  #wake: () => void = () => undefined;
  #failure: Error | undefined;
  readonly #onData = (part: Buffer): void => {
    this.#held = Buffer.concat([this.#held, part]);
    this.#wake();
  };
  readonly #onError = (err: Error): void => {
    this.#failure ??= err;
    this.#wake();
  };
  readonly #onEnd = (): void => this.#onError(new Error("it closed the connection"));

  constructor(socket: Socket) {
    this.#socket = socket.on("data", this.#onData).on("error", this.#onError).on("close", this.#onEnd);
  }

  async read(length: number): Promise<Buffer> {
    while (this.#held.length < length) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const read = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return read;
  }

  /** What was read too much goes back. Whoever takes the socket over has to listen in the same turn: it flows. */
  end(): void {
    const socket = this.#socket.off("data", this.#onData).off("error", this.#onError).off("close", this.#onEnd);
    if (this.#held.length > 0) socket.unshift(this.#held);
  }
}
