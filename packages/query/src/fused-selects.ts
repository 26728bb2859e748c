import {StrataError} from "@strata/base";
import {type Matcher, matcher, quoteRegex} from "@strata/model";
import {type Aggregate, type Select, type SeriesBatch, SeriesBatchBuilder} from "@strata/series";
import {Mailbox} from "./mailbox.ts";

/** Where series come from; what endpoints warn of is in the batches. */
export type SelectSource = (q: Select, signal: AbortSignal) => AsyncIterable<SeriesBatch>;

/** Bytes of chunks that may wait for queries that read something else first. */
const MOST_WAITING_BYTES = 64 << 20;

/** A selection that waits for its series. */
type Want = {
  readonly q: Select;
  readonly signal: AbortSignal;
  /** Told of warnings. */
  readonly warn: (text: string) => void;
  /** What it is dealt of a selection that it shares. */
  readonly batches: Mailbox<SeriesBatch>;
  /** Resolves with whether it is on its own. */
  readonly isAlone: PromiseWithResolvers<boolean>;
  left: boolean;
};

/** Selections that are made as one: `label` is what they differ in, if they do. */
type Fused = {readonly label: string | undefined; readonly wants: readonly Want[]};

/**
 * Makes selections that queries ask for in the same turn of the event loop as few as it can: those that differ in the
 * value of one label alone become one selection for all its values, and each gets its own series of that. A thousand
 * rules about a hundred instances are a handful of calls to stores, not a thousand.
 */
export class FusedSelects {
  readonly #source: SelectSource;
  readonly #mostBytes: number;
  #pending: Want[] = [];
  #waitingBytes = 0;
  /** One after the other is dealt: a builder of each one's own would make room for columns each time. */
  readonly #builder = new SeriesBatchBuilder(1024);

  constructor(source: SelectSource, mostBytes = MOST_WAITING_BYTES) {
    this.#source = source;
    this.#mostBytes = mostBytes;
  }

  /** As a Queryable's; `warn` is told what endpoints warn of. */
  async *select(q: Select, signal: AbortSignal, warn: (text: string) => void): AsyncGenerator<SeriesBatch> {
    const want: Want = {q, signal, warn, batches: new Mailbox(), isAlone: Promise.withResolvers(), left: false};
    if (this.#pending.push(want) === 1) setImmediate(() => this.#flush());
    try {
      if (await want.isAlone.promise) yield* this.#alone(want);
      else yield* this.#shared(want);
    } finally {
      want.left = true;
    }
  }

  async *#alone({q, signal, warn}: Want): AsyncGenerator<SeriesBatch> {
    for await (const batch of this.#source(q, signal)) {
      for (const text of batch.warnings) warn(text);
      yield batch.warnings.length === 0 ? batch : {...batch, warnings: []};
    }
  }

  async *#shared({batches}: Want): AsyncGenerator<SeriesBatch> {
    for (let batch = await batches.next(); batch !== undefined; batch = await batches.next()) {
      this.#waitingBytes -= batch.bytes.length;
      yield batch;
    }
  }

  #flush(): void {
    const wants = this.#pending;
    this.#pending = [];
    for (const fused of fuse(wants)) {
      const isAlone = fused.wants.length === 1;
      for (const want of fused.wants) want.isAlone.resolve(isAlone);
      if (!isAlone) void this.#read(fused);
    }
  }

  /** Reads a fused selection to its end, or until nobody wants it any more. */
  async #read({label, wants}: Fused): Promise<void> {
    const [first] = wants as [Want];
    const byValue = Map.groupBy(wants, ({q}) => (label === undefined ? "" : wantedValue(q, label)));
    const q = label === undefined || byValue.size === 1 ? first.q : withValues(first.q, label, [...byValue.keys()]);
    try {
      for await (const batch of this.#source(q, first.signal)) {
        for (const text of batch.warnings) for (const want of wants) want.warn(text);
        this.#deal(batch, label, byValue);
        if (wants.every(({left}) => left)) return;
        if (this.#waitingBytes > this.#mostBytes) throw tooMuch(this.#mostBytes);
      }
      for (const {batches} of wants) batches.end();
    } catch (err) {
      for (const {batches} of wants) batches.end(err as Error);
    }
  }

  #deal(batch: SeriesBatch, label: string | undefined, byValue: ReadonlyMap<string, readonly Want[]>): void {
    const rows = new Map<Want, number[]>();
    for (const [i, labels] of batch.labels.entries()) {
      for (const want of byValue.get(label === undefined ? "" : labels.get(label)) ?? []) {
        if (want.left) continue;
        const own = rows.get(want);
        if (own === undefined) rows.set(want, [i]);
        else own.push(i);
      }
    }
    for (const [{batches}, own] of rows) {
      for (const i of own) copySeries(batch, i, this.#builder);
      const dealt = this.#builder.finish();
      this.#waitingBytes += dealt.bytes.length;
      batches.put(dealt);
    }
  }
}

function copySeries(batch: SeriesBatch, i: number, into: SeriesBatchBuilder): void {
  into.startSeries(batch.labels[i] as SeriesBatch["labels"][number]);
  const end = batch.firstChunk[i + 1] as number;
  for (let c = batch.firstChunk[i] as number; c < end; c++) {
    into.addChunk(
      batch.mint[c] as number,
      batch.maxt[c] as number,
      batch.encoding[c] as number,
      batch.source[c] as number,
      batch.aggregate[c] as Aggregate,
      batch.bytes,
      batch.offset[c] as number,
      batch.length[c] as number,
    );
  }
}

const tooMuch = (most: number): StrataError =>
  new StrataError("limit", `cannot hold what queries of a batch share: it has more than ${most} bytes`);

/** Puts selections together: first those that could be one at all, then by the label that leaves the fewest. */
function fuse(wants: readonly Want[]): Fused[] {
  const out: Fused[] = [];
  for (const [shape, alike] of Map.groupBy(wants, ({q}) => shapeOf(q))) {
    if (shape === undefined) for (const want of alike) out.push({label: undefined, wants: [want]});
    else out.push(...byBestLabel(alike));
  }
  return out;
}

function byBestLabel(wants: readonly Want[]): Fused[] {
  const same = [...Map.groupBy(wants, ({q}) => restOf(q, undefined)).values()].map((group) => ({
    label: undefined,
    wants: group,
  }));
  let best: Fused[] = same;
  const {matchers, withoutReplicaLabels} = (wants[0] as Want).q;
  for (const {name, op} of matchers) {
    // Series lose these labels on their way: nobody could be told apart by them.
    if (op !== "=" || withoutReplicaLabels.includes(name)) continue;
    const fused = [...Map.groupBy(wants, ({q}) => restOf(q, name)).values()].map((group) => ({
      label: name,
      wants: group,
    }));
    if (fused.length < best.length) best = fused;
  }
  return best;
}

/** Equal for selections that differ in values of `=` alone; undefined for those that are left as they are. */
function shapeOf({matchers, budget: _, caller: __, ...rest}: Select): string | undefined {
  const equal = matchers.filter(({op}) => op === "=");
  const names = new Set(equal.map(({name}) => name));
  // Of the limit's series it could not be said whose they are. An empty value also means that the label is absent.
  if (rest.limit > 0 || names.size < equal.length || equal.some(({value}) => value === "")) return undefined;
  return JSON.stringify([rest, matchers.map((m) => (m.op === "=" ? [m.name] : textOf(m)))]);
}

/** All but the value of `label`. */
const restOf = ({matchers}: Select, label: string | undefined): string =>
  JSON.stringify(matchers.map((m) => (m.op === "=" && m.name === label ? [m.name] : textOf(m))));

const textOf = ({name, op, value}: Matcher): readonly string[] => [name, op, value];

const wantedValue = ({matchers}: Select, label: string): string =>
  matchers.find(({name, op}) => op === "=" && name === label)?.value ?? "";

function withValues(q: Select, label: string, values: readonly string[]): Select {
  const any = matcher(label, "=~", [...values].sort().map(quoteRegex).join("|"));
  return {...q, matchers: q.matchers.map((m) => (m.op === "=" && m.name === label ? any : m))};
}
