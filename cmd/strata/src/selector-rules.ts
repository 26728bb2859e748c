import {errorText, StrataError} from "@strata/base";
import {type RelabelConfig, relabelConfigs} from "@strata/model";
import {parse} from "yaml";
import type {Content} from "./flags/content.ts";

/** Actions that make sense where a label set can only be kept or dropped. */
const ACTIONS = ["keep", "drop", "hashmod"];

/** `--selector.relabel-config`. Throws `bad_data` for actions that change labels: a block has them or has not. */
export async function selectorRules(content: Content): Promise<readonly RelabelConfig[]> {
  let document: unknown;
  try {
    document = parse(await content.read());
  } catch (err) {
    if (err instanceof StrataError) throw err;
    throw new StrataError("bad_data", `cannot read --${content.flag}: ${errorText(err).split("\n")[0]}`, {cause: err});
  }
  const rules = relabelConfigs(document);
  const other = rules.find((rule) => !ACTIONS.includes(rule.action));
  if (other === undefined) return rules;
  throw new StrataError(
    "bad_data",
    `cannot use action ${other.action} in --${content.flag}: supported are ${ACTIONS.join(", ")}`,
  );
}
