import assert from "node:assert/strict";
import {test} from "node:test";
import {format, parseExpr} from "@strata/promql";
import {enforceOnExpr, tenantLabel} from "./enforce-tenancy.ts";

test("every selector is tied to the tenant, whatever it said of that label", () => {
  const f = (query: string, want: string) =>
    assert.equal(format(enforceOnExpr(parseExpr(query), {name: "tenant_id", values: ["a"]})), want);
  f(
    'sum(rate(x{tenant_id="b",j="1"}[5m])) / on () y',
    'sum(rate(x{j="1",tenant_id="a"}[5m])) / on () y{tenant_id="a"}',
  );
  f('max_over_time({tenant_id!="a",j="1"}[1h:5m])', 'max_over_time({j="1",tenant_id="a"}[1h:5m])');
  f("1 + time()", "1 + time()");
});

test("of several tenants a query may choose, and gets none beyond them", () => {
  const tenancy = {label: "tenant_id", federation: true};
  const f = (tenant: string, query: string, want: string) =>
    assert.equal(format(enforceOnExpr(parseExpr(query), tenantLabel(tenancy, tenant))), want);
  f("a|b.c|a", "x", 'x{tenant_id=~"a|b\\\\.c"}');
  f("a|b", 'x{tenant_id="c"}', 'x{tenant_id="c",tenant_id=~"a|b"}');
  f("a", 'x{tenant_id="c"}', 'x{tenant_id="a"}');
  assert.deepEqual(tenantLabel({...tenancy, federation: false}, "a|b").values, ["a|b"]);
});
