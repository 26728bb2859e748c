import {StrataError} from "@strata/base";
import {throwIfAborted} from "./bucket-errors.ts";

/** Passes a body on; throws at its end when it has not the announced size, so that no half object is finished. */
export async function* checkedSize(
  body: AsyncIterable<Uint8Array>,
  size: number | undefined,
  key: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let sent = 0;
  for await (const part of body) {
    throwIfAborted(signal, `upload ${key}`);
    sent += part.length;
    if (part.length > 0) yield part;
  }
  if (size === undefined || sent === size) return;
  throw new StrataError("bad_data", `cannot upload ${key}: body has ${sent} bytes, ${size} were announced`);
}
