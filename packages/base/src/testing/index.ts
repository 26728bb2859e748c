export {CHROMIUM_ARGS, screenshotDir} from "./browser.ts";
export {type Certificates, makeCertificates} from "./certificates.ts";
export {freePort} from "./free-port.ts";
export {goldenDir, goldenRoot, repoRoot, tempDir} from "./paths.ts";
export {random, repeat, seed} from "./repeat.ts";
export type {TestScope} from "./scope.ts";
export {httpReady, type Server, type ServerOptions, spawnServer, tcpReady} from "./server.ts";
export {anySkip, requireTool, type Tool, type ToolName} from "./tools.ts";
