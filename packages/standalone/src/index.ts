export {type DemoHistory, writeDemoHistory} from "./demo-history.ts";
export {DEMO_EXTERNAL_LABELS} from "./demo-series.ts";
export {REPLICA_LABELS, Standalone, type StandaloneOptions} from "./standalone.ts";
