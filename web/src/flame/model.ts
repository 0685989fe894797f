// The flame graph's data, laid out: nodes in order of row, then of place, so
// that a row is a range of the arrays and a binary search finds what is in
// sight. Places are shares of the whole width, 0 to 1.

import type { Columns, NumberColumn } from "../columns.ts";
import type { Head } from "../types.ts";

export interface FlameMeta extends Head {
  dir: "down" | "up" | "around";
  /** The share below which paths were not sent: see dropped. */
  min: number;
  /** How many of the first nodes are the path asked for. */
  zoom: number;
  focus?: string;
}

/** What is known of each frame, by its number. */
export interface Frames {
  name: string[];
  /** What the frame is selected by, as sel has it. */
  entry: string[];
  category: NumberColumn;
  package: string[];
  file: string[];
  line: NumberColumn;
  key: NumberColumn;
}

/** How wide a node is: by its current value, by the larger of base and current, or by the larger share. */
export type Widths = "current" | "change" | "share";

/** The number of the frame that stands for everything. */
export const everything = 0xffffffff;

export interface FlameModel {
  meta: FlameMeta;
  frames: Frames;
  n: number;
  /** Number of rows, and where each begins among the nodes; one entry more than rows. */
  rows: number;
  rowStart: Uint32Array;
  /** The row of the tree's root: 0, or in the middle when callers stand above. */
  rootRow: number;
  row: Uint16Array;
  parent: Int32Array;
  frame: Uint32Array;
  x: Float64Array;
  w: Float64Array;
  self: Float64Array;
  total: Float64Array;
  base: Float64Array | null;
  /** First and last child in the next row away from the root; none when equal. */
  childFrom: Uint32Array;
  childTo: Uint32Array;
  /** Callers of the focus and what calls them: their children lie above. */
  above: number;
}

/** readFrames takes the columns about frames out of an answer. */
export function readFrames(c: Columns<unknown>): Frames {
  const strings = c.strings("string");
  const look = (name: string) => Array.from(c.number(name), (i) => strings[i] ?? "");
  return {
    name: c.strings("frame_name"),
    entry: look("frame_entry"),
    category: c.number("frame_category"),
    package: look("frame_package"),
    file: look("frame_file"),
    line: c.number("frame_line"),
    key: c.number("frame_key"),
  };
}

interface Tree {
  parent: Int32Array;
  frame: NumberColumn;
  self: NumberColumn;
  total: NumberColumn;
  base: NumberColumn | null;
}

function readTree(c: Columns<unknown>, prefix: string): Tree | null {
  if (!c.has(prefix + "parent")) return null;
  const n = (name: string) => c.number(prefix + name);
  return { parent: n("parent") as Int32Array, frame: n("frame"), self: n("self"), total: n("total"), base: c.maybe(prefix + "base") };
}

/** layOut makes the model of an answer. */
export function layOut(c: Columns<FlameMeta>, widths: Widths, frames = readFrames(c)): FlameModel {
  const meta = c.meta;
  const down = readTree(c, "");
  if (!down) throw new Error("the answer has no tree");
  const up = meta.dir === "around" ? readTree(c, "up_") : null;
  const main = place(rooted(down, meta), widths, meta);
  if (!up) return join(meta, frames, main, null);
  return join(meta, frames, main, place(rooted(up, meta), widths, meta));
}

/** rooted puts one root over all, unless there is one already: around a function, which is the root itself. */
function rooted(t: Tree, meta: FlameMeta): Tree {
  const n = t.parent.length;
  if (meta.dir === "around" && n > 0) return t;
  const parent = new Int32Array(n + 1);
  const frame = new Uint32Array(n + 1);
  const self = new Float64Array(n + 1);
  const total = new Float64Array(n + 1);
  const base = t.base ? new Float64Array(n + 1) : null;
  parent[0] = -1;
  frame[0] = everything;
  frame.set(t.frame, 1);
  self.set(t.self, 1);
  total.set(t.total, 1);
  if (base && t.base) base.set(t.base, 1);
  for (let i = 0; i < n; i++) parent[i + 1] = (t.parent[i] as number) + 1;
  total[0] = meta.shown;
  if (base) base[0] = meta.baseShown ?? 0;
  return { parent, frame, self, total, base };
}

interface Placed extends Tree {
  w: Float64Array;
  x: Float64Array;
  /** Nodes in order of level, then of place; where each level begins; children of the node at a place in order. */
  order: Uint32Array;
  levelStart: number[];
  childFrom: Uint32Array;
  childTo: Uint32Array;
}

/** place gives every node its width and where it begins: largest children first, and what is the node's own at its end. */
function place(t: Tree, widths: Widths, meta: FlameMeta): Placed {
  const n = t.parent.length;
  const w = measure(t, widths, meta);
  const { first, kids } = childLists(t.parent);
  const x = new Float64Array(n);
  const order = new Uint32Array(n);
  const childFrom = new Uint32Array(n);
  const childTo = new Uint32Array(n);
  const levelStart = [0];
  let filled = n > 0 ? 1 : 0; // the root is node 0
  let from = 0;
  const widest = (a: number, b: number) => (w[b] as number) - (w[a] as number) || (t.frame[a] as number) - (t.frame[b] as number);
  while (from < filled) {
    const to = filled;
    levelStart.push(to);
    for (let k = from; k < to; k++) {
      const node = order[k] as number;
      const list = kids.subarray(first[node], first[node + 1]);
      if (list.length > 1) list.sort(widest);
      let at = x[node] as number;
      childFrom[k] = filled;
      for (let j = 0; j < list.length; j++) {
        const kid = list[j] as number;
        if (!((w[kid] as number) > 0)) continue;
        x[kid] = at;
        at += w[kid] as number;
        order[filled++] = kid;
      }
      childTo[k] = filled;
    }
    from = to;
  }
  return { ...t, w, x, order: order.subarray(0, filled), levelStart, childFrom, childTo };
}

/** measure is the width of each node as a share of the root's: never less than its children together. */
function measure(t: Tree, widths: Widths, meta: FlameMeta): Float64Array {
  const n = t.parent.length;
  const w = new Float64Array(n);
  const inside = new Float64Array(n);
  const scale = widths === "share" ? 1 / (meta.total || 1) : 1;
  const baseScale = widths === "share" ? 1 / (meta.baseTotal || 1) : 1;
  for (let i = n - 1; i >= 0; i--) {
    let v = Math.abs(t.total[i] as number) * scale;
    if (widths !== "current" && t.base) v = Math.max(v, Math.abs(t.base[i] as number) * baseScale);
    w[i] = Math.max(v, inside[i] as number);
    const p = t.parent[i] as number;
    if (p >= 0) inside[p] = (inside[p] as number) + (w[i] as number);
  }
  const all = w[0] || 1;
  for (let i = 0; i < n; i++) w[i] = (w[i] as number) / all;
  return w;
}

/** childLists is the children of each node: those of i are kids[first[i]] to kids[first[i+1]]. */
function childLists(parent: Int32Array): { first: Uint32Array; kids: Uint32Array } {
  const n = parent.length;
  const first = new Uint32Array(n + 1);
  for (let i = 0; i < n; i++) {
    const p = parent[i] as number;
    if (p >= 0) first[p + 1] = (first[p + 1] as number) + 1;
  }
  for (let i = 0; i < n; i++) first[i + 1] = (first[i + 1] as number) + (first[i] as number);
  const kids = new Uint32Array(first[n] as number);
  const next = first.slice(0, n);
  for (let i = 0; i < n; i++) {
    const p = parent[i] as number;
    if (p < 0) continue;
    kids[next[p] as number] = i;
    next[p] = (next[p] as number) + 1;
  }
  return { first, kids };
}

/** join makes one model: the main tree, and above it the callers without their root, which is the same. */
function join(meta: FlameMeta, frames: Frames, main: Placed, callers: Placed | null): FlameModel {
  const mainRows = main.levelStart.length - 1;
  const upRows = callers ? Math.max(0, callers.levelStart.length - 2) : 0;
  const above = callers ? Math.max(0, callers.order.length - 1) : 0;
  const n = above + main.order.length;
  const m: FlameModel = {
    meta,
    frames,
    n,
    rows: upRows + mainRows,
    rowStart: new Uint32Array(upRows + mainRows + 1),
    rootRow: upRows,
    row: new Uint16Array(n),
    parent: new Int32Array(n),
    frame: new Uint32Array(n),
    x: new Float64Array(n),
    w: new Float64Array(n),
    self: new Float64Array(n),
    total: new Float64Array(n),
    base: main.base ? new Float64Array(n) : null,
    childFrom: new Uint32Array(n),
    childTo: new Uint32Array(n),
    above,
  };
  // A level of the callers keeps its order; the levels are turned around.
  if (callers) {
    const shift = callerShifts(callers, upRows);
    for (let level = 1; level <= upRows; level++) copyLevel(m, callers, level, upRows - level, shift);
    if (upRows > 0) m.parent.fill(above, m.rowStart[upRows - 1], above);
  }
  const same = new Int32Array(mainRows + 2).fill(above);
  for (let level = 0; level < mainRows; level++) copyLevel(m, main, level, upRows + level, same);
  m.rowStart[m.rows] = n;
  if (n > above) m.parent[above] = -1;
  return m;
}

/** callerShifts is what to add to the place in order of a node of each level to get its number. */
function callerShifts(c: Placed, rows: number): Int32Array {
  const shift = new Int32Array(rows + 3);
  let at = 0;
  for (let level = rows; level >= 1; level--) {
    const from = c.levelStart[level] as number;
    shift[level] = at - from;
    at += (c.levelStart[level + 1] as number) - from;
  }
  return shift;
}

function copyLevel(m: FlameModel, t: Placed, level: number, row: number, shift: Int32Array): void {
  const from = t.levelStart[level] as number;
  const to = t.levelStart[level + 1] as number;
  const by = shift[level] as number;
  m.rowStart[row] = from + by;
  for (let k = from; k < to; k++) {
    const node = t.order[k] as number;
    const i = k + by;
    m.row[i] = row;
    m.frame[i] = t.frame[node] as number;
    m.x[i] = t.x[node] as number;
    m.w[i] = t.w[node] as number;
    m.self[i] = t.self[node] as number;
    m.total[i] = t.total[node] as number;
    if (m.base && t.base) m.base[i] = t.base[node] as number;
    m.childFrom[i] = (t.childFrom[k] as number) + (shift[level + 1] as number);
    m.childTo[i] = (t.childTo[k] as number) + (shift[level + 1] as number);
    for (let c = m.childFrom[i] as number; c < (m.childTo[i] as number); c++) m.parent[c] = i;
  }
}

/** rootOf is the number of the root node. */
export function rootOf(m: FlameModel): number {
  return m.rowStart[m.rootRow] ?? 0;
}

/** pathOf lists a node and those between it and the root, the root first. */
export function pathOf(m: FlameModel, node: number): number[] {
  const path: number[] = [];
  for (let i = node; i >= 0; i = m.parent[i] as number) path.push(i);
  return path.reverse();
}

/** nameOf is the printed name of a node. */
export function nameOf(m: FlameModel, node: number): string {
  const f = m.frame[node] as number;
  return f === everything ? "all" : (m.frames.name[f] ?? "");
}

/** entryOf is what a node is selected by, "" for the node that is everything. */
export function entryOf(m: FlameModel, node: number): string {
  const f = m.frame[node] as number;
  return f === everything ? "" : (m.frames.entry[f] ?? "");
}

/** zoomKey names a node in URLs: the keys of the frames from the root, six hex digits each. */
export function zoomKey(m: FlameModel, node: number): string {
  return pathOf(m, node)
    .filter((i) => m.frame[i] !== everything)
    .map((i) => (m.frames.key[m.frame[i] as number] as number).toString(16).padStart(6, "0"))
    .join("");
}

/** findZoom is the node a key names, as deep as the tree goes along with it; -1 when it leads nowhere. */
export function findZoom(m: FlameModel, key: string): number {
  let at = rootOf(m);
  let i = 0;
  if (m.frame[at] !== everything) {
    if (keyOf(m, at) !== key.slice(0, 6)) return -1;
    i = 6;
  }
  for (; i < key.length; i += 6) {
    const want = key.slice(i, i + 6);
    let next = -1;
    for (let c = m.childFrom[at] as number; c < (m.childTo[at] as number) && next < 0; c++) if (keyOf(m, c) === want) next = c;
    if (next < 0) return -1;
    at = next;
  }
  return at;
}

function keyOf(m: FlameModel, node: number): string {
  return (m.frames.key[m.frame[node] as number] as number).toString(16).padStart(6, "0");
}

/** widestOf is the widest node of an entry, -1 when it has none. */
export function widestOf(m: FlameModel, entry: string): number {
  const is = m.frames.entry.map((e) => e === entry);
  let best = -1;
  for (let i = 0; i < m.n; i++) {
    const f = m.frame[i] as number;
    if (f !== everything && is[f] && (best < 0 || (m.w[i] as number) > (m.w[best] as number))) best = i;
  }
  return best;
}

/** nodeAt is the node of a row at a place, -1 where there is none. */
export function nodeAt(m: FlameModel, row: number, at: number): number {
  if (row < 0 || row >= m.rows) return -1;
  const i = lastAtOrBefore(m.x, m.rowStart[row] as number, m.rowStart[row + 1] as number, at);
  return i >= 0 && at < (m.x[i] as number) + (m.w[i] as number) ? i : -1;
}

function lastAtOrBefore(x: Float64Array, from: number, to: number, at: number): number {
  let lo = from;
  let hi = to;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    if ((x[mid] as number) <= at) lo = mid + 1;
    else hi = mid;
  }
  return lo > from ? lo - 1 : -1;
}

/** What a search found: frames that match, and the nodes that do with none between them and the root that does. */
export interface Hits {
  frames: Uint8Array;
  /** In order of width, the widest first. */
  tops: Uint32Array;
  /** What they have together, not counted twice. */
  total: number;
}

/** find looks for frames by name. */
export function find(m: FlameModel, test: (name: string) => boolean): Hits {
  const frames = new Uint8Array(m.frames.name.length);
  for (let f = 0; f < frames.length; f++) frames[f] = test(m.frames.name[f] as string) ? 1 : 0;
  const matches = (i: number) => m.frame[i] !== everything && frames[m.frame[i] as number] === 1;
  const under = new Uint8Array(m.n);
  const tops: number[] = [];
  let total = 0;
  const visit = (i: number) => {
    const p = m.parent[i] as number;
    if (p >= 0 && under[p]) under[i] = 1;
    else if (matches(i)) {
      under[i] = 1;
      tops.push(i);
      total += i < m.above ? 0 : (m.total[i] as number);
    }
  };
  // Parents first: below the root in order of rows, above it against it.
  for (let i = rootOf(m); i < m.n; i++) visit(i);
  for (let row = m.rootRow - 1; row >= 0; row--) for (let i = m.rowStart[row] as number; i < (m.rowStart[row + 1] as number); i++) visit(i);
  tops.sort((a, b) => (m.w[b] as number) - (m.w[a] as number) || a - b);
  return { frames, tops: Uint32Array.from(tops), total };
}
