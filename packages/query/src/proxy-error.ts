import {StrataError} from "@strata/base";

/**
 * Compat: the error of an endpoint with the names of the steps that it went through in Thanos; `call` is that of the
 * proxy, `outer` what stands before it. What is not about an endpoint stays as it is.
 */
export function proxyError(err: unknown, call: "Series" | "LabelNames" | "LabelValues", outer = ""): unknown {
  if (err instanceof StrataError && err.message.startsWith("no matchers specified")) {
    const status = `rpc error: code = InvalidArgument desc = ${err.message}`;
    return new StrataError("execution", `${outer}proxy ${call}(): ${status}`, {cause: err, fields: err.fields});
  }
  if (!(err instanceof StrataError) || !/^(fetch|receive) (series|label names|label values) f/.test(err.message)) {
    return err;
  }
  // A stream that broke off is told as the status that it ended with.
  const status = err.message.startsWith("receive") ? "rpc error: code = Aborted desc = " : "";
  const text = `${outer}proxy ${call}(): ${status}${err.message}`;
  return new StrataError(err.code, text, {cause: err, fields: err.fields});
}
