import {StrataError} from "@strata/base";
import {type KernelExports, wasmBase64} from "./generated/module.ts";

export type {KernelExports} from "./generated/module.ts";

/** What this file uses of the WebAssembly API, whose types come only with those of browsers. */
type WasmApi = {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => {readonly exports: object};
};

/** A scratch window up to this size is kept for the next call. */
const KEPT_SCRATCH = 1 << 20;

/**
 * One thread's kernels and their linear memory. Addresses are unsigned 32-bit numbers (what an export returns may come
 * as a negative number: use `>>> 0`).
 *
 * Views (`u8()`, `f64()` …) go stale whenever memory grows, so at any alloc, arena alloc or scratch: take them afresh
 * after the last such call, index with `ptr / BYTES_PER_ELEMENT`, and never keep one across an await.
 */
export class Kernel {
  readonly exports: KernelExports;
  #u8: Uint8Array<ArrayBuffer>;
  #u32: Uint32Array<ArrayBuffer>;
  #i32: Int32Array<ArrayBuffer>;
  #u64: BigUint64Array<ArrayBuffer>;
  #f64: Float64Array<ArrayBuffer>;
  #scratch = 0;
  #scratchSize = 0;

  constructor(exports: KernelExports) {
    this.exports = exports;
    const buffer = exports.memory.buffer;
    this.#u8 = new Uint8Array(buffer);
    this.#u32 = new Uint32Array(buffer);
    this.#i32 = new Int32Array(buffer);
    this.#u64 = new BigUint64Array(buffer);
    this.#f64 = new Float64Array(buffer);
  }

  u8(): Uint8Array<ArrayBuffer> {
    if (this.#u8.length === 0) this.#refresh();
    return this.#u8;
  }

  u32(): Uint32Array<ArrayBuffer> {
    if (this.#u32.length === 0) this.#refresh();
    return this.#u32;
  }

  i32(): Int32Array<ArrayBuffer> {
    if (this.#i32.length === 0) this.#refresh();
    return this.#i32;
  }

  u64(): BigUint64Array<ArrayBuffer> {
    if (this.#u64.length === 0) this.#refresh();
    return this.#u64;
  }

  f64(): Float64Array<ArrayBuffer> {
    if (this.#f64.length === 0) this.#refresh();
    return this.#f64;
  }

  /**
   * Address of `bytes` bytes of undefined content, 16-byte aligned; the caller frees it. Prefer a KernelArena, which
   * frees in one go. Throws `limit` when linear memory (4 GiB at the most) cannot hold it.
   */
  alloc(bytes: number): number {
    const ptr = bytes <= 0xffff_ffff ? this.exports.alloc(bytes) >>> 0 : 0;
    if (ptr === 0) {
      const used = this.allocated;
      throw new StrataError("limit", `cannot allocate ${bytes} bytes of kernel memory: ${used} are in use`, {
        fields: {asked: bytes, used},
      });
    }
    return ptr;
  }

  /** Gives back what `alloc` returned; 0 is ignored. */
  free(ptr: number): void {
    if (this.exports.free(ptr) !== 1) throw new StrataError("internal", `BUG: ${ptr} is no live kernel allocation`);
  }

  /**
   * Address of a window of `bytes` bytes for one synchronous piece of work, 16-byte aligned. There is one window a
   * thread: the next `scratch` call of anybody takes it over. Not to be freed.
   */
  scratch(bytes: number): number {
    if (bytes > this.#scratchSize || (this.#scratchSize > KEPT_SCRATCH && bytes <= KEPT_SCRATCH)) {
      const size = Math.max(bytes, 64 * 1024);
      this.free(this.#scratch);
      this.#scratch = 0;
      this.#scratchSize = 0;
      this.#scratch = this.alloc(size);
      this.#scratchSize = size;
    }
    return this.#scratch;
  }

  /** Copies from[start, end) to `ptr`. */
  write(ptr: number, from: Uint8Array, start = 0, end: number = from.length): void {
    this.u8().set(start === 0 && end === from.length ? from : from.subarray(start, end), ptr);
  }

  /** A copy of [ptr, ptr + length) that the caller owns. */
  read(ptr: number, length: number): Uint8Array<ArrayBuffer> {
    return this.u8().slice(ptr, ptr + length);
  }

  /** Bytes in live allocations, with their headers and the scratch window. */
  get allocated(): number {
    return this.exports.allocated() >>> 0;
  }

  /** Bytes of linear memory, which never shrinks. */
  get memoryBytes(): number {
    return this.exports.memory.buffer.byteLength;
  }

  #refresh(): void {
    const buffer = this.exports.memory.buffer;
    this.#u8 = new Uint8Array(buffer);
    this.#u32 = new Uint32Array(buffer);
    this.#i32 = new Int32Array(buffer);
    this.#u64 = new BigUint64Array(buffer);
    this.#f64 = new Float64Array(buffer);
  }
}

/** A fresh instance with its own memory, for tests; everything else shares `kernel()`. */
export function newKernel(): Kernel {
  const {Module, Instance} = (globalThis as unknown as {WebAssembly: WasmApi}).WebAssembly;
  const instance = new Instance(new Module(Buffer.from(wasmBase64, "base64")));
  return new Kernel(instance.exports as KernelExports);
}

let shared: Kernel | undefined;

/** This thread's kernels, compiled and instantiated at the first call. */
export function kernel(): Kernel {
  shared ??= newKernel();
  return shared;
}
