import test from "node:test";
import assert from "node:assert/strict";
import { applyPatch, BadURL, dataURL, declareKeys, parse, parseTransform, print, printTransform, quoteRegexp, selection, shownOptions, type Upgrader } from "../../src/state.ts";

declareKeys("flame", { dir: "down", z: "" });
declareKeys("table", { sort: "-flat" });

test("a URL is read and printed in one form", () => {
  const cases: [string, string][] = [
    ["/", "/"],
    ["/v1/abc", "/v1/abc/"],
    ["/v1/abc/flame", "/v1/abc/flame"],
    ["/v1/abc/flame?value=inuse_space&kind=heap", "/v1/abc/flame?kind=heap&value=inuse_space"],
    ["/v1/abc/flame?dir=down&q=", "/v1/abc/flame"],
    ["/v1/abc/flame?dir=up", "/v1/abc/flame?dir=up"],
    ["/v1/abc/flame?sel=f:main.(*T).run&x=hide:%5Eruntime%5C.&x=focus:a+b", "/v1/abc/flame?sel=f:main.(*T).run&x=hide:%5Eruntime%5C.&x=focus:a+b"],
    ["/v1/abc/flame?x=noinlines&cur=p3&base=p1", "/v1/abc/flame?base=p1&cur=p3&x=noinlines"],
    ["/v1/abc/flame?x=noinlines:1", "/v1/abc/flame?x=noinlines"],
    ["/v1/abc/flame?q=%3Cscript%3E%26x=1", "/v1/abc/flame?q=%3Cscript%3E%26x%3D1"],
    ["/v1/abc/flame?q=%F0%9F%98%80+%2B;", "/v1/abc/flame?q=%F0%9F%98%80+%2B%3B"],
  ];
  for (const [url, want] of cases) {
    assert.equal(print(parse(url)), want, url);
    assert.equal(print(parse(print(parse(url)))), want, "again " + url);
  }
});

test("what is no state is a sentence with a way on", () => {
  const cases: [string, RegExp][] = [
    ["/nothing", /no page/],
    ["/v2/abc/flame", /newer/],
    ["/v0/abc/flame", /cannot be read/],
    ["/v1/a/b/c", /no page/],
    ["/v1/abc/flame?x=paint:red", /unknown transform/],
    ["/v1/abc/flame?x=constructor:red", /unknown transform/],
    ["/v1/abc/flame?x=focus:", /nothing to work on/],
    ["/v1/%E0%A4%A/flame", /damaged/],
  ];
  for (const [url, want] of cases) {
    assert.throws(() => parse(url), (e) => e instanceof BadURL && want.test(e.message) && e.hint.length > 5, url);
  }
});

test("old links are brought up, version by version", () => {
  const first: Upgrader = (parts, params) => {
    params.set("cur", params.get("profile") ?? "");
    params.delete("profile");
    return { parts, params };
  };
  const second: Upgrader = (parts, params) => ({ parts: [parts[0] ?? "", parts[1] === "icicle" ? "flame" : (parts[1] ?? "")], params });
  const s = parse("/v1/abc/icicle?profile=p2", { 1: first, 2: second }, 3);
  assert.equal(s.view, "flame");
  assert.deepEqual(s.keys, { cur: "p2" });
  assert.throws(() => parse("/v1/abc/icicle", { 2: second }, 3), BadURL);
});

test("a patch leaves out defaults, and keys of a view stay with it", () => {
  let s = parse("/v1/abc/flame?dir=up&sel=f:main.run");
  s = applyPatch(s, { view: "table" });
  assert.equal(print(s), "/v1/abc/table?sel=f:main.run");
  s = applyPatch(s, { keys: { sort: "-cum" } });
  s = applyPatch(s, { view: "flame" });
  assert.equal(print(s), "/v1/abc/flame?dir=up&sel=f:main.run");
  s = applyPatch(s, { keys: { dir: "down", sel: undefined } });
  assert.equal(print(s), "/v1/abc/flame");
});

test("the question to the server has only what chooses samples", () => {
  const s = parse("/v1/abc/flame?dir=up&sel=f:main.run&q=x&base=p1&x=focus:main");
  assert.equal(dataURL(s), "/api/abc/flame?base=p1&x=focus:main");
  assert.equal(dataURL(s, "function", ["sel"]), "/api/abc/function?base=p1&sel=f:main.run&x=focus:main");
  assert.equal(dataURL(s, "flame", ["dir"]), "/api/abc/flame?base=p1&dir=up&x=focus:main");
});

test("transforms, selections and names", () => {
  assert.deepEqual(parseTransform("tagfocus:a=b:c"), { op: "tagfocus", arg: "a=b:c" });
  assert.equal(printTransform({ op: "noinlines", arg: "" }), "noinlines");
  assert.deepEqual(selection(parse("/v1/a/flame?sel=l:/x/main.go:63")), { sort: "l", name: "/x/main.go:63" });
  assert.equal(selection(parse("/v1/a/flame?sel=nonsense")), null);
  for (const name of ["main.(*T[go.shape.int]).run", "std::vec<a|b>^$", "a\\b{2}?+*"]) assert.match(name, new RegExp(quoteRegexp(name)));
});

test("options of old links go with every question and stay when the view changes", () => {
  const s = parse("/v1/old/flame?mean=true&n=7&dir=up");
  assert.equal(dataURL(s, "table"), "/api/old/table?mean=true&n=7");
  const t = applyPatch(s, { view: "table" });
  assert.equal(print(t), "/v1/old/table?mean=true&n=7");
  assert.equal(print(applyPatch(t, { keys: { mean: undefined } })), "/v1/old/table?n=7");
  assert.deepEqual(shownOptions(parse("/v1/old/table?mean=true&n=7&nf=0.1&ef=0.1&trim=false")), ["mean"]);
  assert.deepEqual(shownOptions(parse("/v1/old/graph?mean=true&nf=0.1&trim=false")), ["mean", "nf", "trim"]);
});
