import {isUtf8} from "node:buffer";
import {StrataError} from "@strata/base";
import {ByteWriter} from "@strata/bytes";
import {compareUtf8, Labels} from "@strata/model";
import {WireReader} from "@strata/proto";

/** What is wrong with a label set. Compat: the texts of Thanos. */
export const LABEL_FAULT = {
  outOfOrder: "out of order labels",
  duplicate: "label set contains duplicate label names",
  empty: "label set contains a label with empty name or value",
} as const;
export type LabelFault = keyof typeof LABEL_FAULT;

const LABELS_TAG = 0x0a;

/** Labels out of the bytes of a message's `labels = 1` fields, as [name, value] pairs in the order sent. Throws `bad_data`. */
export function readLabelFields(bytes: Uint8Array): [string, string][] {
  const r = new WireReader(bytes, "labels");
  const pairs: [string, string][] = [];
  try {
    while (r.pos < r.end) {
      const tag = r.uint32();
      if (tag !== LABELS_TAG) r.skip(tag);
      else pairs.push(readLabel(r));
    }
  } catch (err) {
    throw new StrataError("bad_data", "unexpected EOF", {cause: err});
  }
  return pairs;
}

function readLabel(r: WireReader): [string, string] {
  const outer = r.enter();
  let name = "";
  let value = "";
  while (r.pos < r.end) {
    const tag = r.uint32();
    if (tag === 0x0a) name = r.string();
    else if (tag === 0x12) value = r.string();
    else r.skip(tag);
  }
  r.leave(outer);
  return [name, value];
}

/** The first fault of a label set, looking from its start; undefined when it may be stored. */
export function labelFault(pairs: readonly (readonly [string, string])[]): LabelFault | undefined {
  if (pairs.length === 0) return "empty";
  let last: string | undefined;
  for (const [name, value] of pairs) {
    if (name === "" || value === "") return "empty";
    if (last !== undefined) {
      if (name === last) return "duplicate";
      if (compareUtf8(name, last) < 0) return "outOfOrder";
    }
    last = name;
  }
  return undefined;
}

const out = new ByteWriter();

/** The pairs as the fields they came from: what `readLabelFields` reads. A view, good until the next call. */
export function labelFields(pairs: Iterable<readonly [string, string]>): Uint8Array {
  out.reset();
  for (const [name, value] of pairs) writeLabelField(out, name, value);
  return out.view();
}

/** Appends one label as field 1. */
export function writeLabelField(w: ByteWriter, name: string, value: string): void {
  const nameBytes = Buffer.byteLength(name);
  const valueBytes = Buffer.byteLength(value);
  w.u8(LABELS_TAG);
  w.uvarint(2 + uvarintSize(nameBytes) + nameBytes + uvarintSize(valueBytes) + valueBytes);
  w.u8(0x0a);
  w.str(name);
  w.u8(0x12);
  w.str(value);
}

function uvarintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
  return size;
}

/**
 * Labels of what may hold bytes that are no UTF-8: those have become U+FFFD, which can disturb the order that `pairs`
 * had in bytes.
 */
export function toLabels(pairs: readonly (readonly [string, string])[], bytes: Uint8Array): Labels {
  return isUtf8(bytes) ? new Labels(pairs.flat()) : Labels.fromPairs(pairs);
}
