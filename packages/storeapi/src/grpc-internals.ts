import {isIP, type Socket} from "node:net";
import type {SecureContextOptions} from "node:tls";
import {type ChannelCredentials, type Metadata, ServerCredentials} from "@grpc/grpc-js";
import {errorText, StrataError} from "@strata/base";
import {snappyStreamDecode, snappyStreamEncode} from "@strata/bytes";

// grpc-js knows only identity, deflate and gzip, copies every message once more to put five bytes before it, and gives
// servers no flow-control window. This file alone reaches behind its types for these; each reach checks what it finds
// and the tests next to it fail when a new version moves it. Tried instead: interceptors (see messages only before
// framing and cannot set its compressed flag) and a server of our own on node:http2 (would redo keepalive, age, drain).

/** Messages begin with a flag (1: compressed) and their length: `f l l l l bytes…`. */
export const MESSAGE_HEADER = 5;

/** Codec name in `grpc-encoding`; the bytes are snappy's framed (stream) form. */
export const SNAPPY = "snappy";

/** Flag of a message that is not to be compressed; a constant enum of grpc-js, which is gone at run time. */
export const NO_COMPRESS = 2;

/** What both sides say they can read. */
export const ACCEPTED = "identity,deflate,gzip,snappy";

/** Neither side has a limit in the originals but this one, of the frame's 32-bit signed lengths. */
const MAX_MESSAGE = 2 ** 31 - 1;

type ServerCallInside = {
  incomingEncoding?: unknown;
  decompressMessage?: (message: Buffer, encoding: string) => Buffer | Promise<Buffer>;
  serializeMessage?: (value: unknown) => Buffer;
  handler?: {serialize: (value: unknown) => Buffer};
  stream?: {session?: ServerSession};
};

type ServerSession = {setLocalWindowSize?: (bytes: number) => void; destroyed?: boolean};

/**
 * Prepares one incoming call: snappy requests are decoded, their replies sent as snappy, and with `headroom` the
 * method's replies are Buffers whose first five bytes are left for the message header, so that they are not copied.
 * Returns the encoding of the replies.
 */
export function prepareServerCall(call: object, headroom: boolean): "identity" | typeof SNAPPY {
  const inside = call as ServerCallInside;
  const decompress = inside.decompressMessage?.bind(call);
  if (decompress === undefined || inside.serializeMessage === undefined || inside.handler === undefined) {
    throw new StrataError("internal", "BUG: grpc-js keeps its server calls in another way than this version knows");
  }
  const snappy = inside.incomingEncoding === SNAPPY;
  const serialize = inside.handler.serialize;
  if (snappy) {
    inside.decompressMessage = (message, encoding) =>
      encoding === SNAPPY ? decode(message.subarray(MESSAGE_HEADER)) : decompress(message, encoding);
    inside.serializeMessage = (value) => {
      const message = serialize(value);
      return frame(Buffer.from(snappyStreamEncode(headroom ? message.subarray(MESSAGE_HEADER) : message).buffer), 1);
    };
  } else if (headroom) {
    inside.serializeMessage = (value) => {
      const message = serialize(value);
      message[0] = 0;
      message.writeUInt32BE(message.length - MESSAGE_HEADER, 1);
      return message;
    };
  }
  return snappy ? SNAPPY : "identity";
}

function frame(message: Buffer, flag: number): Buffer {
  const out = Buffer.allocUnsafeSlow(MESSAGE_HEADER + message.length);
  out[0] = flag;
  out.writeUInt32BE(message.length, 1);
  message.copy(out, MESSAGE_HEADER);
  return out;
}

function decode(message: Uint8Array): Buffer {
  try {
    return Buffer.from(snappyStreamDecode(message, MAX_MESSAGE).buffer);
  } catch (err) {
    // grpc-js takes code and details for a status; 13 is Internal, as Go's gRPC answers.
    const details = `grpc: failed to decompress the received message: ${errorText(err)}`;
    throw Object.assign(new Error(details), {code: 13, details});
  }
}

const widened = new WeakSet<object>();

/** Opens the connection's flow-control window for large requests, once a connection. */
export function widenServerWindow(call: object, bytes: number): void {
  const session = (call as ServerCallInside).stream?.session;
  if (session === undefined || widened.has(session) || session.destroyed === true) return;
  widened.add(session);
  session.setLocalWindowSize?.(bytes);
}

/** Sets the window of each stream of a server that is not bound yet. */
export function setServerStreamWindow(server: object, bytes: number): void {
  const inside = server as {commonServerOptions?: {settings?: object}};
  if (inside.commonServerOptions === undefined) {
    throw new StrataError("internal", "BUG: grpc-js keeps its server options in another place than this version knows");
  }
  inside.commonServerOptions.settings = {...inside.commonServerOptions.settings, initialWindowSize: bytes};
}

/**
 * The sockets of a bound server, kept up to date, to be destroyed where its time to stop is over: `forceShutdown` forgets
 * sessions when channelz is off, and a destroyed session waits for a peer that does not read.
 */
export function trackSockets(server: object): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  const listeners = (server as {http2Servers?: Map<Listener, unknown>}).http2Servers?.keys() ?? [];
  for (const listener of listeners) {
    listener.on("connection", (socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
  }
  return sockets;
}

type Listener = {on(event: "connection", listener: (socket: Socket) => void): unknown};

type Handler = {
  writeMessage(message: Buffer, compress: boolean): Promise<Buffer>;
  readMessage(data: Buffer): Promise<Buffer>;
};
type CompressionFilter = {
  sendCompression: Handler;
  receiveCompression: Handler;
  currentCompressionAlgorithm: string;
  sendMetadata(metadata: Promise<Metadata>): Promise<Metadata>;
  receiveMetadata(metadata: Metadata): Metadata;
};
type FilterFactory = {createFilter(): CompressionFilter};

const SNAPPY_HANDLER: Handler = {
  async writeMessage(message, compress) {
    return compress ? frame(Buffer.from(snappyStreamEncode(message).buffer), 1) : frame(message, 0);
  },
  async readMessage(data) {
    return data[0] === 1 ? decode(data.subarray(MESSAGE_HEADER)) : data.subarray(MESSAGE_HEADER);
  },
};

/** Teaches a channel to read snappy replies and, with `send`, to compress its requests with it. */
export function teachChannelSnappy(channel: object, send: boolean): void {
  const inside = channel as {internalChannel?: {filterStackFactory?: {factories?: FilterFactory[]}}};
  const factories = inside.internalChannel?.filterStackFactory?.factories;
  const original = factories?.[0];
  if (factories === undefined || original === undefined) {
    throw new StrataError(
      "internal",
      "BUG: grpc-js keeps its channel filters in another place than this version knows",
    );
  }
  factories[0] = {
    createFilter() {
      const filter = original.createFilter();
      if (send) {
        filter.sendCompression = SNAPPY_HANDLER;
        filter.currentCompressionAlgorithm = SNAPPY;
      }
      const sendMetadata = filter.sendMetadata.bind(filter);
      filter.sendMetadata = async (metadata) => {
        const headers = await sendMetadata(metadata);
        headers.set("grpc-accept-encoding", ACCEPTED);
        return headers;
      };
      const receiveMetadata = filter.receiveMetadata.bind(filter);
      filter.receiveMetadata = (metadata) => {
        const encoding = metadata.get("grpc-encoding")[0];
        const result = receiveMetadata(metadata);
        if (encoding === SNAPPY) filter.receiveCompression = SNAPPY_HANDLER;
        return result;
      };
      return filter;
    },
  };
}

type Connector = {connectionOptions?: {servername?: string}};

/**
 * Makes TLS to a plain IP address work: grpc-js sends the address as the server's name, which node:tls refuses. Without a
 * name the certificate is checked against the address.
 */
export function withoutIpServerName(credentials: ChannelCredentials): ChannelCredentials {
  const create = credentials._createSecureConnector.bind(credentials);
  credentials._createSecureConnector = (...args) => {
    const connector = create(...args);
    const options = (connector as Connector).connectionOptions;
    if (options?.servername !== undefined && isIP(options.servername) !== 0) options.servername = "";
    return connector;
  };
  return credentials;
}

/**
 * Server credentials whose certificates can be replaced while the server runs: grpc-js offers that to subclasses only
 * (hence the inheritance), and its own provider of them has no minimum TLS version.
 */
export class ReloadableCredentials extends ServerCredentials {
  constructor(context: SecureContextOptions, requireClientCertificate: boolean) {
    super({requestCert: requireClientCertificate, rejectUnauthorized: requireClientCertificate}, context);
  }

  replace(context: SecureContextOptions): void {
    this.updateSecureContextOptions(context);
  }

  _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}
