import assert from "node:assert/strict";
import {test} from "node:test";
import {ByteBudget, StrataError} from "@strata/base";
import fc from "fast-check";
import {newKernel} from "./kernel.ts";
import {KernelArena} from "./kernel-arena.ts";

test("allocations are aligned, disjoint, keep their content and are all reused after free", () => {
  const k = newKernel();
  // A size to allocate, or (negative) which live allocation to free.
  const step = fc.oneof(
    fc.integer({min: 0, max: 300}),
    fc.integer({min: 0, max: 300_000}),
    fc.integer({min: -50, max: -1}),
  );
  fc.assert(
    fc.property(fc.array(step, {maxLength: 200}), (steps) => {
      const live: {ptr: number; size: number; mark: number}[] = [];
      const release = (at: number) => {
        const {ptr, size, mark} = live.splice(at, 1)[0]!;
        const bytes = k.u8();
        for (const i of [0, size >> 1, size - 1]) if (size > 0) assert.equal(bytes[ptr + i], mark);
        k.free(ptr);
      };
      steps.forEach((s, i) => {
        if (s < 0) {
          if (live.length > 0) release(-s % live.length);
          return;
        }
        const ptr = k.alloc(s);
        assert.equal(ptr % 16, 0);
        for (const other of live) assert.ok(ptr + s <= other.ptr || other.ptr + other.size <= ptr, "blocks overlap");
        k.u8().fill(i & 255, ptr, ptr + s);
        live.push({ptr, size: s, mark: i & 255});
      });
      while (live.length > 0) release(0);
      assert.equal(k.allocated, 0);
    }),
    {numRuns: 200},
  );
  // Everything freed has coalesced: one block of nearly the whole memory fits without growth.
  const before = k.memoryBytes;
  k.free(k.alloc(before - 128 * 1024 - (before >> 4)));
  assert.equal(k.memoryBytes, before);
});

test("views follow memory when it grows", () => {
  const k = newKernel();
  const old = k.f64();
  const ptr = k.alloc(8 << 20);
  assert.equal(old.length, 0);
  k.f64()[ptr / 8] = 1.5;
  assert.equal(new DataView(k.exports.memory.buffer).getFloat64(ptr, true), 1.5);
  k.u32()[ptr / 4] = 7;
  assert.equal(k.i32()[ptr / 4], 7);
  assert.equal(k.u64()[ptr / 8]! & 0xffffffffn, 7n);
});

test("an allocation that cannot fit is a limit error and leaves the rest usable", () => {
  const k = newKernel();
  for (const bytes of [2 ** 32 - 1, 2 ** 32, 2 ** 40, 0xfffe_0000]) {
    assert.throws(
      () => k.alloc(bytes),
      (e) => e instanceof StrataError && e.code === "limit",
    );
  }
  const ptr = k.alloc(100);
  assert.ok(ptr > 0);
  k.free(ptr);
  assert.equal(k.allocated, 0);
});

test("freeing twice, or what was never allocated, is told", () => {
  const k = newKernel();
  const a = k.alloc(100);
  const b = k.alloc(100);
  k.free(0);
  k.free(a);
  for (const ptr of [a, b + 16, b + 1, 16, 0xffff_fff0]) assert.throws(() => k.free(ptr), /no live kernel allocation/);
  k.free(b);
  assert.equal(k.allocated, 0);
});

test("memory above 2 GiB is addressed without sign", () => {
  const k = newKernel();
  const low = k.alloc(0x8000_0000);
  const high = k.alloc(0x4000_0000);
  assert.ok(high > 0x7fff_ffff);
  k.u8()[high] = 9;
  assert.equal(k.read(high, 1)[0], 9);
  k.free(low);
  k.free(high);
});

test("the scratch window grows, is reused, and a large one is not kept", () => {
  const k = newKernel();
  const a = k.scratch(10);
  assert.equal(k.scratch(64 * 1024), a);
  k.scratch(3 << 20);
  assert.ok(k.allocated > 3 << 20);
  k.scratch(10);
  assert.ok(k.allocated < 1 << 20);
});

test("an arena frees on close what is left, and counts in its budget", () => {
  const k = newKernel();
  const budget = new ByteBudget("query", 1000);
  const arena = new KernelArena("columns", budget, k);
  const a = arena.alloc(300);
  arena.alloc(400);
  assert.throws(() => arena.alloc(400), /cannot hold 400 bytes more for columns: query holds 700 of 1000 bytes/);
  arena.free(a);
  arena.free(a);
  assert.equal(budget.used, 400);
  assert.equal(arena.bytes, 400);
  const other = new KernelArena("results", budget, k);
  const moved = arena.alloc(16);
  arena.moveTo(other, moved);
  arena.close();
  arena.close();
  assert.equal(budget.used, 16);
  other.close();
  assert.equal(budget.used, 0);
  assert.equal(k.allocated, 0);
});
