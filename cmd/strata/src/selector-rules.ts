import {StrataError} from "@strata/base";
import {type RelabelConfig, relabelConfigs} from "@strata/model";
import {parse} from "yaml";
import type {Content} from "./flags/content.ts";

/** Actions that make sense where a label set can only be kept or dropped. */
const ACTIONS = ["keep", "drop", "hashmod"];

/** `--selector.relabel-config`. Throws `bad_data` for actions that change labels: a block has them or has not. */
export async function selectorRules(content: Content): Promise<readonly RelabelConfig[]> {
  const rules = await content.parse((text) => relabelConfigs(parse(text)));
  const other = rules.find((rule) => !ACTIONS.includes(rule.action));
  if (other === undefined) return rules;
  throw new StrataError(
    "bad_data",
    `cannot use action ${other.action} in --${content.flag}: supported are ${ACTIONS.join(", ")}`,
  );
}
