export {type DemoHistory, writeDemoHistory} from "./demo-history.ts";
export {writeDemoRules} from "./demo-rules.ts";
export {DEMO_EXTERNAL_LABELS, type DemoSeries, demoSeries} from "./demo-series.ts";
export {writeDemoYear} from "./demo-year.ts";
export {FrontendPart, type FrontendPartOptions} from "./frontend-part.ts";
export {REPLICA_LABELS, Standalone, type StandaloneOptions} from "./standalone.ts";
