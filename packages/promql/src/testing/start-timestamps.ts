import {StrataError} from "@strata/base";

const UNITS: Readonly<Record<string, number>> = {ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000};

/**
 * The values of an `@st` line: for each sample the offset in ms from its time to its start timestamp, undefined for
 * none. `_xN` stands for N entries, `AxN` and `A+BxN` for N + 1. Throws `bad_data`.
 */
export function parseStartOffsets(text: string): (number | undefined)[] {
  const out: (number | undefined)[] = [];
  for (const item of text.split(/\s+/).filter((part) => part !== "")) {
    const gap = /^_(?:x(\d+))?$/.exec(item);
    if (gap !== null) {
      for (let i = 0; i < Number(gap[1] ?? 1); i++) out.push(undefined);
      continue;
    }
    const match = /^([+-]?\d+[a-z]*?)(?:([+-]\d+[a-z]*?)?x(\d+))?$/.exec(item);
    if (match === null) throw bad(`cannot read start timestamp ${item}`);
    let offset = duration(match[1] as string);
    const change = match[2] === undefined ? 0 : duration(match[2]);
    for (let i = 0; i <= Number(match[3] ?? 0); i++, offset += change) out.push(offset);
  }
  return out;
}

function duration(text: string): number {
  if (/^[+-]?0$/.test(text)) return 0;
  const match = /^([+-]?)(\d+)([a-z]+)$/.exec(text);
  const unit = UNITS[match?.[3] ?? ""];
  if (match === null || unit === undefined) throw bad(`cannot read duration ${text} of a start timestamp`);
  return (match[1] === "-" ? -1 : 1) * Number(match[2]) * unit;
}

const bad = (message: string): StrataError => new StrataError("bad_data", message);
