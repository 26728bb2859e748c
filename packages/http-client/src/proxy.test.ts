import assert from "node:assert/strict";
import {test} from "node:test";
import {type ProxyConfig, proxyFor} from "./proxy.ts";

const byUrl = (noProxy: string): ProxyConfig => ({url: new URL("http://proxy:3128"), noProxy, connectHeaders: {}});
const byEnvironment: ProxyConfig = {url: undefined, noProxy: "", connectHeaders: {}};

test("no_proxy names hosts, domains, addresses and networks, with ports", () => {
  const f = (noProxy: string, url: string, straight: boolean): void =>
    assert.equal(proxyFor(new URL(url), byUrl(noProxy)) === undefined, straight, `${url} with ${noProxy}`);
  f("", "http://localhost:9090", false);
  f("other", "http://localhost:9090", true);
  f("other", "http://127.1.2.3:9090", true);
  f("other", "http://[::1]:9090", true);
  f("*", "http://far.test", true);
  f("a, Far.test", "http://far.test", true);
  f("far.test", "http://x.far.test", true);
  f("far.test", "http://xfar.test", false);
  f(".far.test", "http://far.test", false);
  f(".far.test", "http://x.far.test", true);
  f("*.far.test", "http://x.far.test", true);
  f("far.test:443", "https://far.test", true);
  f("far.test:443", "http://far.test", false);
  f("far.test:8080", "http://far.test:8080", true);
  f("10.0.0.0/8", "http://10.1.2.3", true);
  f("10.0.0.0/8", "http://11.1.2.3", false);
  f("10.0.0.0/8", "http://ten.test", false);
  f("10.0.0.0/99", "http://10.1.2.3", false);
  f("10.1.2.3:80", "http://10.1.2.3", true);
  f("10.1.2.3:81", "http://10.1.2.3", false);
  f("2001:db8::/32", "http://[2001:db8::5]", true);
  f("2001:db8::5", "http://[2001:db8::5]", true);
  f("[2001:db8::5]:80", "http://[2001:db8::5]", true);
  f("2001:db8::6", "http://[2001:db8::5]", false);
  f(":80, ,", "http://far.test", false);
});

test("the environment names a proxy for each scheme", () => {
  const f = (url: string, env: Record<string, string>, want: string | undefined): void =>
    assert.equal(proxyFor(new URL(url), byEnvironment, env)?.href, want, url);
  f("http://far.test", {HTTP_PROXY: "p:1", HTTPS_PROXY: "http://s:2"}, "http://p:1/");
  f("https://far.test", {HTTP_PROXY: "p:1", https_proxy: "http://s:2"}, "http://s:2/");
  f("https://far.test", {HTTP_PROXY: "p:1"}, undefined);
  f("http://far.test", {HTTP_PROXY: "p:1", no_proxy: "far.test"}, undefined);
  f("http://127.0.0.1", {HTTP_PROXY: "p:1"}, undefined);
  assert.equal(proxyFor(new URL("http://far.test"), undefined, {HTTP_PROXY: "p:1"}), undefined);
});
