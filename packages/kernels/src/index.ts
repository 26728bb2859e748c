export {type Kernel, type KernelExports, kernel, newKernel} from "./kernel.ts";
export {KernelArena} from "./kernel-arena.ts";
export {dropStale, type KernelColumns, rangeWindows} from "./range.ts";
export {avgWindow, dropStaleTwin, RANGE, type RangeFunc, rangeTwin, sumWindow, type Windows} from "./range-twin.ts";
export {xorDecode, xorEncode} from "./xor.ts";
export {xorMaxLength} from "./xor-twin.ts";
