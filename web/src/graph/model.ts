// The call graph as the server placed it, and the way from box to box.

import type { Head } from "../types.ts";

export interface GraphText {
  text: string;
  x: number;
  y: number;
  size: number;
  muted?: boolean;
}

export interface GraphNode {
  name: string;
  package?: string;
  /** How many functions a package has; absent on functions. */
  functions?: number;
  category: number;
  flat: number;
  cum: number;
  flatBase?: number;
  cumBase?: number;
  x: number;
  y: number;
  w: number;
  h: number;
  text: GraphText[];
}

export interface GraphEdge {
  from: number;
  to: number;
  value: number;
  /** Something between the ends is not shown. */
  hidden?: boolean;
  inline?: boolean;
  path: string;
  head: string;
  width: number;
  label?: GraphText;
}

export interface GraphData extends Head {
  by: "package" | "function";
  open: string[];
  width: number;
  height: number;
  nodes: GraphNode[];
  edges: GraphEdge[];
  hidden: { small: number; over: number; edges: number; labels: number; share: number; roots?: boolean };
}

export type Direction = "up" | "down" | "left" | "right";

/** step is the box an arrow key leads to: up and down along the heaviest call, sideways to the next box of about the same height; -1 for none. */
export function step(g: GraphData, at: number, to: Direction): number {
  const n = g.nodes[at];
  if (!n) return heaviest(g);
  if (to === "up" || to === "down") {
    let best = -1;
    let most = -1;
    for (const e of g.edges) {
      if (e.from === e.to || (to === "up" ? e.to : e.from) !== at) continue;
      if (Math.abs(e.value) > most) [most, best] = [Math.abs(e.value), to === "up" ? e.from : e.to];
    }
    return best;
  }
  const middle = n.y + n.h / 2;
  let best = -1;
  let least = Infinity;
  g.nodes.forEach((m, i) => {
    const by = to === "right" ? m.x - n.x : n.x - m.x;
    if (i === at || by <= 0 || m.y > middle || m.y + m.h < middle) return;
    if (by < least) [least, best] = [by, i];
  });
  return best;
}

/** heaviest is the box to begin at: the largest. */
export function heaviest(g: GraphData): number {
  const weight = (n: GraphNode) => Math.max(Math.abs(n.cum), Math.abs(n.cumBase ?? 0));
  let best = -1;
  g.nodes.forEach((n, i) => {
    if (best < 0 || weight(n) > weight(g.nodes[best] as GraphNode)) best = i;
  });
  return best;
}

/** around are a box and those it calls or is called by, and the arrows between. */
export function around(g: GraphData, at: number): { nodes: Set<number>; edges: Set<number> } {
  const nodes = new Set([at]);
  const edges = new Set<number>();
  g.edges.forEach((e, i) => {
    if (e.from !== at && e.to !== at) return;
    nodes.add(e.from).add(e.to);
    edges.add(i);
  });
  return { nodes, edges };
}

/** Pan and zoom: a place of the drawing is at x * k + tx. */
export interface Place {
  k: number;
  tx: number;
  ty: number;
}

/** fit shows the whole drawing, but no smaller than can be read, with a box in the middle then. */
export function fit(g: GraphData, width: number, height: number, least: number, at: number): Place {
  const k = Math.min(1.15, Math.max(least, Math.min(width / g.width, height / g.height)));
  const n = g.nodes[at];
  const place = (size: number, view: number, middle: number) => (size * k <= view ? (view - size * k) / 2 : Math.min(0, Math.max(view - size * k, view / 2 - middle * k)));
  return { k, tx: place(g.width, width, n ? n.x + n.w / 2 : g.width / 2), ty: place(g.height, height, n ? n.y + n.h / 2 : 0) };
}

/** show moves as little as needed to bring a box in sight. */
export function show(p: Place, n: GraphNode, width: number, height: number): Place {
  const margin = 24;
  const move = (t: number, from: number, size: number, view: number) => {
    const a = from * p.k + t;
    const b = (from + size) * p.k + t;
    if (a < margin) return t + margin - a;
    return b > view - margin ? t - (b - view + margin) : t;
  };
  return { k: p.k, tx: move(p.tx, n.x, n.w, width), ty: move(p.ty, n.y, n.h, height) };
}

/** zoomAt zooms by a factor around a place of the window. */
export function zoomAt(p: Place, by: number, x: number, y: number): Place {
  const k = Math.min(4, Math.max(0.08, p.k * by));
  const f = k / p.k;
  return { k, tx: x - (x - p.tx) * f, ty: y - (y - p.ty) * f };
}
