import assert from "node:assert/strict";
import {test} from "node:test";
import {type HttpResponse, plainText} from "./http-types.ts";
import {isAnswer, type Match, Router} from "./router.ts";

const router = new Router();
for (const [methods, path] of [
  ["GET POST", "/api/v1/query"],
  ["OPTIONS", "/api/v1/*"],
  ["GET", "/api/v1/label/:name/values"],
  ["GET", "/api/v1/label/fixed/values"],
  ["POST", "/api/v1/mark"],
  ["GET", "/*"],
] as const) {
  router.add({methods: methods.split(" "), path, handle: () => plainText(200, path)});
}

const f = (method: string, path: string, want: string) => {
  const found = router.find(method, path);
  const got =
    "status" in found
      ? `${found.status} ${(found as HttpResponse).headers?.allow ?? ""}`.trim()
      : `${(found as Match).route.path} ${JSON.stringify((found as Match).params)}`;
  assert.equal(got, want, `${method} ${path}`);
};

test("fixed parts win over parameters, and those over the rest", () => {
  f("GET", "/api/v1/query", "/api/v1/query {}");
  f("GET", "/api/v1/label/fixed/values", "/api/v1/label/fixed/values {}");
  f("GET", "/api/v1/label/a%2Fb/values", '/api/v1/label/:name/values {"name":"a/b"}');
  f("GET", "/js/app.js", '/* {"*":"js/app.js"}');
});

test("another method of a known path is 405 with what is allowed", () => {
  f("PUT", "/api/v1/query", "405 GET, OPTIONS, POST");
  f("GET", "/api/v1/mark", "405 OPTIONS, POST");
  f("OPTIONS", "/api/v1/anything", '/api/v1/* {"*":"anything"}');
});

test("an empty parameter does not match, broken escapes do not fail", () => {
  f("GET", "/api/v1/label/%zz/values", '/api/v1/label/:name/values {"name":"%zz"}');
  f("GET", "/api/v1/label/%ff/values", '/api/v1/label/:name/values {"name":"\ufffd"}');
});

test("a slash too many leads to the path that is meant", () => {
  const f = (method: string, path: string, query: string, status: number, location: string | undefined) => {
    const found = router.find(method, path, query);
    assert.ok(isAnswer(found));
    assert.deepEqual([found.status, found.headers?.location], [status, location], path);
  };
  f("POST", "/api/v1/label//values", "", 307, "/api/v1/label/values");
  f("GET", "/api/v1/query/", 'q="<a>"', 301, '/api/v1/query?q="<a>"');
  f("POST", "/api/v1/query/", "", 308, "/api/v1/query");
  assert.ok(!isAnswer(router.find("GET", "//\\evil.example/")));
  const {body} = router.find("GET", "/api/v1/query/", 'q="<a>"') as {body: string};
  assert.ok(!body.includes("<a>"), body);
});
