export {type ForgedSeries, forgeIndex, type Tamper} from "./forge-index.ts";
