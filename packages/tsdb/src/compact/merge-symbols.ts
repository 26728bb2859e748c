import {compareUtf8} from "@strata/model";
import type {Symbols} from "../index/symbols.ts";
import type {SymbolMap} from "./block-cursor.ts";

/** Reads one input's symbols in order and notes which number each gets. */
class SymbolStream {
  text: string | undefined;
  readonly #numbers: Uint32Array;
  readonly #byOffset: Map<number, number> | undefined;
  readonly #lists: AsyncIterator<{readonly texts: readonly string[]; readonly refs: readonly number[]}>;
  #texts: readonly string[] = [];
  #refs: readonly number[] = [];
  #at = -1;

  constructor(symbols: Symbols, refsAreOffsets: boolean) {
    this.#numbers = new Uint32Array(refsAreOffsets ? 0 : symbols.count);
    this.#byOffset = refsAreOffsets ? new Map() : undefined;
    this.#lists = symbols.all()[Symbol.asyncIterator]();
  }

  /** Steps to the next text; undefined at the end. */
  advance(): Promise<void> | undefined {
    this.#at++;
    if (this.#at >= this.#texts.length) return this.#fetch();
    this.text = this.#texts[this.#at];
    return undefined;
  }

  async #fetch(): Promise<void> {
    const {value, done} = await this.#lists.next();
    this.#texts = done ? [] : value.texts;
    this.#refs = done ? [] : value.refs;
    this.#at = 0;
    this.text = this.#texts[0];
  }

  take(number: number): void {
    const ref = this.#refs[this.#at] as number;
    if (this.#byOffset !== undefined) this.#byOffset.set(ref, number);
    else this.#numbers[ref] = number;
  }

  get map(): SymbolMap {
    const byOffset = this.#byOffset;
    if (byOffset !== undefined) return {get: (ref) => byOffset.get(ref) ?? 0};
    const numbers = this.#numbers;
    return {get: (ref) => numbers[ref] as number};
  }
}

/**
 * The union of the inputs' symbols, ascending, as an iterable for the block writer; once it has been read to its end,
 * `maps` tell what each input's references became. Memory: four bytes a symbol of each input.
 */
export function mergeSymbols(inputs: readonly {readonly symbols: Symbols; readonly version: number}[]): {
  readonly merged: AsyncIterable<string>;
  readonly maps: readonly SymbolMap[];
} {
  const streams = inputs.map(({symbols, version}) => new SymbolStream(symbols, version === 1));
  return {merged: mergedTexts(streams), maps: streams.map((stream) => stream.map)};
}

async function* mergedTexts(streams: readonly SymbolStream[]): AsyncGenerator<string> {
  for (const stream of streams) await stream.advance();
  for (let number = 0; ; number++) {
    let least: string | undefined;
    for (const {text} of streams) {
      if (text !== undefined && (least === undefined || compareUtf8(text, least) < 0)) least = text;
    }
    if (least === undefined) return;
    for (const stream of streams) {
      if (stream.text !== least) continue;
      stream.take(number);
      const wait = stream.advance();
      if (wait !== undefined) await wait;
    }
    yield least;
  }
}
