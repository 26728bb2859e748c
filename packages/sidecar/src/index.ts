export type {HttpClientConfig} from "./http-client.ts";
export {httpClientConfig} from "./http-client-config.ts";
export {type BlockShipper, type Readiness, Sidecar, type SidecarOptions} from "./sidecar.ts";
