import {errorText, StrataError} from "@strata/base";

/** What a failed allocation (of a column, or of an entry of a full map) means to callers: `limit`. Others stay as they are. */
export const noRoom = (err: unknown, what: string): unknown =>
  err instanceof RangeError
    ? new StrataError("limit", `${what}: memory has no room for more (${errorText(err)})`, {cause: err})
    : err;
