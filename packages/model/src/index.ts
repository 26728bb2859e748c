export {compareLabels, Labels, METRIC_NAME} from "./labels.ts";
export type {Matcher, MatchOp} from "./matcher.ts";
export {compareUtf8} from "./utf8-order.ts";
