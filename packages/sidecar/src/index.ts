export {type BlockShipper, type Readiness, Sidecar, type SidecarOptions} from "./sidecar.ts";
