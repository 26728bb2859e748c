import {type Matcher, matcher} from "@strata/model";
import type {Select} from "@strata/series";
import {planFrom, type StorePlan} from "@strata/storeapi";
import {enforceOn, type TenantLabel} from "./enforce-tenancy.ts";
import type {SelectOutline} from "./messages.ts";

/** Plans a query's selections from the outline that came with it. */
export function outlinePlanner(
  {proxy, caller, storeMatch}: SelectOutline,
  tenant: TenantLabel | undefined,
): (q: Select) => readonly StorePlan[] {
  const sets = storeMatch.map((set): Matcher[] => set.map((m) => matcher(m.name, m.op, m.value)));
  return (q) => {
    // Once more here, where every selection passes: some are of the engine's own making.
    const matchers = enforceOn(q.matchers, tenant);
    return planFrom(proxy, {...q, matchers, caller: {...caller, storeMatch: sets}});
  };
}
