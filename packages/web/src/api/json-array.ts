/** So many characters of JSON are put together before they are sent. */
const PIECE_CHARS = 1 << 16;

/** A JSON array in pieces; `encode` gives the JSON of one item. */
export function* jsonArray<T>(items: Iterable<T>, encode: (item: T) => string): Generator<Uint8Array> {
  let text = "[";
  let first = true;
  for (const item of items) {
    text += (first ? "" : ",") + encode(item);
    first = false;
    if (text.length < PIECE_CHARS) continue;
    yield Buffer.from(text);
    text = "";
  }
  yield Buffer.from(`${text}]`);
}
