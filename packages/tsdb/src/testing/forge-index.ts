import {ByteWriter, crc32c} from "@strata/bytes";
import {INDEX_MAGIC} from "../index/index-format.ts";

/** A series of a forged index: label pairs in order, chunks ascending by time (ms, both inclusive). */
export type ForgedSeries = {
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly chunks: readonly {readonly mint: number; readonly maxt: number; readonly ref: number}[];
};

/** A part of an index under construction may be changed before its checksum is made. */
export type Tamper = (part: "symbols" | "series" | "postings" | "table", bytes: Uint8Array) => Uint8Array;

const untouched: Tamper = (_, bytes) => bytes;

/** An index of either version over `series` (in label order), put together by hand: nobody writes version 1 any more. */
export function forgeIndex(version: 1 | 2, series: readonly ForgedSeries[], tamper: Tamper = untouched): Uint8Array {
  const out = new ByteWriter();
  out.u32be(INDEX_MAGIC);
  out.u8(version);
  const section = (part: "symbols" | "postings" | "table", content: ByteWriter): void => {
    const bytes = tamper(part, content.take());
    out.u32be(bytes.length);
    out.bytes(bytes);
    out.u32be(crc32c(bytes));
  };
  const texts = [...new Set(series.flatMap(({labels}) => labels.flat()))].sort((a, b) =>
    Buffer.compare(Buffer.from(a), Buffer.from(b)),
  );
  const refs = new Map<string, number>();
  const symbols = new ByteWriter();
  symbols.u32be(texts.length);
  texts.forEach((text, i) => {
    // 9: magic, version, and the length of the section.
    refs.set(text, version === 1 ? 9 + symbols.length : i);
    symbols.str(text);
  });
  section("symbols", symbols);
  const seriesAt = out.length;
  const lists = new Map<string, {name: string; value: string; ids: number[]}>([["", {name: "", value: "", ids: []}]]);
  for (const {labels, chunks} of series) {
    if (version === 2) out.zeros((16 - (out.length % 16)) % 16);
    const id = version === 1 ? out.length : out.length / 16;
    const bytes = tamper("series", entryBytes(labels, chunks, refs));
    out.uvarint(bytes.length);
    out.bytes(bytes);
    out.u32be(crc32c(bytes));
    for (const [name, value] of [["", ""] as const, ...labels]) {
      const key = name === "" ? "" : `${name}=${value}`;
      const list = lists.get(key) ?? {name, value, ids: []};
      list.ids.push(id);
      lists.set(key, list);
    }
  }
  const postingsAt = out.length;
  const ordered = [...lists.values()].sort(
    (x, y) =>
      Buffer.compare(Buffer.from(x.name), Buffer.from(y.name)) ||
      Buffer.compare(Buffer.from(x.value), Buffer.from(y.value)),
  );
  // The tables of version 1 are in no order.
  if (version === 1) ordered.reverse();
  const table = new ByteWriter();
  table.u32be(ordered.length);
  for (const {name, value, ids} of ordered) {
    out.zeros((4 - (out.length % 4)) % 4);
    table.uvarint(2);
    table.str(name);
    table.str(value);
    table.uvarint(out.length);
    const list = new ByteWriter();
    list.u32be(ids.length);
    for (const id of ids) list.u32be(id);
    section("postings", list);
  }
  const tableAt = out.length;
  section("table", table);
  const toc = new ByteWriter();
  for (const at of [5, seriesAt, postingsAt, tableAt, postingsAt, tableAt]) toc.u64be(at);
  out.bytes(toc.view());
  out.u32be(crc32c(toc.view()));
  return out.take();
}

function entryBytes(
  labels: ForgedSeries["labels"],
  chunks: ForgedSeries["chunks"],
  refs: ReadonlyMap<string, number>,
): Uint8Array {
  const entry = new ByteWriter();
  entry.uvarint(labels.length);
  for (const text of labels.flat()) entry.uvarint(refs.get(text) as number);
  entry.uvarint(chunks.length);
  let last = {maxt: 0, ref: 0};
  chunks.forEach(({mint, maxt, ref}, i) => {
    if (i === 0) entry.varint(mint);
    else entry.uvarint(mint - last.maxt);
    entry.uvarint(maxt - mint);
    if (i === 0) entry.uvarint(ref);
    else entry.varint(ref - last.ref);
    last = {maxt, ref};
  });
  return entry.take();
}
