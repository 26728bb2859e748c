import {StrataError} from "@strata/base";

/** What a template function complains about; printed behind `error calling NAME: `. */
export const callError = (message: string): StrataError => new StrataError("execution", message);
