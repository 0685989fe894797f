// Draws the boxes of a flame graph on a canvas, batched by colour.

import type { Boxes } from "./cull.ts";
import { everything, type FlameModel } from "./model.ts";
import { categories } from "../types.ts";
import { visible } from "../format.ts";

export const rowHeight = 22;
const boxHeight = 21;
const charWidth = 7.22;
const font = '12px "JetBrains Mono", ui-monospace, monospace';
/** Shades of one category, so that neighbours of different packages differ: at most 4 % of lightness. */
const shades = 5;
const steps = 6;

type RGB = readonly [number, number, number];

/** The colours of the theme, read from the page. Each fill is there whole, half (folded) and dim (not found). */
export interface Palette {
  /** By number of a fill: see fillOf. */
  fills: string[];
  half: string[];
  dim: string[];
  /** The category's own colour, for the edge in change mode. */
  edges: string[];
  ink: string;
  quiet: string;
  accent: string;
  found: string;
  line: string;
}

/** The colour mode. */
export type Colours = "origin" | "change";

/** readPalette asks the page for its colours, by way of an element: tokens have two values, for light and dark. */
export function readPalette(el: HTMLElement, mode: Colours): Palette {
  const probe = document.createElement("i");
  el.append(probe);
  const read = (name: string): RGB => {
    probe.style.color = `var(${name})`;
    return parseRGB(getComputedStyle(probe).color);
  };
  const bg = read("--bg1");
  const bases = categories.map((c) => read(`--f-${c}`));
  const colours = mode === "origin" ? bases.flatMap((c) => shadesOf(c)) : changeFills(read("--f-same"), read("--f-more"), read("--f-less"));
  const p: Palette = {
    fills: colours.map(css),
    half: colours.map((c) => css(mix(bg, c, 0.5))),
    dim: colours.map((c) => css(mix(bg, c, 0.28))),
    edges: bases.map(css),
    ink: css(read("--ink")),
    quiet: css(read("--t2")),
    accent: css(read("--accent")),
    found: css(read("--t1")),
    line: css(bg),
  };
  probe.remove();
  return p;
}

function parseRGB(text: string): RGB {
  const m = text.match(/[\d.]+/g)?.map(Number) ?? [];
  const by = text.startsWith("color(") ? 255 : 1;
  return [(m[0] ?? 0) * by, (m[1] ?? 0) * by, (m[2] ?? 0) * by];
}

function css(c: RGB): string {
  return `rgb(${c.map((v) => Math.round(Math.max(0, Math.min(255, v)))).join(" ")})`;
}

function mix(a: RGB, b: RGB, part: number): RGB {
  return [0, 1, 2].map((i) => (a[i] as number) + ((b[i] as number) - (a[i] as number)) * part) as unknown as RGB;
}

function shadesOf(c: RGB): RGB[] {
  return Array.from({ length: shades }, (_, i) => {
    const by = ((i - 2) / 2) * 0.05;
    return by < 0 ? mix(c, [0, 0, 0], -by) : mix(c, [255, 255, 255], by * 2);
  });
}

function changeFills(same: RGB, grow: RGB, shrink: RGB): RGB[] {
  const ramp = (to: RGB) => Array.from({ length: steps }, (_, i) => mix(same, to, (i + 1) / steps));
  return [...ramp(shrink).reverse(), same, ...ramp(grow)];
}

/** fillsOf numbers the fill of each frame (by origin) or leaves it to changeFill. */
export function originFills(m: FlameModel): Uint8Array {
  const out = new Uint8Array(m.frames.name.length);
  for (let f = 0; f < out.length; f++) out[f] = (m.frames.category[f] as number) * shades + (hash(m.frames.package[f] ?? "") % shades);
  return out;
}

function hash(text: string): number {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  return h >>> 8;
}

/** changeFill is the number of the fill for a change: of amounts or of shares. */
export function changeFill(base: number, current: number): number {
  const most = Math.max(Math.abs(base), Math.abs(current));
  if (most === 0) return steps;
  const by = (current - base) / most;
  // Twice as much is by = 0.5 and shows two thirds of the colour.
  const strength = Math.round(steps * Math.min(1, Math.abs(by) ** 0.7));
  return steps + Math.sign(by) * strength;
}

/** What is drawn besides the boxes. */
export interface Look {
  palette: Palette;
  mode: Colours;
  fills: Uint8Array;
  /** Frames a search found, or null when nothing is searched for. */
  found: Uint8Array | null;
  selected: number;
  hovered: number;
  /** Frame whose other nodes are marked too. */
  sameFrame: number;
  /** Printed behind the name where there is room. */
  text: (node: number) => string;
  share: boolean;
  /** Rows above this one in y pixels are not in sight. */
  top: number;
  ratio: number;
}

/** paint draws. The canvas is width by height in CSS pixels. */
export function paint(g: CanvasRenderingContext2D, m: FlameModel, b: Boxes, look: Look, width: number, height: number): void {
  g.setTransform(look.ratio, 0, 0, look.ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  const colour = chooseFills(m, b, look);
  fillBoxes(g, b, look, colour, width);
  if (look.mode === "change") drawEdges(g, m, b, look, width);
  drawTexts(g, m, b, look, colour, width);
  drawMarks(g, m, b, look, width);
}

const whole = 0;
const half = 1;
const dim = 2;

/** fillOf is the number of a node's fill. */
export function fillOf(m: FlameModel, node: number, look: Look): number {
  const f = m.frame[node] as number;
  if (look.mode === "origin") return f === everything ? 2 : (look.fills[f] as number);
  const { total, baseTotal } = m.meta;
  return changeFill((m.base?.[node] ?? 0) / (look.share ? baseTotal || 1 : 1), (m.total[node] as number) / (look.share ? total || 1 : 1));
}

/** chooseFills is the palette's number of each box: three variants of each fill. */
function chooseFills(m: FlameModel, b: Boxes, look: Look): Uint16Array {
  const out = new Uint16Array(b.n);
  for (let i = 0; i < b.n; i++) {
    const node = b.node[i] as number;
    const f = m.frame[node] as number;
    const variant = look.found && !(f !== everything && look.found[f]) ? dim : b.folded[i] ? half : whole;
    out[i] = fillOf(m, node, look) * 3 + variant;
  }
  return out;
}

function cssOf(p: Palette, n: number): string {
  const fill = Math.floor(n / 3);
  return ((n % 3 === whole ? p.fills : n % 3 === half ? p.half : p.dim)[fill] ?? p.fills[0]) as string;
}

/** fillBoxes draws the boxes colour by colour; runs of folded boxes of one colour are one rectangle. */
function fillBoxes(g: CanvasRenderingContext2D, b: Boxes, look: Look, colour: Uint16Array, width: number): void {
  const lists = new Map<number, number[]>();
  for (let i = 0; i < b.n; i++) {
    const c = colour[i] as number;
    let list = lists.get(c);
    if (!list) lists.set(c, (list = []));
    let w = b.w[i] as number;
    const x = b.x[i] as number;
    while (b.folded[i] && i + 1 < b.n && b.folded[i + 1] && colour[i + 1] === c && b.row[i + 1] === b.row[i] && (b.x[i + 1] as number) - x - w < 0.5) {
      i++;
      w = (b.x[i] as number) + (b.w[i] as number) - x;
    }
    const left = Math.max(-4, x);
    const right = Math.min(width + 4, x + w);
    list.push(left, (b.row[i] as number) * rowHeight - look.top, right - left);
  }
  for (const [c, list] of lists) {
    g.fillStyle = cssOf(look.palette, c);
    g.beginPath();
    for (let k = 0; k < list.length; k += 3) {
      const x = list[k] as number;
      const y = list[k + 1] as number;
      const w = list[k + 2] as number;
      if (w >= 8) g.roundRect(x, y, w - 1, boxHeight, 2);
      else g.rect(x, y, w > 2.5 ? w - 1 : w > 1.2 ? w - 0.4 : w, boxHeight);
    }
    g.fill();
  }
}

/** drawEdges shows whose code it is at the left edge, where the fill says something else. */
function drawEdges(g: CanvasRenderingContext2D, m: FlameModel, b: Boxes, look: Look, width: number): void {
  for (let i = 0; i < b.n; i++) {
    const x = b.x[i] as number;
    if (b.folded[i] || (b.w[i] as number) < 12 || x > width) continue;
    const f = m.frame[b.node[i] as number] as number;
    if (f === everything) continue;
    g.fillStyle = look.palette.edges[m.frames.category[f] as number] as string;
    g.fillRect(Math.max(0, x), (b.row[i] as number) * rowHeight - look.top, 3, boxHeight);
  }
}

function drawTexts(g: CanvasRenderingContext2D, m: FlameModel, b: Boxes, look: Look, colour: Uint16Array, width: number): void {
  g.font = font;
  g.textBaseline = "middle";
  const edge = look.mode === "change" ? 3 : 0;
  let style = "";
  for (let i = 0; i < b.n; i++) {
    const x = Math.max(0, b.x[i] as number);
    const w = Math.min(width, (b.x[i] as number) + (b.w[i] as number)) - x;
    if (w < 24 || b.folded[i]) continue;
    const node = b.node[i] as number;
    const text = fit(labelOf(m, node), look.text(node), w - 10 - edge);
    if (!text) continue;
    const ink = (colour[i] as number) % 3 === dim ? look.palette.quiet : look.palette.ink;
    if (ink !== style) g.fillStyle = style = ink;
    g.fillText(text, x + 5 + edge, (b.row[i] as number) * rowHeight - look.top + boxHeight / 2 + 0.5);
  }
}

function labelOf(m: FlameModel, node: number): string {
  const f = m.frame[node] as number;
  return f === everything ? "all" : (m.frames.name[f] ?? "");
}

/** fit is the name and, where there is room, the value; a name that is too long loses its package path first, then its end. */
export function fit(name: string, value: string, width: number, char = charWidth): string {
  const room = Math.floor(width / char);
  if (room < 2) return "";
  const clean = visible(name);
  if (clean.length + 2 + value.length <= room) return value ? `${clean}  ${value}` : clean;
  if (clean.length <= room) return clean;
  const short = clean.slice(clean.slice(0, clean.search(/[[(]|$/)).lastIndexOf("/") + 1);
  if (short.length <= room) return short;
  return room < 3 ? "" : short.slice(0, room - 1) + "…";
}

/** drawMarks outlines what is selected and hovered. */
function drawMarks(g: CanvasRenderingContext2D, m: FlameModel, b: Boxes, look: Look, width: number): void {
  for (let i = 0; i < b.n; i++) {
    const node = b.node[i] as number;
    const selected = node === look.selected;
    const same = m.frame[node] === look.sameFrame && !b.folded[i];
    if (!selected && !same && node !== look.hovered) continue;
    const x = Math.max(-6, b.x[i] as number);
    const w = Math.min(width + 6, (b.x[i] as number) + (b.w[i] as number)) - x - 1;
    const y = (b.row[i] as number) * rowHeight - look.top;
    if (selected) {
      outline(g, look.palette.accent, 2, x, y, w, -1);
    } else if (node === look.hovered) {
      outline(g, look.palette.found, 1, x, y, w, 0);
    } else if (w >= 4) {
      outline(g, look.palette.accent, 1, x, y, w, 0.5);
    }
  }
}

function outline(g: CanvasRenderingContext2D, colour: string, width: number, x: number, y: number, w: number, inset: number): void {
  g.strokeStyle = colour;
  g.lineWidth = width;
  g.beginPath();
  g.roundRect(x + inset, y + inset, Math.max(1, w - 2 * inset), boxHeight - 2 * inset, 3);
  g.stroke();
}
