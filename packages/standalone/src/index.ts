export {type DemoHistory, writeDemoHistory} from "./demo-history.ts";
