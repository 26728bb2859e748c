import {StrataError} from "@strata/base";
import type {RandomAccess} from "@strata/tsdb/blocks";
import type {Section} from "./header-layout.ts";
import {next, scanSection, uvarint} from "./scan.ts";

/**
 * Goes over all entries of a postings offset table and checks its CRC and count; `take` finds each in `entry`, with the
 * file offset at which it starts. Throws `corrupt`.
 *
 * ```
 * uvarint 2 · uvarint length, name · uvarint length, value · uvarint offset of the list in the index
 * ```
 */
export async function scanTable(
  source: RandomAccess,
  table: Section,
  take: (bytes: Buffer, at: number) => void,
): Promise<void> {
  let entries = 0;
  await scanSection(source, table, (bytes, base) => {
    let pos = 0;
    while (readEntry(bytes, pos, source.name, base)) {
      take(bytes, base + pos);
      entries++;
      pos = entry.next;
    }
    return pos;
  });
  if (entries === table.count) return;
  throw new StrataError(
    "corrupt",
    `cannot read postings offset table of ${source.name} at ${table.at}: it announces ${table.count} entries and holds ${entries}`,
    {fields: {file: source.name, offset: table.at}},
  );
}

/** The entry that `readEntry` read last, as positions in its buffer. PERF: one object instead of one per entry. */
export const entry = {nameFrom: 0, nameTo: 0, valueFrom: 0, valueTo: 0, offset: 0, next: 0};

/** Reads the entry at `pos` into `entry`; false when `bytes` ends before it does. */
export function readEntry(bytes: Buffer, pos: number, file: string, base: number): boolean {
  if (pos >= bytes.length) return false;
  if (bytes[pos] !== 2) throw badEntry(file, base + pos, `it has ${bytes[pos]} keys instead of 2`);
  const nameLength = uvarint(bytes, pos + 1);
  if (nameLength < 0) return incomplete(nameLength, file, base + pos);
  entry.nameFrom = next;
  entry.nameTo = next + nameLength;
  if (entry.nameTo > bytes.length) return false;
  const valueLength = uvarint(bytes, entry.nameTo);
  if (valueLength < 0) return incomplete(valueLength, file, base + pos);
  entry.valueFrom = next;
  entry.valueTo = next + valueLength;
  if (entry.valueTo > bytes.length) return false;
  const offset = uvarint(bytes, entry.valueTo);
  if (offset < 0) return incomplete(offset, file, base + pos);
  entry.offset = offset;
  entry.next = next;
  return true;
}

function incomplete(code: number, file: string, offset: number): false {
  if (code === -2) throw badEntry(file, offset, "a number in it is too large");
  return false;
}

export const badEntry = (file: string, offset: number, why: string) =>
  new StrataError("corrupt", `cannot read postings offset entry of ${file} at ${offset}: ${why}`, {
    fields: {file, offset},
  });

export const isName = (bytes: Buffer, name: string): boolean =>
  bytes.toString("utf8", entry.nameFrom, entry.nameTo) === name;
