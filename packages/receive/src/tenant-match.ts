import {globMatches} from "./glob.ts";
import type {TenantMatch} from "./ring-config.ts";

/** Whether a list of tenants names this one. */
export const matchesTenant = ({tenants, glob}: TenantMatch, tenant: string): boolean =>
  glob ? tenants.some((pattern) => globMatches(pattern, tenant)) : tenants.includes(tenant);
