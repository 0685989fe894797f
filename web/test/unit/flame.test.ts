import test from "node:test";
import assert from "node:assert/strict";
import { Columns, type NumberColumn } from "../../src/columns.ts";
import { Boxes, cull, type Sight } from "../../src/flame/cull.ts";
import { find, findZoom, layOut, nameOf, nodeAt, pathOf, rootOf, widestOf, zoomKey, type FlameMeta, type FlameModel } from "../../src/flame/model.ts";
import { changeFill, fit } from "../../src/flame/paint.ts";

/** A generator of numbers that are the same each run. */
function random(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

interface Node {
  name: string;
  self: number;
  base?: number;
  kids?: Node[];
}

const names = ["a.A", "b.B", "c.C", "d.D", "e.E", "f.F"];

function columns(roots: Node[], meta: Partial<FlameMeta> = {}, up: Node[] = []): Columns<FlameMeta> {
  const numbers = new Map<string, NumberColumn>();
  const key = (name: string) => names.indexOf(name) + 0xabc00;
  let shown = 0;
  const add = (prefix: string, list: Node[]) => {
    const parent: number[] = [];
    const frame: number[] = [];
    const self: number[] = [];
    const base: number[] = [];
    const walk = (n: Node, p: number): void => {
      const i = parent.length;
      parent.push(p);
      frame.push(names.indexOf(n.name));
      self.push(n.self);
      base.push(n.base ?? 0);
      for (const k of n.kids ?? []) walk(k, i);
    };
    for (const r of list) walk(r, -1);
    const total = self.slice();
    const baseTotal = base.slice();
    for (let i = parent.length - 1; i >= 0; i--) {
      const p = parent[i] as number;
      if (p >= 0) {
        total[p] = (total[p] as number) + (total[i] as number);
        baseTotal[p] = (baseTotal[p] as number) + (baseTotal[i] as number);
      } else if (!prefix) shown += total[i] as number;
    }
    numbers.set(prefix + "parent", Int32Array.from(parent));
    numbers.set(prefix + "frame", Uint32Array.from(frame));
    numbers.set(prefix + "self", Float64Array.from(self));
    numbers.set(prefix + "total", Float64Array.from(total));
    if (base.some((b) => b > 0)) numbers.set(prefix + "base", Float64Array.from(baseTotal));
  };
  add("", roots);
  if (up.length) add("up_", up);
  numbers.set("frame_entry", Uint32Array.from(names.map((_, i) => i + 1)));
  numbers.set("frame_category", Uint8Array.from(names.map((_, i) => i % 6)));
  numbers.set("frame_package", new Uint32Array(names.length));
  numbers.set("frame_file", new Uint32Array(names.length));
  numbers.set("frame_line", new Uint32Array(names.length));
  numbers.set("frame_key", Uint32Array.from(names.map(key)));
  const texts = new Map([
    ["frame_name", () => names],
    ["string", () => ["", ...names]],
  ]);
  const full: FlameMeta = { kind: "cpu", value: "cpu", unit: "nanoseconds", cur: ["p1"], total: shown, shown, granularity: "functions", filters: [], warnings: [], dir: "down", min: 0, zoom: 0, ...meta };
  return new Columns("flame/1", full, 0, numbers, texts);
}

const small: Node[] = [
  { name: "a.A", self: 1, kids: [{ name: "b.B", self: 2 }, { name: "c.C", self: 3, kids: [{ name: "a.A", self: 4 }] }] },
  { name: "d.D", self: 10 },
];

/** A tree of random shape; many nodes are far below a pixel. */
function wild(seed: number, size: number): Node[] {
  const r = random(seed);
  const make = (depth: number, name: number): Node => {
    const n: Node = { name: names[name % names.length] as string, self: r() < 0.3 ? 0 : Math.floor(r() ** 6 * 1e6), base: Math.floor(r() * 1000) };
    const first = Math.floor(r() * names.length);
    if (depth < 9 && size > 0) n.kids = Array.from({ length: Math.floor(r() * 7) }, (_, i) => (size--, make(depth + 1, first + i)));
    return n;
  };
  return Array.from({ length: 4 }, (_, i) => make(0, i));
}

/** check holds what must be true of any model. */
function check(m: FlameModel): void {
  for (let row = 0; row < m.rows; row++) {
    for (let i = m.rowStart[row] as number; i < (m.rowStart[row + 1] as number); i++) {
      assert.equal(m.row[i], row);
      const p = m.parent[i] as number;
      if (i === rootOf(m)) assert.equal(p, -1);
      else {
        assert.ok(p >= 0, `node ${i} of row ${row} has no parent`);
        assert.equal(Math.abs((m.row[p] as number) - row), 1);
        assert.ok((m.x[i] as number) >= (m.x[p] as number) - 1e-12 && (m.x[i] as number) + (m.w[i] as number) <= (m.x[p] as number) + (m.w[p] as number) + 1e-9, "inside its parent");
      }
      if (i > (m.rowStart[row] as number)) assert.ok((m.x[i] as number) >= (m.x[i - 1] as number) + (m.w[i - 1] as number) - 1e-9, "no overlap");
    }
  }
}

test("layout: widest first, own part at the end", () => {
  const m = layOut(columns(small), "current");
  check(m);
  const rows = Array.from({ length: m.rows }, (_, r) => Array.from({ length: (m.rowStart[r + 1] as number) - (m.rowStart[r] as number) }, (_, k) => nameOf(m, (m.rowStart[r] as number) + k)));
  assert.deepEqual(rows, [["all"], ["a.A", "d.D"], ["c.C", "b.B"], ["a.A"]]);
  assert.equal(m.w[1], 0.5);
  assert.deepEqual(pathOf(m, m.n - 1).map((i) => nameOf(m, i)), ["all", "a.A", "c.C", "a.A"]);
  assert.equal(nameOf(m, nodeAt(m, 2, 0.4)), "b.B");
  assert.equal(nodeAt(m, 2, 0.99), -1);
  assert.equal(nodeAt(m, 7, 0.1), -1);
  assert.equal(widestOf(m, "a.A"), 1);
  assert.equal(widestOf(m, "nothing"), -1);
});

test("layout of random trees, in all widths", () => {
  for (let seed = 1; seed < 12; seed++) {
    const c = columns(wild(seed, 2000), { baseTotal: 5e5, baseShown: 5e5 });
    for (const widths of ["current", "change", "share"] as const) check(layOut(c, widths));
  }
});

test("around a function: callers above, callees below", () => {
  const callees: Node[] = [{ name: "c.C", self: 5, kids: [{ name: "d.D", self: 3 }] }];
  const callers: Node[] = [{ name: "c.C", self: 0, kids: [{ name: "a.A", self: 2, kids: [{ name: "f.F", self: 1 }] }, { name: "b.B", self: 5 }] }];
  const m = layOut(columns(callees, { dir: "around", focus: "c.C" }, callers), "current");
  check(m);
  assert.equal(m.rootRow, 2);
  assert.equal(nameOf(m, rootOf(m)), "c.C");
  assert.deepEqual(Array.from({ length: m.n }, (_, i) => nameOf(m, i)), ["f.F", "b.B", "a.A", "c.C", "d.D"]);
  assert.deepEqual(pathOf(m, 0).map((i) => nameOf(m, i)), ["c.C", "a.A", "f.F"]);
});

test("a zoom is found again by its key", () => {
  const m = layOut(columns(wild(3, 500)), "current");
  for (let i = 0; i < m.n; i += 7) {
    const at = findZoom(m, zoomKey(m, i));
    assert.deepEqual(pathOf(m, at).map((n) => nameOf(m, n)), pathOf(m, i).map((n) => nameOf(m, n)));
  }
  assert.equal(findZoom(m, "ffffff"), -1);
  assert.equal(findZoom(m, ""), rootOf(m));
});

test("search counts what is nested once", () => {
  const m = layOut(columns(small), "current");
  const hits = find(m, (n) => n === "a.A");
  assert.equal(hits.total, 10);
  assert.deepEqual(Array.from(hits.tops, (i) => nameOf(m, i)), ["a.A"]);
  assert.equal(find(m, (n) => n === "d.D" || n === "c.C").total, 17);
  assert.equal(find(m, () => false).tops.length, 0);
});

/** naive draws every node of at least a pixel, and marks the pixels of the others. */
function naive(m: FlameModel, s: Sight): { wide: Set<number>; narrow: number; covered: Map<number, [number, number][]> } {
  const scale = s.width / (s.x1 - s.x0);
  const wide = new Set<number>();
  let narrow = 0;
  const covered = new Map<number, [number, number][]>();
  for (let i = 0; i < m.n; i++) {
    const row = m.row[i] as number;
    const from = m.x[i] as number;
    const to = from + (m.w[i] as number);
    if (row < s.from || row >= s.to || to <= s.x0 || from >= s.x1) continue;
    if ((m.w[i] as number) * scale >= 1) wide.add(i);
    else narrow++;
    covered.set(row, [...(covered.get(row) ?? []), [(from - s.x0) * scale, (to - s.x0) * scale]]);
  }
  return { wide, narrow, covered };
}

test("culling draws what drawing everything would show", () => {
  const boxes = new Boxes();
  for (let seed = 1; seed < 20; seed++) {
    const m = layOut(columns(wild(seed, 4000)), "current");
    const r = random(seed + 100);
    for (let round = 0; round < 12; round++) {
      const width = r() ** 3;
      const x0 = r() * (1 - width);
      const s: Sight = { x0: round ? x0 : 0, x1: round ? x0 + width : 1, width: 200 + r() * 1000, from: round % 3, to: 20 };
      cull(m, s, boxes);
      const want = naive(m, s);
      const got = new Set<number>();
      for (let i = 0; i < boxes.n; i++) if (!boxes.folded[i]) got.add(boxes.node[i] as number);
      // A wide node directly behind a narrow one, in the same pixel, stands for itself too.
      assert.deepEqual([...got].sort((a, b) => a - b), [...want.wide].sort((a, b) => a - b));
      assert.ok(Math.abs(boxes.hidden - want.narrow) <= 2 * m.rows, `${boxes.hidden} hidden, ${want.narrow} narrow`);
      for (const [row, spans] of want.covered) {
        for (const [a, b] of spans) {
          let hit = false;
          for (let i = 0; i < boxes.n && !hit; i++) hit = boxes.row[i] === row && (boxes.x[i] as number) <= b + 1.01 && (boxes.x[i] as number) + (boxes.w[i] as number) >= a - 1.01;
          assert.ok(hit, `row ${row}: nothing is drawn at ${a}..${b}`);
        }
      }
    }
  }
});

test("a million nodes: few boxes", () => {
  const m = layOut(columns([{ name: "a.A", self: 0, kids: Array.from({ length: 200_000 }, (_, i) => ({ name: names[i % 6] as string, self: 1 })) }]), "current");
  const boxes = new Boxes();
  cull(m, { x0: 0, x1: 1, width: 1440, from: 0, to: 10 }, boxes);
  assert.ok(boxes.n < 3000, `${boxes.n} boxes`);
  assert.equal(boxes.hidden, 200_000);
  assert.ok(Math.abs(boxes.hiddenShare - 1) < 1e-6);
});

test("fills of change and texts of boxes", () => {
  assert.equal(changeFill(5, 5), 6);
  assert.equal(changeFill(0, 5), 12);
  assert.equal(changeFill(5, 0), 0);
  assert.equal(changeFill(0, 0), 6);
  assert.equal(fit("net/http.(*conn).serve", "5 MB", 300, 7), "net/http.(*conn).serve  5 MB");
  assert.equal(fit("net/http.(*conn).serve", "5 MB", 160, 7), "net/http.(*conn).serve");
  assert.equal(fit("net/http.(*conn).serve", "5 MB", 130, 7), "http.(*conn).serve");
  assert.equal(fit("net/http.(*conn).serve", "5 MB", 40, 7), "http…");
  assert.equal(fit("net/http.(*conn).serve", "", 10, 7), "");
});
