import {type Matcher, matcher} from "@strata/model";
import {type Expr, transform} from "@strata/promql";

/** The label that every selector of a tenant is tied to. */
export type TenantLabel = {readonly name: string; readonly value: string};

/** The matchers with the tenant's own in place of any on the same label. */
export function enforceOn(matchers: readonly Matcher[], tenant: TenantLabel): readonly Matcher[] {
  return [...matchers.filter((m) => m.name !== tenant.name), matcher(tenant.name, "=", tenant.value)];
}

/** The expression with every selector tied to the tenant. */
export function enforceOnExpr(expr: Expr, tenant: TenantLabel): Expr {
  return transform(expr, (node) =>
    node.kind === "vector" ? {...node, matchers: enforceOn(node.matchers, tenant)} : node,
  );
}
