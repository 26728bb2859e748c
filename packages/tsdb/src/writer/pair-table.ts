const EMPTY = 0xffffffff;

/**
 * Numbers label pairs (two symbol references) in the order in which they first come: an open hash table over typed
 * arrays. A Map with number keys takes three times the memory (50 bytes a pair).
 */
export class PairTable {
  #slots = new Uint32Array(1024).fill(EMPTY);
  #names = new Uint32Array(512);
  #values = new Uint32Array(512);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  name(id: number): number {
    return this.#names[id] as number;
  }

  value(id: number): number {
    return this.#values[id] as number;
  }

  /** The number of a pair, a new one where it was not seen before. */
  intern(name: number, value: number): number {
    const mask = this.#slots.length - 1;
    let slot = hash(name, value) & mask;
    for (;;) {
      const id = this.#slots[slot] as number;
      if (id === EMPTY) break;
      if (this.#names[id] === name && this.#values[id] === value) return id;
      slot = (slot + 1) & mask;
    }
    return this.#add(name, value, slot);
  }

  #add(name: number, value: number, slot: number): number {
    const id = this.#count++;
    if (id === this.#names.length) {
      this.#names = grown(this.#names);
      this.#values = grown(this.#values);
    }
    this.#names[id] = name;
    this.#values[id] = value;
    this.#slots[slot] = id;
    if (this.#count * 2 > this.#slots.length) this.#rehash();
    return id;
  }

  #rehash(): void {
    const slots = new Uint32Array(this.#slots.length * 2).fill(EMPTY);
    const mask = slots.length - 1;
    for (let id = 0; id < this.#count; id++) {
      let slot = hash(this.#names[id] as number, this.#values[id] as number) & mask;
      while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      slots[slot] = id;
    }
    this.#slots = slots;
  }

  /** Pair numbers sorted by name, then value. */
  sorted(): Uint32Array {
    const ids = Uint32Array.from({length: this.#count}, (_, id) => id);
    const names = this.#names;
    const values = this.#values;
    return ids.sort(
      (a, b) => (names[a] as number) - (names[b] as number) || (values[a] as number) - (values[b] as number),
    );
  }
}

const hash = (name: number, value: number): number => {
  const h = Math.imul(name ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(value, 0xc2b2ae35);
  return h ^ (h >>> 15);
};

function grown(column: Uint32Array): Uint32Array<ArrayBuffer> {
  const next = new Uint32Array(column.length * 2);
  next.set(column);
  return next;
}
