import {blake2b} from "@noble/hashes/blake2.js";
import {compareUtf8, type Matcher, matcherText} from "@strata/model";

/** What the index cache holds of a block. */
export type IndexItem =
  | {readonly type: "Postings"; readonly name: string; readonly value: string}
  | {readonly type: "ExpandedPostings"; readonly matchers: string}
  /** `offset` is the entry's place in the index. */
  | {readonly type: "Series"; readonly offset: number};

export type ItemType = IndexItem["type"];
export const ITEM_TYPES: readonly ItemType[] = ["Postings", "Series", "ExpandedPostings"];

/** Suffix of keys of posting lists in caches that several gateways share: how the value is compressed. */
const COMPRESSION = ":dss";

/** The key that Thanos gives the item in a shared cache. */
export function sharedKey(ulid: string, item: IndexItem): string {
  if (item.type === "Series") return `S:${ulid}:${item.offset}`;
  if (item.type === "Postings") return `P:${ulid}:${digest(`${item.name}:${item.value}`)}${COMPRESSION}`;
  return `EP:${ulid}:${digest(item.matchers)}${COMPRESSION}`;
}

/** A key for a cache in this process: the same parts, not hashed, because nobody else reads it. */
export function localKey(ulid: string, item: IndexItem): string {
  if (item.type === "Series") return `S:${ulid}:${item.offset}`;
  if (item.type === "Postings") return `P:${ulid}:${item.name}\0${item.value}`;
  return `EP:${ulid}:${item.matchers}`;
}

/** What an item's key counts in a cache bounded by bytes, as in Thanos: a ULID, a hash or number, and the texts. */
export function keyBytes(item: IndexItem): number {
  if (item.type === "Series") return 24;
  if (item.type === "Postings") return 16 + 32 + Buffer.byteLength(item.name) + Buffer.byteLength(item.value);
  return 16 + 16 + Buffer.byteLength(item.matchers);
}

const OP_ORDER = ["=", "!=", "=~", "!~"];

/** Matchers as the key of their expanded postings has them: ordered by operator, name and value, joined by ";". */
export function matchersKey(matchers: readonly Matcher[]): string {
  return [...matchers]
    .sort(
      (a, b) =>
        OP_ORDER.indexOf(a.op) - OP_ORDER.indexOf(b.op) || compareUtf8(a.name, b.name) || compareUtf8(a.value, b.value),
    )
    .map(matcherText)
    .join(";");
}

const digest = (text: string): string => Buffer.from(blake2b(Buffer.from(text), {dkLen: 32})).toString("base64url");
