import test from "node:test";
import assert from "node:assert/strict";
import { clock, columnScale, delta, inScale, integer, place, quantity, ratio, sentence, share, shortName, span, splitName, visible } from "../../src/format.ts";

test("quantities have three to four digits and their unit", () => {
  const cases: [number, string, string][] = [
    [0, "bytes", "0 B"],
    [1, "bytes", "1 B"],
    [999, "bytes", "999 B"],
    [1023, "bytes", "1 kB"],
    [1536, "bytes", "1.5 kB"],
    [48_171_581, "bytes", "45.94 MB"],
    [143_654_912, "bytes", "137 MB"],
    [1023 * 2 ** 20, "bytes", "1 GB"],
    [-3 * 2 ** 20, "bytes", "−3 MB"],
    [950e6, "nanoseconds", "950 ms"],
    [118.2e9, "nanoseconds", "118.2 s"],
    [1200e9, "nanoseconds", "20 min"],
    [1500, "nanoseconds", "1.5 µs"],
    [23912, "count", "23,912"],
    [1404, "count", "1404"],
    [1_250_000, "count", "1.25 M"],
    [12, "widgets", "12 widgets"],
  ];
  for (const [v, unit, want] of cases) assert.equal(quantity(v, unit), want);
});

test("a column has one unit and as many decimals everywhere", () => {
  const s = columnScale([137 * 2 ** 20, 5000, 0], "bytes");
  assert.deepEqual([137 * 2 ** 20, 2 ** 19, 5000, 0, -5000].map((v) => inScale(v, s)), ["137.0", "0.5", "<0.1", "0.0", "−<0.1"]);
});

test("shares, changes, ratios", () => {
  assert.equal(share(46.2, 100), "46.2%");
  assert.equal(share(1, 1), "100%");
  assert.equal(share(0.00001, 1), "<0.01%");
  assert.equal(share(1, 0), "–");
  assert.equal(delta(28.3 * 2 ** 20, "bytes"), "▲ 28.3 MB");
  assert.equal(delta(-800 * 1024, "bytes"), "▼ 800 kB");
  assert.equal(delta(0, "bytes"), "± 0");
  assert.deepEqual([[1, 3.3], [0, 5], [5, 0], [1, 1.5], [4, 1], [1, 1200], [0, 0]].map(([a, b]) => ratio(a as number, b as number)), ["×3.3", "new", "gone", "", "×0.25", "×1200", ""]);
  assert.equal(integer(1234567), "1,234,567");
});

test("names are cut at the package, also with type arguments", () => {
  assert.deepEqual(splitName("net/http.(*conn).serve"), ["net/http.", "(*conn).serve"]);
  assert.deepEqual(splitName("github.com/a/b.v2/c.F[github.com/x/y.T].func1"), ["github.com/a/b.v2/c.", "F[github.com/x/y.T].func1"]);
  assert.deepEqual(splitName("std::vec::Vec<T>::push"), ["", "std::vec::Vec<T>::push"]);
  assert.deepEqual(splitName("malloc"), ["", "malloc"]);
  assert.equal(shortName("encoding/json.(*Encoder).Encode"), "json.(*Encoder).Encode");
});

test("times and the rest", () => {
  const a = Date.UTC(2026, 0, 5, 10, 0, 0);
  assert.match(clock(a, [a, a + 250]), /:00:00\.000$/);
  assert.doesNotMatch(clock(a, [a, a + 2000]), /\./);
  assert.equal(clock(0), "");
  assert.equal(span(7000), "7 s");
  assert.equal(span(3_600_000 * 5), "5 h");
  assert.equal(place("/home/x/main.go", 63), "main.go:63");
  assert.equal(visible("a\u202eb\u0000c"), "a·b·c");
  assert.equal(sentence("there is nothing"), "There is nothing.");
  assert.equal(sentence("main.run is not here."), "main.run is not here.");
});
