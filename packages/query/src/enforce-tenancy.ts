import {type Matcher, matcher, quoteRegex} from "@strata/model";
import {type Expr, transform} from "@strata/promql";

/** The label that every selector is tied to, and the tenants it may have: one, or with federation several. */
export type TenantLabel = {readonly name: string; readonly values: readonly string[]};

/** How a request's tenant becomes what selectors are tied to. */
export type Tenancy = {
  /** `--query.tenant-label-name`. */
  readonly label: string;
  /** `--query.tenant-federation`: `a|b` are two tenants. */
  readonly federation: boolean;
};

/** The tenants of a request. */
export const tenantLabel = ({label, federation}: Tenancy, tenant: string): TenantLabel => ({
  name: label,
  values: federation ? [...new Set(tenant.split("|"))] : [tenant],
});

/**
 * The matchers tied to the tenants. Compat: for one tenant its matcher stands in place of any on the same label; of several
 * a query may choose some. As they are where tenancy is not enforced.
 */
export function enforceOn(matchers: readonly Matcher[], tenant: TenantLabel | undefined): readonly Matcher[] {
  if (tenant === undefined) return matchers;
  const {name, values} = tenant;
  const [only = ""] = values;
  if (values.length === 1) return [...matchers.filter((m) => m.name !== name), matcher(name, "=", only)];
  return [...matchers, matcher(name, "=~", values.map(quoteRegex).join("|"))];
}

/** The expression with every selector tied to the tenants; as it is where nobody's tenancy is enforced. */
export function enforceOnExpr(expr: Expr, tenant: TenantLabel | undefined): Expr {
  if (tenant === undefined) return expr;
  return transform(expr, (node) =>
    node.kind === "vector" ? {...node, matchers: enforceOn(node.matchers, tenant)} : node,
  );
}
