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

/** Stage is what a view does with a flame graph on its stage. */
export interface Stage {
  /** Sets model and look; a new model keeps the places in sight. */
  show(model: FlameModel, look: Look): void;
  /** Draws again with other colours. */
  repaint(look: Look): void;
  /** Brings a node to full width. */
  zoomTo(node: number, jump?: boolean): void;
  /** Brings places in sight. */
  goTo(x0: number, x1: number, jump?: boolean): void;
  /** Zooms by a factor around a place in sight, 0 to 1. */
  scale(by: number, around?: number): void;
  zoomed(): boolean;
  /** Scrolls so that a node's row is in sight, and pans when its box is out of sight. */
  reveal(node: number): void;
  close(): void;
  /** Milliseconds the last drawings took, for measuring. */
  readonly times: number[];
}

/** The elements of a stage: box scrolls over spacer, with canvas in its place; window is the frame on the minimap. */
export interface StageElements {
  box: HTMLElement;
  canvas: HTMLCanvasElement;
  spacer: HTMLElement;
  mini: HTMLCanvasElement;
  window: HTMLElement;
}

/** startStage makes a stage of its elements. still says whether nothing should move by itself. */
export function startStage({ box, canvas, spacer, mini, window }: StageElements, events: StageEvents, still: () => boolean): Stage {
  let m: FlameModel | null = null;
  let look: Look | null = null;
  let x0 = 0;
  let x1 = 1;
  let frame = 0;
  let animation: { from: [number, number]; to: [number, number]; start: number } | null = null;
  let drag: { x: number; y: number; x0: number; x1: number; top: number; moved: boolean } | null = null;
  const boxes = new Boxes();
  const strip = mini.parentElement as HTMLElement;
  const g = canvas.getContext("2d", { alpha: true }) as CanvasRenderingContext2D;
  const off = new AbortController();
  const times: number[] = [];

  const observer = new ResizeObserver(resize);
  observer.observe(box);
  listen();
  void document.fonts?.load('12px "JetBrains Mono"').then(draw);
  return { show, repaint, zoomTo, goTo, scale, zoomed, reveal, close, times };

  function close(): void {
    observer.disconnect();
    off.abort();
    cancelAnimationFrame(frame);
  }

  function show(model: FlameModel, newest: Look): void {
    const fresh = model !== m;
    m = model;
    look = newest;
    if (fresh) {
      spacer.style.height = `${model.rows * rowHeight + 1}px`;
      if (model.rootRow > 0) box.scrollTop = Math.max(0, model.rootRow * rowHeight - box.clientHeight / 2);
      resize();
      drawMini();
    }
    draw();
  }

  function repaint(newest: Look): void {
    look = newest;
    drawMini();
    draw();
  }

  function zoomTo(node: number, jump = false): void {
    if (!m || node < 0) return;
    goTo(m.x[node] as number, (m.x[node] as number) + (m.w[node] as number), jump);
    reveal(node);
  }

  function goTo(from: number, to: number, jump = false): void {
    if (jump || still()) {
      animation = null;
      [x0, x1] = [from, to];
    } else {
      animation = { from: [x0, x1], to: [from, to], start: performance.now() };
    }
    draw();
  }

  function scale(by: number, around = 0.5): void {
    const [a, b] = animation?.to ?? [x0, x1];
    const width = Math.min(1, Math.max(least, (b - a) * by));
    const at = a + (b - a) * around;
    goTo(...fitIn(at - width * around, width), true);
  }

  function pan(by: number): void {
    const width = x1 - x0;
    goTo(...fitIn(x0 + by * width, width), true);
  }

  function zoomed(): boolean {
    return x1 - x0 < 0.999999;
  }

  function reveal(node: number): void {
    if (!m || node < 0) return;
    const y = (m.row[node] as number) * rowHeight;
    if (y < box.scrollTop) box.scrollTop = y;
    else if (y + rowHeight > box.scrollTop + box.clientHeight) box.scrollTop = y + rowHeight - box.clientHeight;
    const [a, b] = animation?.to ?? [x0, x1];
    const from = m.x[node] as number;
    const to = from + (m.w[node] as number);
    if (to <= a || from >= b) goTo(...fitIn((from + to) / 2 - (b - a) / 2, b - a));
    draw();
  }

  function draw(): void {
    if (!frame) frame = requestAnimationFrame(render);
  }

  function render(now: number): void {
    frame = 0;
    const width = box.clientWidth;
    const height = box.clientHeight;
    if (!m || !look || width === 0) return;
    animate(now);
    const start = performance.now();
    const top = box.scrollTop;
    cull(m, { x0, x1, width, from: Math.floor(top / rowHeight), to: Math.ceil((top + height) / rowHeight) }, boxes);
    paint(g, m, boxes, { ...look, top, ratio: devicePixelRatio || 1 }, width, height);
    times.push(performance.now() - start);
    if (times.length > 300) times.shift();
    window.style.left = `${x0 * 100}%`;
    window.style.width = `${(x1 - x0) * 100}%`;
    window.hidden = !zoomed();
    if (!animation) events.drawn(boxes.hidden, Math.min(1, boxes.hiddenShare), zoomed());
  }

  function animate(now: number): void {
    const a = animation;
    if (!a) return;
    const t = Math.min(1, Math.max(0, (now - a.start) / zoomTime));
    const ease = 1 - (1 - t) ** 3;
    x0 = a.from[0] + (a.to[0] - a.from[0]) * ease;
    x1 = a.from[1] + (a.to[1] - a.from[1]) * ease;
    if (t < 1) draw();
    else animation = null;
  }

  function resize(): void {
    const ratio = devicePixelRatio || 1;
    for (const [c, w, h] of [[canvas, box.clientWidth, box.clientHeight], [mini, strip.clientWidth, 26]] as const) {
      if (w === 0) continue;
      c.width = Math.round(w * ratio);
      c.height = Math.round(h * ratio);
      c.style.width = `${w}px`;
      c.style.height = `${h}px`;
    }
    // The canvas stays in place while the spacer beside it scrolls.
    canvas.style.marginBottom = `${-box.clientHeight}px`;
    drawMini();
    draw();
  }

  /** drawMini draws the whole graph small: every row at least a part of a pixel. */
  function drawMini(): void {
    const g = mini.getContext("2d");
    const width = mini.clientWidth;
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

  function listen(): void {
    const on = <K extends keyof HTMLElementEventMap>(el: HTMLElement, type: K, f: (e: HTMLElementEventMap[K]) => void, passive = true) => el.addEventListener(type, f, { signal: off.signal, passive });
    on(box, "scroll", draw);
    on(box, "wheel", wheel, false);
    on(box, "pointerdown", down);
    on(box, "pointermove", move);
    on(box, "pointerup", up);
    on(box, "pointercancel", () => (drag = null));
    on(box, "pointerleave", () => events.hover(-1, 0, 0));
    on(box, "dblclick", (e) => events.zoom(at(e)));
    on(strip, "pointerdown", (e) => (strip.setPointerCapture(e.pointerId), panTo(e)));
    on(strip, "pointermove", (e) => e.buttons && panTo(e));
  }

  function panTo(e: PointerEvent): void {
    const r = strip.getBoundingClientRect();
    const width = x1 - x0;
    goTo(...fitIn((e.clientX - r.left) / r.width - width / 2, width), true);
  }

  function at(e: MouseEvent): number {
    if (!m) return -1;
    const r = box.getBoundingClientRect();
    const place = x0 + ((e.clientX - r.left) / box.clientWidth) * (x1 - x0);
    return nodeAt(m, Math.floor((e.clientY - r.top + box.scrollTop) / rowHeight), place);
  }

  /** With Ctrl, or a pinch, the wheel zooms; sideways it pans; else it scrolls as everywhere. */
  function wheel(e: WheelEvent): void {
    const r = box.getBoundingClientRect();
    if (e.ctrlKey || e.metaKey) {
      e.preventDefault();
      scale(Math.exp(Math.max(-60, Math.min(60, e.deltaY)) * 0.008), (e.clientX - r.left) / r.width);
    } else if (Math.abs(e.deltaX) > Math.abs(e.deltaY) || e.shiftKey) {
      e.preventDefault();
      pan((e.deltaX || e.deltaY) / r.width);
    }
  }

  function down(e: PointerEvent): void {
    if (e.button !== 0) return;
    drag = { x: e.clientX, y: e.clientY, x0, x1, top: box.scrollTop, moved: false };
  }

  function move(e: PointerEvent): void {
    const d = drag;
    if (d && e.buttons) {
      const dx = e.clientX - d.x;
      const dy = e.clientY - d.y;
      if (!d.moved && Math.hypot(dx, dy) < 4) return;
      if (!d.moved) box.setPointerCapture(e.pointerId);
      d.moved = true;
      box.classList.add("dragging");
      events.hover(-1, 0, 0);
      const width = d.x1 - d.x0;
      goTo(...fitIn(d.x0 - (dx / box.clientWidth) * width, width), true);
      box.scrollTop = d.top - dy;
      return;
    }
    events.hover(at(e), e.clientX, e.clientY);
  }

  function up(e: PointerEvent): void {
    const d = drag;
    drag = null;
    box.classList.remove("dragging");
    if (d && !d.moved && e.button === 0) {
      const node = at(e);
      if (node >= 0) events.select(node);
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
