/**
 * Writes Thrift structs field by field. A struct's fields come in ascending order of their ids, then `stop`; a nested
 * struct's writer function ends with its own `stop`.
 */
export type ThriftWriter = {
  boolField(id: number, value: boolean): void;
  i32Field(id: number, value: number): void;
  i64Field(id: number, value: bigint): void;
  doubleField(id: number, value: number): void;
  stringField(id: number, value: string): void;
  structField(id: number, write: () => void): void;
  /** A list of structs. */
  listField<T>(id: number, items: readonly T[], write: (item: T) => void): void;
  stop(): void;
  bytes(): Uint8Array;
};

/** The binary protocol: type byte, 16-bit id, big-endian values. */
export class ThriftBinary implements ThriftWriter {
  readonly #out: number[] = [];

  boolField(id: number, value: boolean): void {
    this.#field(2, id);
    this.#out.push(value ? 1 : 0);
  }

  i32Field(id: number, value: number): void {
    this.#field(8, id);
    this.#int(BigInt(value), 4);
  }

  i64Field(id: number, value: bigint): void {
    this.#field(10, id);
    this.#int(value, 8);
  }

  doubleField(id: number, value: number): void {
    this.#field(4, id);
    const buffer = Buffer.alloc(8);
    buffer.writeDoubleBE(value);
    this.#out.push(...buffer);
  }

  stringField(id: number, value: string): void {
    this.#field(11, id);
    const text = Buffer.from(value);
    this.#int(BigInt(text.length), 4);
    for (const byte of text) this.#out.push(byte);
  }

  structField(id: number, write: () => void): void {
    this.#field(12, id);
    write();
  }

  listField<T>(id: number, items: readonly T[], write: (item: T) => void): void {
    this.#field(15, id);
    this.#out.push(12);
    this.#int(BigInt(items.length), 4);
    for (const item of items) write(item);
  }

  stop(): void {
    this.#out.push(0);
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#out);
  }

  #field(type: number, id: number): void {
    this.#out.push(type, id >> 8, id & 255);
  }

  #int(value: bigint, bytes: number): void {
    for (let shift = BigInt(bytes - 1) * 8n; shift >= 0n; shift -= 8n) this.#out.push(Number((value >> shift) & 255n));
  }
}

/** The compact protocol: delta-coded ids, zigzag varints, little-endian doubles. */
export class ThriftCompact implements ThriftWriter {
  readonly #out: number[] = [];
  /** Id of the last field, for each open struct. */
  readonly #lastIds: number[] = [0];

  /** Head of a message that expects no answer. */
  oneWayCall(name: string): void {
    const [protocol, version, oneWay] = [0x82, 1, 4];
    this.#out.push(protocol, version | (oneWay << 5), 0);
    this.#string(name);
  }

  boolField(id: number, value: boolean): void {
    this.#field(value ? 1 : 2, id);
  }

  i32Field(id: number, value: number): void {
    this.#field(5, id);
    this.#zigzag(BigInt(value));
  }

  i64Field(id: number, value: bigint): void {
    this.#field(6, id);
    this.#zigzag(BigInt.asIntN(64, value));
  }

  doubleField(id: number, value: number): void {
    this.#field(7, id);
    const buffer = Buffer.alloc(8);
    buffer.writeDoubleLE(value);
    this.#out.push(...buffer);
  }

  stringField(id: number, value: string): void {
    this.#field(8, id);
    this.#string(value);
  }

  structField(id: number, write: () => void): void {
    this.#field(12, id);
    this.#lastIds.push(0);
    write();
  }

  listField<T>(id: number, items: readonly T[], write: (item: T) => void): void {
    this.#field(9, id);
    const struct = 12;
    if (items.length < 15) {
      this.#out.push((items.length << 4) | struct);
    } else {
      this.#out.push(0xf0 | struct);
      this.#varint(BigInt(items.length));
    }
    for (const item of items) {
      this.#lastIds.push(0);
      write(item);
    }
  }

  stop(): void {
    this.#out.push(0);
    this.#lastIds.pop();
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#out);
  }

  #field(type: number, id: number): void {
    const at = this.#lastIds.length - 1;
    const delta = id - (this.#lastIds[at] as number);
    this.#lastIds[at] = id;
    if (delta > 0 && delta <= 15) {
      this.#out.push((delta << 4) | type);
    } else {
      this.#out.push(type);
      this.#zigzag(BigInt(id));
    }
  }

  #string(value: string): void {
    const text = Buffer.from(value);
    this.#varint(BigInt(text.length));
    for (const byte of text) this.#out.push(byte);
  }

  #zigzag(value: bigint): void {
    this.#varint(BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));
  }

  #varint(value: bigint): void {
    let rest = value;
    for (; rest >= 128n; rest >>= 7n) this.#out.push(Number(rest & 127n) | 128);
    this.#out.push(Number(rest));
  }
}
