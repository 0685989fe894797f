// A squarified treemap: rectangles with areas as given, as near to squares as
// it can. After Bruls, Huizing and van Wijk, "Squarified Treemaps" (2000).

export interface Rect {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** squarify lays out values, which should be in descending order; a value that is not positive gets an empty rectangle. */
export function squarify(values: readonly number[], width: number, height: number): Rect[] {
  const out: Rect[] = values.map(() => ({ x: 0, y: 0, w: 0, h: 0 }));
  const total = values.reduce((sum, v) => sum + Math.max(0, v), 0);
  if (total <= 0 || width <= 0 || height <= 0) return out;
  const scale = (width * height) / total;
  const area = (i: number) => Math.max(0, values[i] as number) * scale;
  let { x, y, w, h }: Rect = { x: 0, y: 0, w: width, h: height };
  for (let from = 0; from < values.length; ) {
    const side = Math.min(w, h);
    let to = from;
    let sum = 0;
    let worst = Infinity;
    while (to < values.length) {
      const next = sum + area(to);
      const ratio = worstRatio(area(from), area(to), next, side);
      if (to > from && ratio > worst) break;
      worst = ratio;
      sum = next;
      to++;
    }
    const thick = side > 0 ? sum / side : 0;
    let at = 0;
    for (let i = from; i < to; i++) {
      const long = thick > 0 ? area(i) / thick : 0;
      out[i] = w >= h ? { x, y: y + at, w: thick, h: long } : { x: x + at, y, w: long, h: thick };
      at += long;
    }
    if (w >= h) {
      x += thick;
      w = Math.max(0, w - thick);
    } else {
      y += thick;
      h = Math.max(0, h - thick);
    }
    from = to;
  }
  return out;
}

/** worstRatio is how far from a square the worst rectangle of a row is: those from the largest to the smallest, sum in all, along a side. */
function worstRatio(largest: number, smallest: number, sum: number, side: number): number {
  if (smallest <= 0 || side <= 0) return Infinity;
  const s2 = side * side;
  return Math.max((s2 * largest) / (sum * sum), (sum * sum) / (s2 * smallest));
}

/** beside is the rectangle next to one in a direction, -1 for none: the nearest whose middle lies that way. */
export function beside(rects: readonly Rect[], from: number, dx: number, dy: number): number {
  const a = rects[from];
  if (!a) return -1;
  const mid = (r: Rect) => [r.x + r.w / 2, r.y + r.h / 2] as const;
  const [ax, ay] = mid(a);
  let best = -1;
  let least = Infinity;
  rects.forEach((r, i) => {
    if (i === from || r.w <= 0 || r.h <= 0) return;
    const [bx, by] = mid(r);
    const along = (bx - ax) * dx + (by - ay) * dy;
    const across = Math.abs((bx - ax) * dy) + Math.abs((by - ay) * dx);
    if (along <= 0.5) return;
    const far = along + 2 * across;
    if (far < least) {
      least = far;
      best = i;
    }
  });
  return best;
}
