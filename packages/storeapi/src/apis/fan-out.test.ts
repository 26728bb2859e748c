import assert from "node:assert/strict";
import {describe, test} from "node:test";
import {StrataError} from "@strata/base";
import type {TestScope} from "@strata/base/testing";
import {Labels} from "@strata/model";
import {thanos} from "@strata/proto";
import {newRegistry, nullLogger} from "@strata/telemetry";
import type {EndpointHandle} from "../endpoint-set.ts";
import {GrpcServer} from "../grpc-server.ts";
import {connect} from "../testing/servers.ts";
import {endpointApis} from "./endpoint-apis.ts";
import {collect} from "./fan-out.ts";
import {type ReadApis, serveReadApis} from "./read-api.ts";

const CALLER = {tenant: "t"};
const never = new AbortController().signal;
const {WARN, ABORT} = thanos.PartialResponseStrategy;

async function endpoint(t: TestScope, apis: ReadApis, labels: Record<string, string> = {}): Promise<EndpointHandle> {
  const server = new GrpcServer({address: "127.0.0.1:0", registry: newRegistry(), logger: nullLogger()});
  serveReadApis(server, apis);
  const port = await server.listen();
  t.after(() => server.stop(100));
  const transport = connect(t, `127.0.0.1:${port}`);
  const connection = {address: transport.address, tls: undefined, compression: undefined, group: undefined};
  const labelSets = [Labels.fromObject(labels)].filter((set) => set.size > 0);
  return {address: transport.address, componentType: "sidecar", labelSets, tsdbInfos: [], transport, connection};
}

const proxy = (endpoints: readonly EndpointHandle[], timeoutMs = 0, selectorLabels = Labels.EMPTY) =>
  endpointApis({endpoints: () => endpoints, selectorLabels, timeoutMs});

const rulesRequest = (partialResponseStrategy: number): thanos.RulesRequest => ({
  type: 0,
  partialResponseStrategy,
  matcherString: [],
  ruleName: [],
  ruleGroup: [],
  file: [],
});

const group = (name: string): ReadApis["rules"] =>
  async function* () {
    yield {value: {name}};
  };

const names = (groups: readonly thanos.RuleGroup[]) => groups.map((g) => g.name).sort();

describe("a fan-out", () => {
  test("gives the answers and warnings of all endpoints", async (t) => {
    const warns = async function* () {
      yield {warning: "half of it"};
      yield {value: {name: "b"}};
    };
    const apis = proxy([await endpoint(t, {rules: group("a")}), await endpoint(t, {rules: warns})]);
    const {values, warnings} = await collect(apis.rules(rulesRequest(ABORT), CALLER, never));
    assert.deepEqual(names(values), ["a", "b"]);
    assert.deepEqual(warnings, ["half of it"]);
  });

  test("tells of an endpoint that fails, or fails as the request wants", async (t) => {
    const broken = async function* () {
      yield {value: {name: "first"}};
      throw new StrataError("unavailable", "gone");
    };
    const bad = await endpoint(t, {rules: broken});
    const apis = proxy([await endpoint(t, {rules: group("a")}), bad]);
    const {values, warnings} = await collect(apis.rules(rulesRequest(WARN), CALLER, never));
    assert.deepEqual(names(values), ["a", "first"]);
    const text = `receiving rules from rules client ${bad.address}: rpc error: code = Unavailable desc = gone`;
    assert.deepEqual(warnings, [text]);
    await assert.rejects(
      collect(apis.rules(rulesRequest(ABORT), CALLER, never)),
      (err) => err instanceof StrataError && err.code === "unavailable" && err.message === text,
    );
  });

  test("tells of an endpoint that is away, and leaves it out where that would fail", async (t) => {
    const gone = {...(await endpoint(t, {rules: group("gone")})), away: "endpoint does not answer: why"};
    const apis = proxy([await endpoint(t, {rules: group("a")}), gone]);
    const told = await collect(apis.rules(rulesRequest(WARN), CALLER, never));
    assert.deepEqual(names(told.values), ["a"]);
    assert.deepEqual(told.warnings, [
      `fetching rules from rules client ${gone.address}: endpoint does not answer: why`,
    ]);
    const left = await collect(apis.rules(rulesRequest(ABORT), CALLER, never));
    assert.deepEqual([names(left.values), left.warnings], [["a"], []]);
  });

  test("tells of an endpoint that lacks the API", async (t) => {
    const apis = proxy([await endpoint(t, {})]);
    const {warnings} = await collect(apis.targets({state: 0, partialResponseStrategy: WARN}, CALLER, never));
    assert.match(warnings.join(), /^receiving targets from targets client .*: rpc error: code = Unimplemented/);
  });

  test("does not wait for an endpoint that hangs", async (t) => {
    let left = 0;
    const hangs: ReadApis["rules"] = async function* (_request, _caller, signal) {
      yield {value: {name: "first"}};
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      left++;
    };
    const apis = proxy([await endpoint(t, {rules: group("a")}), await endpoint(t, {rules: hangs})], 1000);
    const {values, warnings} = await collect(apis.rules(rulesRequest(WARN), CALLER, never));
    assert.deepEqual(names(values), ["a", "first"]);
    assert.match(warnings.join(), /no answer within 1s/);
    const gone = new AbortController();
    const waiting = collect(proxy([await endpoint(t, {rules: hangs})]).rules(rulesRequest(WARN), CALLER, gone.signal));
    gone.abort(new StrataError("canceled", "left"));
    await assert.rejects(waiting, /left/);
    assert.ok(left <= 2);
  });

  test("ends the other streams when one fails the whole", async (t) => {
    const ended = Promise.withResolvers<void>();
    const waits: ReadApis["rules"] = async function* (_request, _caller, signal) {
      yield {value: {name: "slow"}};
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      ended.resolve();
    };
    const fails = async function* () {
      yield {value: {name: "x"}};
      throw new StrataError("internal", "broken");
    };
    const apis = proxy([await endpoint(t, {rules: waits}), await endpoint(t, {rules: fails})]);
    await assert.rejects(collect(apis.rules(rulesRequest(ABORT), CALLER, never)), /broken/);
    await ended.promise;
  });
});

describe("exemplars of many endpoints", () => {
  const request = (query: string): thanos.ExemplarsRequest => ({
    query,
    start: 0,
    end: 1,
    partialResponseStrategy: ABORT,
  });

  /** What each endpoint is asked, by its cluster. */
  async function asked(t: TestScope, query: string, selectorLabels = Labels.EMPTY): Promise<Record<string, string>> {
    const seen: Record<string, string> = {};
    const endpoints: EndpointHandle[] = [];
    for (const cluster of ["eu", "us"]) {
      const exemplars: ReadApis["exemplars"] = async function* (r) {
        seen[cluster] = r.query;
        yield {warning: "none"};
      };
      endpoints.push(await endpoint(t, {exemplars}, {cluster}));
    }
    await collect(proxy(endpoints, 0, selectorLabels).exemplars(request(query), CALLER, never));
    return seen;
  }

  test("only endpoints that fit are asked, without their external labels", async (t) => {
    assert.deepEqual(await asked(t, 'sum(rate(a{cluster="eu",x!="1"}[5m])) / b'), {
      eu: '{x!="1", __name__="a"}+{__name__="b"}',
      us: '{__name__="b"}',
    });
    assert.deepEqual(await asked(t, '{cluster=~"e.*"}'), {eu: '{__name__=~".+"}'});
    assert.deepEqual(await asked(t, "1 + 1"), {});
  });

  test("selector labels of the proxy are taken out", async (t) => {
    const zone = Labels.fromObject({zone: "z1"});
    assert.deepEqual(await asked(t, 'a{zone="z1",cluster="us"}', zone), {us: '{__name__="a"}'});
    assert.deepEqual(await asked(t, 'a{zone="z2"}', zone), {});
    await assert.rejects(asked(t, '{zone="z1"}', zone), /no matchers specified/);
  });

  test("a query that cannot be read fails", async (t) => {
    await assert.rejects(asked(t, "sum("), /1:5: parse error: unclosed left parenthesis/);
  });
});
