export {assert, must, unreachable} from "./assert.ts";
export {ByteBudget, unlimited} from "./byte-budget.ts";
export {type ErrorCode, type ErrorFields, errorCode, errorText, StrataError, withContext} from "./errors.ts";
export {forEachLimit} from "./for-each-limit.ts";
export {Gate} from "./gate.ts";
export {runTogether} from "./run-together.ts";
export {fromWireError, toWireError, type WireError} from "./wire-error.ts";
