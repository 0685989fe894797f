import test from "node:test";
import assert from "node:assert/strict";
import { filterRows, fit, matcher, sortRows } from "../../src/parts/rows.ts";
import { keyOf, keyWords, match } from "../../src/commands.ts";

test("rows are filtered by words or by an expression", () => {
  const texts = ["net/http.Serve", "main.serveOrder", "runtime.main", "a.b"];
  assert.deepEqual([...filterRows(texts, "SERVE")], [0, 1]);
  assert.deepEqual([...filterRows(texts, "main serve")], [1]);
  assert.deepEqual([...filterRows(texts, "/^main\\.|b$/")], [1, 3]);
  assert.deepEqual([...filterRows(texts, "")], [0, 1, 2, 3]);
  assert.deepEqual([...filterRows(texts, "/(")], []);
  assert.equal(matcher("/("), null);
});

test("sorting agrees with the plain way, and keeps equal rows in order", () => {
  const v = Float64Array.from({ length: 5000 }, (_, i) => (i * 7919) % 97);
  for (const down of [true, false]) {
    const got = sortRows(Uint32Array.from(v.keys()), v, down);
    const want = [...v.keys()].sort((a, b) => (down ? -1 : 1) * (v[a]! - v[b]!) || a - b);
    assert.deepEqual([...got], want);
  }
  assert.deepEqual([...sortRows(Uint32Array.from([0, 1, 2, 3]), ["b", "a", "b", "c"], false)], [1, 0, 2, 3]);
});

test("keys have one name", () => {
  const press = (key: string, more: Partial<KeyboardEvent> = {}) => keyOf({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more });
  assert.equal(press("f"), "f");
  assert.equal(press("F", { shiftKey: true }), "F");
  assert.equal(press("?", { shiftKey: true }), "?");
  assert.equal(press("z", { ctrlKey: true }), "Ctrl+Z");
  assert.equal(press("Z", { metaKey: true, shiftKey: true }), "Ctrl+Shift+Z");
  assert.equal(press("ArrowUp", { shiftKey: true }), "Shift+ArrowUp");
  assert.deepEqual(keyWords("Ctrl+Shift+Z"), ["Ctrl", "Shift", "Z"]);
  assert.deepEqual(keyWords("+"), ["+"]);
});

test("the palette finds words anywhere, beginnings first", () => {
  assert.equal(match("Go to Table", "zz"), 0);
  assert.ok(match("Go to Table", "table") > match("Undoable things", "abl"));
  assert.ok(match("Go to Table", "tab go") > 0);
});

test("columns that can be spared go when there is no room", () => {
  const columns = [{ width: "minmax(200px, 1fr)" }, { width: "100px", spare: 1 }, { width: "80px", spare: 2 }, { width: "70px", spare: 2 }, { width: "60px" }];
  const widths = (room: number) => fit(columns, room).map((c) => c.width);
  assert.equal(fit(columns, Infinity), columns);
  assert.equal(widths(510).length, 5);
  assert.deepEqual(widths(509), ["minmax(200px, 1fr)", "100px", "60px"]);
  assert.deepEqual(widths(359), ["minmax(200px, 1fr)", "60px"]);
  assert.deepEqual(widths(10), ["minmax(200px, 1fr)", "60px"]);
});
