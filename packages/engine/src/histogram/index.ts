export {fromModel, indexes} from "../decode-chunk.ts";
export {addHistograms, alignPair} from "./add.ts";
export {detectReset} from "./compare.ts";
export {type FloatHistogram, HINT, type Hint, isCustom, toSchema, withHint} from "./float-histogram.ts";
