export {ConfigReloader, type ReloaderOptions} from "./config-reloader.ts";
export {httpReload, type ReloadTrigger, signalReload} from "./reload-trigger.ts";
export {type BlockShipper, type Readiness, Sidecar, type SidecarOptions} from "./sidecar.ts";
