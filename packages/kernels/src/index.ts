export {type Kernel, type KernelExports, kernel, newKernel} from "./kernel.ts";
export {KernelArena} from "./kernel-arena.ts";
