import {StrataError} from "@strata/base";
import {crc32c} from "@strata/kernels";
import type {RandomAccess} from "@strata/tsdb/blocks";
import type {Section} from "./header-layout.ts";

/** How much of a section is read at once while all of it is scanned. */
const SCAN_BYTES = 256 * 1024;

/**
 * Reads [from, to) of `source` in windows. `take` consumes whole items from a window and returns how many bytes of it
 * it used; what remains is offered again at the start of the next window. `base` is the file offset of `bytes[0]`.
 * An item that does not end before `to` is `corrupt`.
 */
export async function scanRange(
  source: RandomAccess,
  from: number,
  to: number,
  take: (bytes: Buffer, base: number) => number,
  firstWindow = SCAN_BYTES,
): Promise<void> {
  let window = firstWindow;
  for (let at = from; at < to; ) {
    const length = Math.min(window, to - at);
    const used = take(asBuffer(await source.read(at, length)), at);
    if (used === STOP) return;
    if (used === 0 && at + length === to) throw cutItem(source.name, at);
    // No whole item fits: the window was too small for this one.
    window = used === 0 ? length * 4 : SCAN_BYTES;
    at += used;
  }
}

/**
 * Scans all items of a section (`from` follows its u32 count) and checks its CRC, which covers the count as well.
 * `take` as in `scanRange`, without stopping early.
 */
export async function scanSection(
  source: RandomAccess,
  section: Section,
  take: (bytes: Buffer, base: number) => number,
): Promise<void> {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(section.count);
  let crc = crc32c(count);
  await scanRange(source, section.from, section.to, (bytes, base) => {
    const used = take(bytes, base);
    crc = crc32c(bytes, 0, used, crc);
    return used;
  });
  const want = asBuffer(await source.read(section.to, 4)).readUInt32BE();
  if (crc === want) return;
  throw new StrataError("corrupt", `cannot read section of ${source.name} at ${section.at}: crc32c ${crc} != ${want}`, {
    fields: {file: source.name, offset: section.at},
  });
}

/** What `take` returns to end a scan early. */
export const STOP = -1;

export const cutItem = (file: string, offset: number): StrataError =>
  new StrataError("corrupt", `cannot read ${file} at ${offset}: the item goes beyond its section`, {
    fields: {file, offset},
  });

/** Same bytes, seen as a Buffer: its compare and string methods are native. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Byte position after the number that `uvarint` read last. PERF: a field instead of a pair made per call. */
export let next = 0;

/** The unsigned LEB128 number at `pos`; -1 when it is cut off at the end of `bytes`, -2 when it is longer than 2⁵³. */
export function uvarint(bytes: Uint8Array, pos: number): number {
  let value = 0;
  let factor = 1;
  for (let i = pos; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) {
      next = i + 1;
      return value <= Number.MAX_SAFE_INTEGER ? value : -2;
    }
    factor *= 128;
    if (i - pos >= 9) return -2;
  }
  return -1;
}
