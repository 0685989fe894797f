// Which boxes of a flame graph to draw: those in sight, and where nodes are
// narrower than a pixel, one box for each pixel of them.

import type { FlameModel } from "./model.ts";

/** Boxes in pixels. folded is how many nodes a box stands for when they are too narrow to see, else 0. */
export class Boxes {
  n = 0;
  x = new Float32Array(4096);
  w = new Float32Array(4096);
  row = new Uint16Array(4096);
  node = new Uint32Array(4096);
  folded = new Uint32Array(4096);
  /** Nodes too narrow to see, and the share of the root they have together. */
  hidden = 0;
  hiddenShare = 0;

  clear(): void {
    this.n = 0;
    this.hidden = 0;
    this.hiddenShare = 0;
  }

  push(x: number, w: number, row: number, node: number, folded: number): void {
    if (this.n === this.x.length) this.grow();
    const i = this.n++;
    this.x[i] = x;
    this.w[i] = w;
    this.row[i] = row;
    this.node[i] = node;
    this.folded[i] = folded;
  }

  private grow(): void {
    const size = this.x.length * 2;
    const copy = <T extends Float32Array | Uint16Array | Uint32Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.x = copy(new Float32Array(size), this.x);
    this.w = copy(new Float32Array(size), this.w);
    this.row = copy(new Uint16Array(size), this.row);
    this.node = copy(new Uint32Array(size), this.node);
    this.folded = copy(new Uint32Array(size), this.folded);
  }
}

/** What is in sight: places x0 to x1 over a width of pixels, rows from and to (not included). */
export interface Sight {
  x0: number;
  x1: number;
  width: number;
  from: number;
  to: number;
}

/** How many nodes of a folded run are looked at for the widest. */
const looks = 16;

/** cull fills out with the boxes in sight. */
export function cull(m: FlameModel, s: Sight, out: Boxes): void {
  out.clear();
  const scale = s.width / (s.x1 - s.x0);
  const pixel = 1 / scale;
  const { x, w } = m;
  for (let row = Math.max(0, s.from); row < Math.min(m.rows, s.to); row++) {
    const to = m.rowStart[row + 1] as number;
    let i = firstInSight(m, m.rowStart[row] as number, to, s.x0);
    while (i < to && (x[i] as number) < s.x1) {
      const at = x[i] as number;
      if ((w[i] as number) >= pixel) {
        out.push((at - s.x0) * scale, (w[i] as number) * scale, row, i, 0);
        i++;
        continue;
      }
      let j = gallop(x, i + 1, to, at + pixel);
      // Only the last of them can reach out of the pixel: then it stands for itself.
      if (j - 1 > i && (w[j - 1] as number) >= pixel) j--;
      const end = (x[j - 1] as number) + (w[j - 1] as number);
      const best = widest(w, i, j);
      out.push((at - s.x0) * scale, Math.max(1, (end - at) * scale), row, best, j - i);
      out.hidden += j - i;
      const p = m.parent[best] as number;
      if (p >= 0 && (w[p] as number) >= pixel) out.hiddenShare += end - at;
      i = j;
    }
  }
}

/** firstInSight is the first node of a row that ends behind x0. Nodes of a row do not overlap, so their ends are in order too. */
function firstInSight(m: FlameModel, from: number, to: number, x0: number): number {
  let lo = from;
  let hi = to;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    if ((m.x[mid] as number) + (m.w[mid] as number) > x0) hi = mid;
    else lo = mid + 1;
  }
  return lo;
}

/** gallop is the first index from i on with x at or behind a place: steps that double, then a binary search. */
function gallop(x: Float64Array, i: number, to: number, place: number): number {
  let step = 1;
  let lo = i;
  while (lo < to && (x[lo] as number) < place) {
    i = lo + 1;
    lo += step;
    step *= 2;
  }
  let hi = Math.min(lo, to);
  while (i < hi) {
    const mid = (i + hi) >>> 1;
    if ((x[mid] as number) < place) i = mid + 1;
    else hi = mid;
  }
  return i;
}

function widest(w: Float64Array, from: number, to: number): number {
  const step = Math.max(1, Math.floor((to - from) / looks));
  let best = from;
  for (let i = from + step; i < to; i += step) if ((w[i] as number) > (w[best] as number)) best = i;
  return best;
}
