// The treemap: areas as given, no overlap, inside the box; the way from tile to tile.

import test from "node:test";
import assert from "node:assert/strict";
import { beside, squarify } from "../../src/retention/treemap.ts";

let seed = 3;
const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;

test("rectangles have the areas of the values and do not overlap", () => {
  for (let round = 0; round < 200; round++) {
    const n = 1 + Math.floor(random() * 30);
    const values = Array.from({ length: n }, () => Math.ceil(1e6 * random() ** 5)).sort((a, b) => b - a);
    const [w, h] = [50 + 900 * random(), 50 + 400 * random()];
    const total = values.reduce((a, b) => a + b, 0);
    const rects = squarify(values, w, h);
    rects.forEach((r, i) => {
      assert.ok(Math.abs(r.w * r.h - ((values[i] as number) * w * h) / total) < 1e-6 * w * h);
      assert.ok(r.x > -1e-6 && r.y > -1e-6 && r.x + r.w < w + 1e-6 && r.y + r.h < h + 1e-6);
      for (const o of rects.slice(i + 1)) {
        const overlap = Math.max(0, Math.min(r.x + r.w, o.x + o.w) - Math.max(r.x, o.x)) * Math.max(0, Math.min(r.y + r.h, o.y + o.h) - Math.max(r.y, o.y));
        assert.ok(overlap < 1e-6 * w * h);
      }
    });
  }
});

test("equal values are near to squares", () => {
  for (const r of squarify(Array(12).fill(1), 400, 300)) assert.ok(Math.max(r.w / r.h, r.h / r.w) < 2, `${r.w} x ${r.h}`);
});

test("nothing, and no room", () => {
  assert.deepEqual(squarify([], 10, 10), []);
  assert.deepEqual(squarify([0, 0], 10, 10).map((r) => r.w), [0, 0]);
  assert.deepEqual(squarify([1], 0, 10).map((r) => r.h), [0]);
});

test("arrows lead to a neighbour, and back", () => {
  const rects = [
    { x: 0, y: 0, w: 10, h: 20 },
    { x: 10, y: 0, w: 10, h: 10 },
    { x: 10, y: 10, w: 10, h: 10 },
  ];
  assert.equal(beside(rects, 0, -1, 0), -1);
  assert.equal(beside(rects, 1, 0, 1), 2);
  assert.equal(beside(rects, 2, 0, -1), 1);
  assert.equal(beside(rects, 2, -1, 0), 0);
  assert.notEqual(beside(rects, 0, 1, 0), -1);
});
