import {errorText, StrataError} from "@strata/base";
import {type Codec, thanos, WireReader} from "@strata/proto";

/**
 * What a body is: a WriteRequest of remote write 1.0 (or another message whose field 1 are its series), a snappy block of
 * one, a snappy block of a request of 2.0.
 */
export const FORM = {plain: 0, packed: 1, packedV2: 2} as const;
export type Form = (typeof FORM)[keyof typeof FORM];

/** A tenant's series on their way from receiver to receiver. */
export type Parcel = {readonly tenant: string; readonly form: Form; readonly body: Uint8Array};

export type PeerRequest = {
  readonly replica: number;
  /** Everything in it is for this receiver, as whatever replica: no ring has to be asked. */
  readonly placed: boolean;
  readonly parcels: readonly Parcel[];
};

/** In place of a replica's number: all of it is for this receiver. */
export const PLACED = -1;

/**
 * Fields that only Strata knows and others skip. 100 says in a request that the series are placed already, and in an answer
 * that requests may say so and hold parcels: it spares a call for each replica, and the receiver a look at the ring. 101 is
 * a parcel, { 1 tenant   2 form   3 body }: whole requests travel as the body they came in.
 */
const PLACED_TAG = 800;
const PLACED_FIELD: Uint8Array = Uint8Array.of(0xa0, 0x06, 0x01);
const ANSWER: Uint8Array = Uint8Array.of(0xa0, 0x06, 0x02);
const PARCEL_TAG = 810;

/** What the other side says of itself. */
export type PeerAnswer = {readonly takesParcels: boolean};

/** The request's bytes as they are: it is parsed by hand. */
const raw: Codec<Uint8Array> = {
  typeName: thanos.WriteableStoreService.RemoteWrite.request.typeName,
  encode: (message) => (Buffer.isBuffer(message) ? message : Buffer.from(message as Uint8Array)),
  decode: (bytes) => bytes,
};

const answer: Codec<PeerAnswer> = {
  typeName: thanos.WriteableStoreService.RemoteWrite.response.typeName,
  encode: ({takesParcels}) => Buffer.from(takesParcels === true ? ANSWER : []),
  decode: (bytes) => ({takesParcels: Buffer.from(bytes).equals(ANSWER)}),
};

/** `WriteableStore.RemoteWrite` with requests as bytes, for both sides. */
export const REMOTE_WRITE = {...thanos.WriteableStoreService.RemoteWrite, request: raw, response: answer};

/** A parcel as a piece of a request: the bytes of its field. Several behind one another are a request, too. */
export function parcelPieces({tenant, form, body}: Parcel): Uint8Array[] {
  const name = Buffer.from(tenant);
  const inner = Buffer.from([...head(0x0a, name.length), ...name, ...head(0x10, form), ...head(0x1a, body.length)]);
  return [Buffer.from([...head(PARCEL_TAG, inner.length + body.length), ...inner]), body, PLACED_FIELD];
}

/**
 * `series`, fields 1 of a message, as field 4 of a request, { 1 series…   2 tenant }, and whose copy they are. Several behind
 * one another are a request, too.
 */
export function tuplePieces(tenant: string, series: Uint8Array, replica: number): Uint8Array[] {
  const name = Buffer.from(tenant);
  const nameHead = head(0x12, name.length);
  const tail = replica === PLACED ? PLACED_FIELD : Buffer.from(head(0x18, replica));
  return [
    Buffer.from(head(0x22, series.length + nameHead.length + name.length)),
    series,
    Buffer.from([...nameHead, ...name]),
    tail,
  ];
}

/** A field's tag and a varint: the length of its content, or its value. */
function head(tag: number, length: number): number[] {
  return [...varint(tag), ...varint(length)];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return bytes;
}

/** Reads the outer message of a peer's request. Throws `bad_data`. */
export function readPeerRequest(bytes: Uint8Array): PeerRequest {
  const r = new WireReader(bytes, "write request");
  let replica = 0;
  let tenant = "";
  let placed = false;
  const parcels: Parcel[] = [];
  try {
    while (r.pos < r.end) {
      const tag = r.uint32();
      if (tag === 0x12) tenant = r.string();
      else if (tag === 0x18) replica = r.int64();
      else if (tag === PLACED_TAG) placed = r.bool();
      else if (tag === PARCEL_TAG) parcels.push(readParcel(r.view()));
      else if (tag === 0x22) {
        const body = r.view();
        parcels.push({tenant: tupleTenant(body), form: FORM.plain, body});
      } else r.skip(tag);
    }
  } catch (err) {
    throw new StrataError("bad_data", errorText(err), {cause: err});
  }
  return {replica, placed, parcels: parcels.length > 0 ? parcels : [{tenant, form: FORM.plain, body: bytes}]};
}

function tupleTenant(tuple: Uint8Array): string {
  const r = new WireReader(tuple, "series of a tenant");
  let tenant = "";
  while (r.pos < r.end) {
    const tag = r.uint32();
    if (tag === 0x12) tenant = r.string();
    else r.skip(tag);
  }
  return tenant;
}

function readParcel(bytes: Uint8Array): Parcel {
  const r = new WireReader(bytes, "parcel");
  let tenant = "";
  let form: number = FORM.plain;
  let body: Uint8Array = new Uint8Array(0);
  while (r.pos < r.end) {
    const tag = r.uint32();
    if (tag === 0x0a) tenant = r.string();
    else if (tag === 0x10) form = r.uint32();
    else if (tag === 0x1a) body = r.view();
    else r.skip(tag);
  }
  if (form > FORM.packedV2) throw new StrataError("bad_data", `a parcel of form ${form} is not known`);
  return {tenant, form: form as Form, body};
}
