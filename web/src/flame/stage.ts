// The stage of a flame graph: canvas, minimap, what is in sight, pointer and
// wheel. It knows the model and how it should look, and tells what happened;
// it keeps nothing else.

import { Boxes, cull } from "./cull.ts";
import { nodeAt, rootOf, type FlameModel } from "./model.ts";
import { fillOf, paint, rowHeight, type Look } from "./paint.ts";

export interface StageEvents {
  hover: (node: number, x: number, y: number) => void;
  select: (node: number) => void;
  zoom: (node: number) => void;
  /** After a drawing: what was too narrow to see. */
  drawn: (hidden: number, hiddenShare: number, zoomed: boolean) => void;
}

const zoomTime = 120;
/** No narrower than this share of the whole: the precision of the places. */
const least = 1e-9;

export class Stage {
  private model: FlameModel | null = null;
  private look: Look | null = null;
  private x0 = 0;
  private x1 = 1;
  private frame = 0;
  private animation: { from: [number, number]; to: [number, number]; start: number } | null = null;
  private readonly boxes = new Boxes();
  private readonly g: CanvasRenderingContext2D;
  private readonly observer: ResizeObserver;
  private readonly off = new AbortController();
  private drag: { x: number; y: number; x0: number; x1: number; top: number; moved: boolean } | null = null;
  /** Milliseconds the last drawings took, for measuring. */
  readonly times: number[] = [];

  constructor(
    private readonly box: HTMLElement,
    private readonly canvas: HTMLCanvasElement,
    private readonly spacer: HTMLElement,
    private readonly mini: HTMLCanvasElement,
    private readonly window: HTMLElement,
    private readonly events: StageEvents,
    private readonly still: () => boolean,
  ) {
    this.g = canvas.getContext("2d", { alpha: true }) as CanvasRenderingContext2D;
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(box);
    this.listen();
    void document.fonts?.load('12px "JetBrains Mono"').then(() => this.draw());
  }

  close(): void {
    this.observer.disconnect();
    this.off.abort();
    cancelAnimationFrame(this.frame);
  }

  /** show sets model and look; a new model keeps the places in sight. */
  show(model: FlameModel, look: Look): void {
    const fresh = model !== this.model;
    this.model = model;
    this.look = look;
    if (fresh) {
      this.spacer.style.height = `${model.rows * rowHeight + 1}px`;
      if (model.rootRow > 0) this.box.scrollTop = Math.max(0, model.rootRow * rowHeight - this.box.clientHeight / 2);
      this.resize();
      this.drawMini();
    }
    this.draw();
  }

  /** repaint draws again with other colours. */
  repaint(look: Look): void {
    this.look = look;
    this.drawMini();
    this.draw();
  }

  /** zoomTo brings a node to full width. */
  zoomTo(node: number, jump = false): void {
    const m = this.model;
    if (!m || node < 0) return;
    this.goTo(m.x[node] as number, (m.x[node] as number) + (m.w[node] as number), jump);
    this.reveal(node);
  }

  /** goTo brings places in sight. */
  goTo(x0: number, x1: number, jump = false): void {
    if (jump || this.still()) {
      this.animation = null;
      this.x0 = x0;
      this.x1 = x1;
    } else {
      this.animation = { from: [this.x0, this.x1], to: [x0, x1], start: performance.now() };
    }
    this.draw();
  }

  /** scale zooms by a factor around a place in sight, 0 to 1. */
  scale(by: number, around = 0.5): void {
    const [a, b] = this.animation?.to ?? [this.x0, this.x1];
    const width = Math.min(1, Math.max(least, (b - a) * by));
    const at = a + (b - a) * around;
    this.goTo(...fitIn(at - width * around, width), true);
  }

  pan(by: number): void {
    const width = this.x1 - this.x0;
    this.goTo(...fitIn(this.x0 + by * width, width), true);
  }

  get zoomed(): boolean {
    return this.x1 - this.x0 < 0.999999;
  }

  /** reveal scrolls so that a node's row is in sight, and pans when its box is out of sight. */
  reveal(node: number): void {
    const m = this.model;
    if (!m || node < 0) return;
    const y = (m.row[node] as number) * rowHeight;
    if (y < this.box.scrollTop) this.box.scrollTop = y;
    else if (y + rowHeight > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = y + rowHeight - this.box.clientHeight;
    const [a, b] = this.animation?.to ?? [this.x0, this.x1];
    const from = m.x[node] as number;
    const to = from + (m.w[node] as number);
    if (to <= a || from >= b) this.goTo(...fitIn((from + to) / 2 - (b - a) / 2, b - a));
    this.draw();
  }

  draw(): void {
    if (!this.frame) this.frame = requestAnimationFrame((t) => this.render(t));
  }

  private render(now: number): void {
    this.frame = 0;
    const m = this.model;
    const look = this.look;
    const width = this.box.clientWidth;
    const height = this.box.clientHeight;
    if (!m || !look || width === 0) return;
    this.animate(now);
    const start = performance.now();
    const top = this.box.scrollTop;
    cull(m, { x0: this.x0, x1: this.x1, width, from: Math.floor(top / rowHeight), to: Math.ceil((top + height) / rowHeight) }, this.boxes);
    paint(this.g, m, this.boxes, { ...look, top, ratio: devicePixelRatio || 1 }, width, height);
    this.times.push(performance.now() - start);
    if (this.times.length > 300) this.times.shift();
    this.window.style.left = `${this.x0 * 100}%`;
    this.window.style.width = `${(this.x1 - this.x0) * 100}%`;
    this.window.hidden = !this.zoomed;
    if (!this.animation) this.events.drawn(this.boxes.hidden, Math.min(1, this.boxes.hiddenShare), this.zoomed);
  }

  private animate(now: number): void {
    const a = this.animation;
    if (!a) return;
    const t = Math.min(1, Math.max(0, (now - a.start) / zoomTime));
    const ease = 1 - (1 - t) ** 3;
    this.x0 = a.from[0] + (a.to[0] - a.from[0]) * ease;
    this.x1 = a.from[1] + (a.to[1] - a.from[1]) * ease;
    if (t < 1) this.draw();
    else this.animation = null;
  }

  private resize(): void {
    const ratio = devicePixelRatio || 1;
    for (const [c, w, h] of [[this.canvas, this.box.clientWidth, this.box.clientHeight], [this.mini, this.mini.parentElement?.clientWidth ?? 0, 26]] as const) {
      if (w === 0) continue;
      c.width = Math.round(w * ratio);
      c.height = Math.round(h * ratio);
      c.style.width = `${w}px`;
      c.style.height = `${h}px`;
    }
    // The canvas stays in place while the spacer beside it scrolls.
    this.canvas.style.marginBottom = `${-this.box.clientHeight}px`;
    this.drawMini();
    this.draw();
  }

  /** drawMini draws the whole graph small: every row at least a part of a pixel. */
  private drawMini(): void {
    const m = this.model;
    const look = this.look;
    const g = this.mini.getContext("2d");
    const width = this.mini.clientWidth;
    if (!m || !look || !g || width === 0) return;
    const ratio = devicePixelRatio || 1;
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, 26);
    const high = Math.min(7, 26 / m.rows);
    const all = new Boxes();
    const step = Math.max(1, Math.floor(m.rows / 52));
    for (let row = 0; row < m.rows; row += step) {
      cull(m, { x0: 0, x1: 1, width, from: row, to: row + 1 }, all);
      for (let i = 0; i < all.n; i++) {
        g.fillStyle = look.palette.fills[fillOf(m, all.node[i] as number, look)] as string;
        g.globalAlpha = all.folded[i] ? 0.5 : 1;
        g.fillRect(all.x[i] as number, row * high, all.w[i] as number, Math.max(0.5, high * step - (high > 3 ? 1 : 0)));
      }
    }
    g.globalAlpha = 1;
  }

  private listen(): void {
    const on = <K extends keyof HTMLElementEventMap>(el: HTMLElement, type: K, f: (e: HTMLElementEventMap[K]) => void, passive = true) => el.addEventListener(type, f, { signal: this.off.signal, passive });
    on(this.box, "scroll", () => this.draw());
    on(this.box, "wheel", (e) => this.wheel(e), false);
    on(this.box, "pointerdown", (e) => this.down(e));
    on(this.box, "pointermove", (e) => this.move(e));
    on(this.box, "pointerup", (e) => this.up(e));
    on(this.box, "pointercancel", () => (this.drag = null));
    on(this.box, "pointerleave", () => this.events.hover(-1, 0, 0));
    on(this.box, "dblclick", (e) => this.events.zoom(this.at(e)));
    const mini = this.mini.parentElement as HTMLElement;
    on(mini, "pointerdown", (e) => (mini.setPointerCapture(e.pointerId), this.panTo(e)));
    on(mini, "pointermove", (e) => e.buttons && this.panTo(e));
  }

  private panTo(e: PointerEvent): void {
    const r = (this.mini.parentElement as HTMLElement).getBoundingClientRect();
    const width = this.x1 - this.x0;
    this.goTo(...fitIn((e.clientX - r.left) / r.width - width / 2, width), true);
  }

  private at(e: MouseEvent): number {
    const m = this.model;
    if (!m) return -1;
    const r = this.box.getBoundingClientRect();
    const place = this.x0 + ((e.clientX - r.left) / this.box.clientWidth) * (this.x1 - this.x0);
    return nodeAt(m, Math.floor((e.clientY - r.top + this.box.scrollTop) / rowHeight), place);
  }

  /** With Ctrl, or a pinch, the wheel zooms; sideways it pans; else it scrolls as everywhere. */
  private wheel(e: WheelEvent): void {
    const r = this.box.getBoundingClientRect();
    if (e.ctrlKey || e.metaKey) {
      e.preventDefault();
      this.scale(Math.exp(Math.max(-60, Math.min(60, e.deltaY)) * 0.008), (e.clientX - r.left) / r.width);
    } else if (Math.abs(e.deltaX) > Math.abs(e.deltaY) || e.shiftKey) {
      e.preventDefault();
      this.pan((e.deltaX || e.deltaY) / r.width);
    }
  }

  private down(e: PointerEvent): void {
    if (e.button !== 0) return;
    this.drag = { x: e.clientX, y: e.clientY, x0: this.x0, x1: this.x1, top: this.box.scrollTop, moved: false };
  }

  private move(e: PointerEvent): void {
    const d = this.drag;
    if (d && e.buttons) {
      const dx = e.clientX - d.x;
      const dy = e.clientY - d.y;
      if (!d.moved && Math.hypot(dx, dy) < 4) return;
      if (!d.moved) this.box.setPointerCapture(e.pointerId);
      d.moved = true;
      this.box.classList.add("dragging");
      this.events.hover(-1, 0, 0);
      const width = d.x1 - d.x0;
      this.goTo(...fitIn(d.x0 - (dx / this.box.clientWidth) * width, width), true);
      this.box.scrollTop = d.top - dy;
      return;
    }
    this.events.hover(this.at(e), e.clientX, e.clientY);
  }

  private up(e: PointerEvent): void {
    const d = this.drag;
    this.drag = null;
    this.box.classList.remove("dragging");
    if (d && !d.moved && e.button === 0) {
      const node = this.at(e);
      if (node >= 0) this.events.select(node);
    }
  }
}

/** fitIn keeps a stretch within 0 to 1. */
function fitIn(from: number, width: number): [number, number] {
  const x0 = Math.max(0, Math.min(1 - width, from));
  return [x0, Math.min(1, x0 + width)];
}

/** neighbour is the node that an arrow key leads to. */
export function neighbour(m: FlameModel, node: number, to: "parent" | "child" | "left" | "right"): number {
  if (node < 0) return rootOf(m);
  if (to === "parent") return m.parent[node] as number;
  if (to === "child") return (m.childTo[node] as number) > (m.childFrom[node] as number) ? (m.childFrom[node] as number) : -1;
  const row = m.row[node] as number;
  const next = node + (to === "left" ? -1 : 1);
  return next >= (m.rowStart[row] as number) && next < (m.rowStart[row + 1] as number) ? next : -1;
}
