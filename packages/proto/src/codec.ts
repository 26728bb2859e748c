import {WireReader} from "./wire-reader.ts";
import {WireWriter} from "./wire-writer.ts";

/** What a message may be built from: every field may be left out and then has its default. */
export type Init<T> = T extends Uint8Array
  ? T
  : T extends readonly (infer E)[]
    ? readonly Init<E>[]
    : T extends ReadonlyMap<infer K, infer V>
      ? ReadonlyMap<K, Init<V>>
      : T extends object
        ? {readonly [K in keyof T]?: Init<T[K]> | undefined}
        : T;

/** One message type: its name and its two directions. Proto3 defaults are not written; unknown fields are skipped. */
export type Codec<T> = {
  /** Full name, as in reflection and in Any's type URL. */
  readonly typeName: string;
  /** The buffer belongs to the caller. */
  encode(message: Init<T>): Buffer;
  /** Any bytes give a message or a `corrupt` error. Fields of type bytes are views into `bytes`. */
  decode(bytes: Uint8Array): T;
};

/** One method of a service, as gRPC needs it. */
export type MethodDef<Req, Res> = {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly request: Codec<Req>;
  readonly response: Codec<Res>;
};

/** Used by generated code. */
export function codec<T>(
  typeName: string,
  write: (message: Init<T>, w: WireWriter) => void,
  read: (r: WireReader) => T,
): Codec<T> {
  return {
    typeName,
    encode(message) {
      const w = new WireWriter();
      write(message, w);
      return w.finish();
    },
    decode: (bytes) => read(new WireReader(bytes, typeName)),
  };
}
