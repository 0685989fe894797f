// The call graph: packages first, each opens into its functions; drawn as SVG
// from places of the server. URL keys of its own: by (package, function), open
// (packages that are open, "-": none; by itself that of the selected function),
// n and ef (how much is shown), color (origin, change), at (the package
// the keyboard is at).

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { useCommands } from "../commands.ts";
import { integer, plural, quantity, share, shortName, visible } from "../format.ts";
import { around, fit, heaviest, show, step, zoomAt, type Direction, type GraphData, type GraphNode, type Place } from "../graph/model.ts";
import { Button, Card, Chip, Empty, IconButton, Mark, NoFilters, Note, nothingWords, Origin, Seg, ValueTip } from "../parts/index.ts";
import { saved } from "../saved.ts";
import { base as baseShot, totalWords } from "../session.ts";
import { matching, useFound } from "../search.ts";
import { say, useStatus } from "../shell.ts";
import { addTransform, dataURL, get, inPlace, navigate, quoteRegexp, selection, setKey, type State } from "../state.ts";
import { categories, categoryWords } from "../types.ts";
import type { View, ViewProps } from "./index.ts";

/** graphURL asks for the picture; without a base when colours tell the origin. */
function graphURL(s: State): string {
  const own = ["by", "open", "n", "ef"];
  if (!s.keys["open"] && get(s, "by") !== "function" && selection(s)?.sort === "f") own.push("sel");
  return dataURL(get(s, "color") === "origin" ? { ...s, keys: { ...s.keys, base: "none" } } : s, "graph", own);
}

function GraphView({ data: g, state, stale }: ViewProps<GraphData>) {
  const sel = selection(state);
  const at = useMemo(() => {
    const name = get(state, "at") || (sel?.sort === "f" ? sel.name : "");
    const i = name ? g.nodes.findIndex((n) => n.name === name) : -1;
    return i >= 0 ? i : get(state, "at") && sel?.sort === "f" ? g.nodes.findIndex((n) => n.name === sel.name) : -1;
  }, [g, state]);
  const change = !!g.base?.length;
  useStatus([
    totalWords(g),
    plural(g.nodes.length, "box", "boxes"),
    g.hidden.small > 0 && `${integer(g.hidden.small)} under ${share(g.hidden.share, 1)} left out`,
    g.hidden.over > 0 && `${integer(g.hidden.over)} more than the number asked for`,
    g.hidden.edges > 0 && `${plural(g.hidden.edges, "arrow")} under ${share(Number(get(state, "ef")), 1)} left out`,
    at < 0 && sel?.sort === "f" && `${shortName(visible(sel.name))} is not in this picture`,
    g.hidden.roots && "the runtime above the program left out",
    g.hidden.labels > 0 && `${plural(g.hidden.labels, "number")} without room`,
    ...g.warnings,
  ]);
  return (
    <>
      <div class="toolbar">
        <div class="group">
          <Seg
            label="What a box is"
            value={g.by}
            options={[
              ["package", "Packages", "A package opens into its functions"],
              ["function", "Functions"],
            ]}
            onChange={(by) => navigate({ keys: { by, at: undefined } })}
          />
          {baseShot.value !== "" && (
            <Seg
              label="What colours say"
              value={change ? "change" : "origin"}
              options={[
                ["origin", "Current", "Colour: whose code it is"],
                ["change", "Change", "What changed, and by how much"],
              ]}
              onChange={(c) => setKey("color", c === "change" ? undefined : c)}
            />
          )}
          <span class="label">boxes</span>
          <Seg label="Boxes, at most" value={get(state, "n")} options={["20", "40", "80", "160"].map((n) => [n, n, `At most ${n} boxes`])} onChange={(v) => setKey("n", v)} />
          <span class="label">arrows</span>
          <Seg
            label="Arrows, at least"
            value={get(state, "ef")}
            options={[
              ["0", "all", "All arrows"],
              ["0.005", "≥ 0.5%", "Arrows with at least 0.5% of all"],
              ["0.02", "≥ 2%", "Arrows with at least 2% of all"],
            ]}
            onChange={(v) => setKey("ef", v)}
          />
        </div>
        <div class="group">
          {!saved && (
            <a class="btn" href={svgURL(state)} download data-tip="The picture as a file">
              SVG
            </a>
          )}
        </div>
      </div>
      {g.by === "package" && <Opened g={g} />}
      {g.nodes.length === 0 ? <None g={g} state={state} change={change} /> : <Stage g={g} state={state} at={at} change={change} stale={stale} />}
    </>
  );
}

function svgURL(s: State): string {
  const url = graphURL(s);
  return `${url}${url.includes("?") ? "&" : "?"}as=svg`;
}

function None({ g, state, change }: { g: GraphData; state: State; change: boolean }) {
  return (
    <Empty
      title={change ? "Nothing changed" : "No samples are left"}
      actions={
        <>
          {change && <Button main onClick={() => setKey("color", "origin")}>Show the current profile</Button>}
          {state.x.length > 0 && <NoFilters />}
        </>
      }
    >
      {g.hidden.small > 0 ? `${plural(g.hidden.small, "box", "boxes")} are too small to draw.` : nothingWords(state, "draw")}
    </Empty>
  );
}

/** Opened are the packages that are open, with a way to close them. */
function Opened({ g }: { g: GraphData }) {
  if (!g.open.length) return <Note>Click a package to see its functions. Double click a function to keep only what goes through it.</Note>;
  return (
    <div class="next">
      {g.open.map((p) => (
        <Chip key={p} word="open" onRemove={() => close(g, p)}>
          <bdi>{visible(p)}</bdi>
        </Chip>
      ))}
      <button class="quietbtn" onClick={() => navigate({ keys: { open: "-" } })}>
        Close all
      </button>
    </div>
  );
}

function open(g: GraphData, name: string): void {
  navigate({ keys: { open: [...g.open, name].sort().join(" "), at: undefined } });
}

function close(g: GraphData, name: string): void {
  navigate({ keys: { open: g.open.filter((p) => p !== name).join(" ") || "-", at: name } });
}

interface StageProps {
  g: GraphData;
  state: State;
  at: number;
  change: boolean;
  stale: boolean;
}

/** readable is the smallest zoom the page chooses by itself: 11 px text stays 8 px. */
const readable = 0.72;

function Stage({ g, state, at, change, stale }: StageProps) {
  const box = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<Place>({ k: 1, tx: 0, ty: 0 });
  const [hover, setHover] = useState(-1);
  const size = () => [box.current?.clientWidth ?? 800, box.current?.clientHeight ?? 500] as const;
  const fresh = useRef<GraphData | null>(null);
  useLayoutEffect(() => {
    if (fresh.current !== g) {
      fresh.current = g;
      const focus = at >= 0 ? at : newest(g);
      setPlace(fit(g, ...size(), readable, focus));
      setHover(-1);
    } else if (at >= 0) {
      setPlace((p) => show(p, g.nodes[at] as GraphNode, ...size()));
    }
  }, [g, at]);
  const choose = (i: number) => {
    const n = g.nodes[i];
    if (!n) return;
    navigate({ keys: n.functions ? { at: n.name } : { at: undefined, sel: `f:${n.name}` } }, inPlace);
  };
  const enter = (i: number) => {
    const n = g.nodes[i];
    if (n?.functions) open(g, n.name);
    else if (n) addTransform("focus", quoteRegexp(n.name));
  };
  const hits = useSearch(g, state, at, choose);
  const lit = hover >= 0 ? hover : at;
  const near = useMemo(() => (lit >= 0 ? around(g, lit) : null), [g, lit]);
  const zoom = (by: number) => setPlace((p) => zoomAt(p, by, size()[0] / 2, size()[1] / 2));
  const whole = () => setPlace(fit(g, ...size(), 0, -1));
  useGraphCommands(g, at, choose, enter, zoom, whole, () => setPlace(fit(g, ...size(), 1, at)));
  useDrag(box, place, setPlace);
  const order = useMemo(() => g.nodes.map((_, i) => i).sort((a, b) => g.nodes[a]!.y - g.nodes[b]!.y || g.nodes[a]!.x - g.nodes[b]!.x), [g]);
  const dim = hover >= 0;
  return (
    <Card cls="flush graph" loading={stale} label="Call graph">
      <div ref={box} class={dim ? "graphstage dim" : "graphstage"} role="listbox" tabIndex={0} aria-label="Boxes of the call graph. Arrow keys follow the calls, Enter opens a package." aria-activedescendant={at >= 0 ? `graph-${at}` : undefined} onDblClick={(e) => enter(nodeOf(e))} onClick={(e) => click(nodeOf(e), g, choose, enter)} onPointerMove={(e) => setHover(e.buttons ? -1 : nodeOf(e))} onPointerLeave={() => setHover(-1)}>
        <svg aria-hidden width="100%" height="100%">
          <g transform={`translate(${place.tx} ${place.ty}) scale(${place.k})`}>
            {g.edges.map((e, i) => (
              <g key={i} class={`gedge${near?.edges.has(i) ? " near" : ""}${e.hidden ? " hidden" : ""}${change ? (e.value >= 0 ? " more" : " less") : ""}`}>
                <path d={e.path} stroke-width={e.width} />
                <path class="head" d={e.head} />
              </g>
            ))}
            {g.nodes.map((n, i) => (
              <Box key={n.name} n={n} i={i} total={Math.max(g.total, g.baseTotal ?? 0)} change={change} class={`${i === at ? " sel" : ""}${near?.nodes.has(i) ? " near" : ""}${hits ? (hits.has(i) ? " hit" : " miss") : ""}`} />
            ))}
            {g.edges.map((e, i) => e.label && (!dim || near?.edges.has(i)) && (
              <text key={i} class={near?.edges.has(i) ? "glabel near" : "glabel"} x={e.label.x} y={e.label.y} font-size={e.label.size}>
                {e.label.text}
              </text>
            ))}
          </g>
        </svg>
        <div class="sr" role="presentation">
          {order.map((i) => (
            <div key={i} id={`graph-${i}`} role="option" aria-selected={i === at}>
              {spoken(g, i)}
            </div>
          ))}
        </div>
      </div>
      <Legend g={g} change={change} />
      <div class="zoomer">
        <IconButton label="Zoom in" tip="Zoom in (+)" onClick={() => zoom(1.3)}>
          +
        </IconButton>
        <IconButton label="Zoom out" tip="Zoom out (−)" onClick={() => zoom(1 / 1.3)}>
          −
        </IconButton>
        <IconButton label="Fit the whole graph" tip="Whole graph (Home)" onClick={whole}>
          Fit
        </IconButton>
      </div>
      {hover >= 0 && g.nodes[hover] && <Told n={g.nodes[hover]!} g={g} place={place} />}
    </Card>
  );
}

function Legend({ g, change }: { g: GraphData; change: boolean }) {
  return (
    <div class="legend over" role="group" aria-label="Colours">
      {change ? (
        <>
          <Mark of="more">▲ more</Mark>
          <Mark of="less">▼ less</Mark>
        </>
      ) : (
        [1, 2, 3, 4, 5].filter((c) => g.nodes.some((n) => n.category === c)).map((c) => <Origin key={c} category={c} word="short" />)
      )}
    </div>
  );
}

/** newest is where to look when nothing is selected: the largest function of an open package, else the root. */
function newest(g: GraphData): number {
  const inside = g.open.length && g.by === "package" ? g.nodes.findIndex((n) => !n.functions) : -1;
  return inside >= 0 ? inside : heaviest(g);
}

function click(i: number, g: GraphData, choose: (i: number) => void, enter: (i: number) => void): void {
  if (i < 0 || dragged) return;
  if (g.nodes[i]?.functions) enter(i);
  else choose(i);
}

function nodeOf(e: MouseEvent): number {
  const el = (e.target as Element | null)?.closest?.("[data-node]");
  return el ? Number(el.getAttribute("data-node")) : -1;
}

function Box({ n, i, total, change, class: name }: { n: GraphNode; i: number; total: number; change: boolean; class: string }) {
  const was = n.cumBase ?? 0;
  const most = Math.max(Math.abs(n.cum), Math.abs(was));
  const part = change ? (most ? (n.cum - was) / most : 0) : total ? n.cum / total : 0;
  const tone = change ? (part > 0 ? "more" : part < 0 ? "less" : "same") : (categories[n.category] ?? "none");
  return (
    <g class={`gnode g-${tone}${name}`} data-node={i} style={{ "--heat": `${Math.round(12 + 38 * Math.sqrt(Math.min(1, Math.abs(part))))}%`, "--tone": `var(--f-${tone})` }}>
      {n.functions ? <rect class="behind" x={n.x + 4} y={n.y + 4} width={n.w} height={n.h} rx={6} /> : null}
      <rect class="body" x={n.x} y={n.y} width={n.w} height={n.h} rx={6} />
      <rect style={{ fill: `var(--f-${categories[n.category] ?? "none"})` }} x={n.x + 2.5} y={n.y + 4} width={4} height={n.h - 8} rx={2} />
      {n.text.map((t, k) => (
        <text key={k} class={t.muted ? "muted" : undefined} x={t.x} y={t.y} font-size={t.size}>
          {visible(t.text)}
        </text>
      ))}
    </g>
  );
}

/** Told is the whole name and the values of the box under the pointer. */
function Told({ n, g, place }: { n: GraphNode; g: GraphData; place: Place }) {
  const x = Math.max(8, n.x * place.k + place.tx);
  const y = (n.y + n.h) * place.k + place.ty + 8;
  return (
    <div class="flametip graphtip" aria-hidden style={{ left: `${x}px`, top: `${y}px` }}>
      <ValueTip name={visible(n.name)} value={n.cum} self={n.flat !== n.cum ? n.flat : undefined} base={n.cumBase} unit={g.unit} total={g.total} />
      <div class="label">
        {categoryWords[categories[n.category] ?? "none"]}
        {n.functions ? ` · ${plural(n.functions, "function")}, click to open` : ""}
      </div>
    </div>
  );
}

/** spoken is a box as a screen reader says it. */
function spoken(g: GraphData, i: number): string {
  const n = g.nodes[i] as GraphNode;
  const names = (to: boolean) =>
    g.edges
      .filter((e) => (to ? e.from : e.to) === i && e.from !== e.to)
      .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
      .slice(0, 3)
      .map((e) => visible(g.nodes[to ? e.to : e.from]!.name));
  const calls = names(true);
  const callers = names(false);
  const d = n.cumBase === undefined ? 0 : n.cum - n.cumBase;
  return [
    n.functions ? `package ${visible(n.name)}, ${plural(n.functions, "function")}` : visible(n.name),
    quantity(n.cum, g.unit),
    share(n.cum, g.total),
    d !== 0 && `${d > 0 ? "up" : "down"} ${quantity(Math.abs(d), g.unit)}`,
    callers.length > 0 && `called by ${callers.join(", ")}`,
    calls.length > 0 && `calls ${calls.join(", ")}`,
  ]
    .filter(Boolean)
    .join(", ");
}

/** Whether the last press of the pointer was a drag, which is no click. */
let dragged = false;

/** useDrag pans with the pointer and the wheel, and zooms with Ctrl and the wheel. */
function useDrag(box: { current: HTMLDivElement | null }, place: Place, set: (p: Place | ((p: Place) => Place)) => void): void {
  const now = useRef(place);
  now.current = place;
  useEffect(() => {
    const el = box.current;
    if (!el) return;
    const off = new AbortController();
    const on = { signal: off.signal };
    let from: { x: number; y: number; p: Place } | null = null;
    el.addEventListener("wheel", (e) => {
      e.preventDefault();
      const r = el.getBoundingClientRect();
      if (e.ctrlKey || e.metaKey) set((p) => zoomAt(p, Math.exp(-Math.max(-60, Math.min(60, e.deltaY)) * 0.008), e.clientX - r.left, e.clientY - r.top));
      else set((p) => ({ ...p, tx: p.tx - (e.shiftKey ? e.deltaY : e.deltaX), ty: p.ty - (e.shiftKey ? 0 : e.deltaY) }));
    }, { ...on, passive: false });
    el.addEventListener("pointerdown", (e) => {
      if (e.button !== 0) return;
      from = { x: e.clientX, y: e.clientY, p: now.current };
      dragged = false;
    }, on);
    el.addEventListener("pointermove", (e) => {
      if (!from || !e.buttons) return;
      const [dx, dy] = [e.clientX - from.x, e.clientY - from.y];
      if (!dragged && Math.hypot(dx, dy) < 4) return;
      if (!dragged) el.setPointerCapture(e.pointerId);
      dragged = true;
      el.classList.add("dragging");
      set({ k: from.p.k, tx: from.p.tx + dx, ty: from.p.ty + dy });
    }, on);
    const up = () => {
      from = null;
      el.classList.remove("dragging");
    };
    el.addEventListener("pointerup", up, on);
    el.addEventListener("pointercancel", up, on);
    return () => off.abort();
  }, []);
}

function useGraphCommands(g: GraphData, at: number, choose: (i: number) => void, enter: (i: number) => void, zoom: (by: number) => void, whole: () => void, zoomIn: () => void): void {
  const go = (to: Direction) => () => {
    const i = step(g, at, to);
    if (i < 0) return;
    choose(i);
    say(spoken(g, i));
  };
  const n = g.nodes[at];
  useCommands("Call graph", [
    { id: "graph.up", title: "To the heaviest caller", keys: ["ArrowUp"], plain: true, run: go("up") },
    { id: "graph.down", title: "To the heaviest callee", keys: ["ArrowDown"], plain: true, run: go("down") },
    { id: "graph.left", title: "To the box at the left", keys: ["ArrowLeft"], plain: true, run: go("left") },
    { id: "graph.right", title: "To the box at the right", keys: ["ArrowRight"], plain: true, run: go("right") },
    { id: "graph.open", title: "Open the package", keys: ["Enter"], bar: "open", when: () => !!n?.functions, run: () => enter(at) },
    { id: "graph.close", title: "Close the package of the function", keys: ["Backspace"], bar: "close", when: () => g.by === "package" && !!n && !n.functions, run: () => close(g, n?.package || "(no package)") },
    { id: "graph.in", title: "Zoom in", keys: ["+", "="], plain: true, run: () => zoom(1.3) },
    { id: "graph.out", title: "Zoom out", keys: ["-"], plain: true, run: () => zoom(1 / 1.3) },
    { id: "graph.fit", title: "Whole graph", keys: ["Home"], bar: "fit", run: whole },
    { id: "graph.zoom", title: "Zoom to the selected box", keys: ["z"], when: () => at >= 0, run: zoomIn },
    { id: "graph.by", title: "Packages or functions", keys: ["p"], run: () => navigate({ keys: { by: g.by === "package" ? "function" : "package", at: undefined } }) },
    { id: "graph.change", title: "Current or change", keys: ["v"], when: () => baseShot.value !== "", run: () => setKey("color", g.base?.length ? "origin" : undefined) },
    { id: "graph.svg", title: "Download as SVG", run: () => document.querySelector<HTMLAnchorElement>("a[download]")?.click() },
  ]);
}

/** useSearch marks the boxes that match, and goes through them, largest first. */
function useSearch(g: GraphData, state: State, at: number, choose: (i: number) => void): ReadonlySet<number> | null {
  const q = state.keys["q"] ?? "";
  const hits = useMemo(() => {
    const found = matching(q, g.nodes.map((n) => n.name));
    return found && found.sort((a, b) => g.nodes[b]!.cum - g.nodes[a]!.cum);
  }, [g, q]);
  useFound(hits, { words: () => plural(hits!.length, "box", "boxes"), go: choose, chosen: at });
  return useMemo(() => (hits ? new Set(hits) : null), [hits]);
}

export const graph: View<GraphData> = {
  id: "graph",
  key: "3",
  title: "Call graph",
  group: "where",
  params: { by: "", open: "", n: "40", ef: "0.005", color: "", at: "" },
  copied: [{ by: "function" }, { color: "origin" }],
  load: graphURL,
  View: GraphView,
  skeleton: "cards",
};
