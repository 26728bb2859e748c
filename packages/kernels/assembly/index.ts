// What the module exports. Only re-exports here; a name that other kernels use but JavaScript does not stays out.
export {alloc, allocated, allocSize, free} from "./alloc";
