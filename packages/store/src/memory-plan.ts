import type {ReadTuning} from "./read-context.ts";

/** With less than this a call cannot read several blocks side by side and stay within its share. */
const CALL_BYTES = 32 << 20;

/** Of what a call may hold: one batch with its consumer, one being read, each there twice while it is put together. */
const BATCHES_OF_CALL = 8;

/** What a call takes beside its batches: buffers of its connection, and objects of the heap. */
const REST_OF_CALL = 24 << 20;

/** Reads smaller than this would be more requests than data. */
const MIN_UNIT_BYTES = 256 << 10;

/** About what a row takes while it is held, with those read ahead, and the share of a call's bytes that rows may take. */
const ROW_BYTES = 1024;
const ROWS_SHARE = 0.25;

/**
 * How calls have to run to stay within a budget of `bytes` (0: none): fewer at once, so that each has enough to go on, the
 * others waiting for their turn instead of failing; and in smaller batches.
 */
export function memoryPlan(
  bytes: number,
  maxConcurrent: number,
  tuning: ReadTuning,
): {readonly concurrency: number; readonly tuning: ReadTuning} {
  if (bytes === 0) return {concurrency: maxConcurrent, tuning};
  const most = Math.max(1, Math.floor(bytes / CALL_BYTES));
  const concurrency = maxConcurrent === 0 ? most : Math.min(maxConcurrent, most);
  const ofCall = bytes / concurrency;
  return {
    concurrency,
    tuning: {
      ...tuning,
      unitBytes: Math.min(
        tuning.unitBytes,
        Math.max(MIN_UNIT_BYTES, Math.floor((ofCall - REST_OF_CALL) / BATCHES_OF_CALL)),
      ),
      heldRows: Math.min(tuning.heldRows, Math.floor((ofCall * ROWS_SHARE) / ROW_BYTES)),
    },
  };
}
