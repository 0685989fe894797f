// The flame graph. URL keys of its own: dir (down, up, around), mode
// (absolute, share), color (origin, change; by itself change when there is a
// base), z (the node that has the full width).

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Columns } from "../columns.ts";
import { known } from "../api.ts";
import { useCommands } from "../commands.ts";
import { entryOf, everything, find, findZoom, layOut, nameOf, pathOf, readFrames, rootOf, widestOf, zoomKey, type FlameMeta, type FlameModel, type Hits } from "../flame/model.ts";
import { originFills, readPalette, type Colours, type Look } from "../flame/paint.ts";
import { neighbour, startStage, type Stage } from "../flame/stage.ts";
import { FlameTip, FlameTree } from "../flame/beside.tsx";
import { delta, integer, plural, quantity, share, shortName } from "../format.ts";
import { Card, Mark, NoSamples, Origin, Seg } from "../parts/index.ts";
import { testOf, useFound } from "../search.ts";
import { paint as repaint, say, still, trail, useStatus } from "../shell.ts";
import { saved } from "../saved.ts";
import { dataURL, get, inPlace, navigate, selection, setKey, state as now, type State } from "../state.ts";
import { base as baseShot, totalWords } from "../session.ts";
import type { View, ViewProps } from "./index.ts";

function FlameView({ data, state }: ViewProps<Columns<FlameMeta>>) {
  const meta = data.meta;
  const colours: Colours = get(state, "color") === "origin" || !meta.base?.length ? "origin" : "change";
  const inShares = get(state, "mode") === "share";
  const frames = useMemo(() => readFrames(data), [data]);
  const model = useMemo(() => layOut(data, colours === "change" ? (inShares ? "share" : "change") : "current", frames), [data, colours, inShares]);
  const sel = selection(state);
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const selected = useSelectedNode(model, sel?.sort === "f" ? sel.name : "", chosen);
  const select = (i: number) => {
    setChosen({ in: model, node: i, key: zoomKey(model, i) });
    const entry = entryOf(model, i);
    setKey("sel", entry ? `f:${entry}` : undefined, inPlace);
  };
  if (model.n <= 1) return <NoSamples state={state} to="draw" />;
  return (
    <>
      <Toolbar state={state} meta={meta} colours={colours} />
      <Graph model={model} state={state} colours={colours} inShares={inShares} selected={selected} select={select} />
    </>
  );
}

/** A node that was chosen: by number in its model, by its path in others. */
interface Chosen {
  in: FlameModel;
  node: number;
  key: string;
}

/** useSelectedNode is the node that was chosen here, else the widest one of the selected function. */
function useSelectedNode(m: FlameModel, entry: string, chosen: Chosen | null): number {
  return useMemo(() => {
    const node = chosen ? (chosen.in === m ? chosen.node : findZoom(m, chosen.key)) : -1;
    if (node >= 0 && entryOf(m, node) === entry) return node;
    return entry ? widestOf(m, entry) : -1;
  }, [m, entry, chosen]);
}

function Toolbar({ state, meta, colours }: { state: State; meta: FlameMeta; colours: Colours }) {
  const sel = selection(state);
  return (
    <div class="toolbar">
      <div class="group">
        <Seg
          label="Direction"
          value={get(state, "dir")}
          options={[
            ["down", "Top-down", "From the roots to what they call"],
            ["up", "Bottom-up", "From what used it to its callers"],
            ["around", "Around selection", "Callers above, callees below the selected function", sel?.sort !== "f"],
          ]}
          onChange={(dir) => navigate({ keys: { dir, z: undefined } })}
        />
        {meta.base && (
          <Seg
            label="What colours say"
            value={colours}
            options={[
              ["origin", "Current", "Colour: whose code it is"],
              ["change", "Change", "Colour: how much more or less than in the base"],
            ]}
            onChange={(color) => setKey("color", color === "change" ? undefined : color)}
          />
        )}
        <Seg
          label="Numbers"
          value={get(state, "mode")}
          options={[
            ["absolute", "Absolute"],
            ["share", "Share", "As a part of all; of a comparison, of each profile's own total"],
          ]}
          onChange={(mode) => setKey("mode", mode)}
        />
      </div>
      <div class="legend" aria-label="Colours" role="group">
        {colours === "origin" ? (
          [1, 2, 3, 4, 5].map((c) => <Origin key={c} category={c} word="short" />)
        ) : (
          <>
            <Mark of="more">▲ more</Mark>
            <Mark of="same">the same</Mark>
            <Mark of="less">▼ less</Mark>
          </>
        )}
      </div>
    </div>
  );
}

interface GraphProps {
  model: FlameModel;
  state: State;
  colours: Colours;
  inShares: boolean;
  selected: number;
  select: (node: number) => void;
}

function Graph(p: GraphProps) {
  const { model: m, state, selected } = p;
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const spacer = useRef<HTMLDivElement>(null);
  const mini = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const stage = useRef<Stage | null>(null);
  const [hover, setHover] = useState({ node: -1, x: 0, y: 0 });
  const [hidden, setHidden] = useState({ n: 0, share: 0, zoomed: false });
  const act = useRef({ select: p.select, zoom: (_: number) => {} });
  const hits = useHits(m, state.keys["q"] ?? "");
  const zoom = (node: number) => {
    if (node < 0) return;
    if (node !== rootOf(m)) p.select(node);
    setKey("z", node === rootOf(m) ? undefined : zoomKey(m, node), inPlace);
    stage.current?.zoomTo(node);
  };
  act.current = { select: p.select, zoom };

  useEffect(() => {
    const s = startStage({ box: box.current!, canvas: canvas.current!, spacer: spacer.current!, mini: mini.current!, window: frame.current! }, {
      hover: (node, x, y) => setHover((h) => (h.node === node && node < 0 ? h : { node, x, y })),
      select: (n) => act.current.select(n),
      zoom: (n) => act.current.zoom(n),
      drawn: (n, part, zoomed) => setHidden((h) => (h.n === n && h.share === part && h.zoomed === zoomed ? h : { n, share: part, zoomed })),
    }, still);
    stage.current = s;
    (box.current as HTMLElement & { stage?: Stage }).stage = s; // measured by the tests
    return () => s.close();
  }, []);

  const palette = useMemo(() => readPalette(document.body, p.colours), [p.colours, repaint.value]);
  const look: Look = {
    palette,
    mode: p.colours,
    fills: useMemo(() => originFills(m), [m]),
    found: hits?.frames ?? null,
    selected,
    hovered: hover.node,
    sameFrame: selected >= 0 && m.frame[selected] !== everything ? (m.frame[selected] as number) : -1,
    text: (node) => numbers(m, node, p.inShares, p.colours === "change"),
    share: p.inShares,
    top: 0,
    ratio: 1,
  };
  useEffect(() => stage.current?.show(m, look));
  useEffect(() => stage.current?.repaint(look), [palette]);
  // The zoom of the URL, also after undo; without animation when the picture is new.
  const drawn = useRef<FlameModel | null>(null);
  const z = get(state, "z");
  useEffect(() => {
    const at = z ? findZoom(m, z) : rootOf(m);
    stage.current?.zoomTo(at < 0 ? rootOf(m) : at, drawn.current !== m);
    drawn.current = m;
  }, [m, z]);
  useEffect(() => {
    if (selected >= 0) stage.current?.reveal(selected);
    trail.value = selected < 0 ? [] : pathOf(m, selected).map((i) => ({ title: shortName(nameOf(m, i)), run: () => act.current.select(i) }));
    return () => (trail.value = []) && undefined;
  }, [m, selected]);

  useFlameCommands(m, selected, p.select, zoom, stage, z);
  useFound(hits?.tops ?? null, {
    words: (at) => `${at >= 0 ? `${integer(at + 1)}/` : ""}${integer(hits!.tops.length)} · ${share(hits!.total, m.meta.total)}`,
    go: (i) => (p.select(i), stage.current?.reveal(i)),
  });
  const { meta } = m;
  useStatus([
    totalWords(meta),
    plural(m.n - 1, "frame"),
    hidden.n > 0 && `${plural(hidden.n, "frame")} under 1 px folded (${share(hidden.share, 1)})`,
    meta.dropped && meta.dropped.nodes > 0 && `${plural(meta.dropped.nodes, "path")} under ${share(meta.min, 1)} not sent (${share(meta.dropped.weight, meta.shown || 1)})`,
    ...meta.warnings,
  ]);
  return (
    <Card cls="flush flame" label="Flame graph">
      <div class="mini" aria-hidden>
        <canvas ref={mini} />
        <div ref={frame} class="window" hidden />
      </div>
      <FlameTree box={box} m={m} selected={selected} text={(i) => spoken(m, i)}>
        <canvas ref={canvas} aria-hidden />
        <div ref={spacer} class="spacer" />
      </FlameTree>
      {hidden.zoomed && (
        <button class="btn whole" onClick={() => zoom(rootOf(m))}>
          Whole graph
        </button>
      )}
      {hover.node >= 0 && hover.node < m.n && <FlameTip m={m} node={hover.node} x={hover.x} y={hover.y} />}
    </Card>
  );
}

/** numbers is what a box says behind its name. */
function numbers(m: FlameModel, node: number, inShares: boolean, change: boolean): string {
  const { total, baseTotal, unit } = m.meta;
  const v = m.total[node] as number;
  const text = inShares ? share(v, total) : quantity(v, unit);
  if (!change || !m.base) return text;
  const b = m.base[node] as number;
  if (b === 0 && v !== 0) return `${text}  ▲ new`;
  if (inShares) {
    const d = v / (total || 1) - b / (baseTotal || 1);
    return Math.abs(d) < 0.00005 ? text : `${text}  ${d > 0 ? "▲" : "▼"} ${share(Math.abs(d), 1)}`;
  }
  return v === b ? text : `${text}  ${delta(v - b, unit)}`;
}

/** spoken is a node as a screen reader says it. */
function spoken(m: FlameModel, node: number): string {
  const v = m.total[node] as number;
  const parts = [nameOf(m, node), quantity(v, m.meta.unit), share(v, m.meta.total)];
  if (m.base) {
    const d = v - (m.base[node] as number);
    parts.push(d === 0 ? "unchanged" : `${d > 0 ? "up" : "down"} ${quantity(Math.abs(d), m.meta.unit)}`);
  }
  return parts.join(", ");
}

function useHits(m: FlameModel, q: string): Hits | null {
  return useMemo(() => {
    const test = testOf(q);
    return test && find(m, test);
  }, [m, q]);
}

function useFlameCommands(m: FlameModel, selected: number, select: (n: number) => void, zoom: (n: number) => void, stage: { current: Stage | null }, z: string): void {
  const move = (to: "parent" | "child" | "left" | "right") => () => {
    const flip = (m.row[selected] ?? 0) < m.rootRow || (selected === rootOf(m) && m.rootRow > 0);
    const next = flip && to === "parent" && selected === rootOf(m) ? m.rowStart[m.rootRow - 1]! : neighbour(m, selected, flip && to === "parent" ? "child" : flip && to === "child" && selected !== rootOf(m) ? "parent" : to);
    if (next >= 0 && next < m.n) {
      select(next);
      say(spoken(m, next));
    }
  };
  const out = () => {
    const at = z ? findZoom(m, z) : -1;
    if (at >= 0 && at !== rootOf(m)) zoom(m.parent[at] as number);
    else if (stage.current?.zoomed()) stage.current.goTo(0, 1);
  };
  useCommands("Flame graph", [
    { id: "flame.up", title: "To the caller", keys: ["ArrowUp"], plain: true, run: move("parent") },
    { id: "flame.down", title: "To the widest callee", keys: ["ArrowDown"], plain: true, run: move("child") },
    { id: "flame.left", title: "To the frame at the left", keys: ["ArrowLeft"], plain: true, run: move("left") },
    { id: "flame.right", title: "To the frame at the right", keys: ["ArrowRight"], plain: true, run: move("right") },
    { id: "flame.zoom", title: "Zoom to the selected frame", keys: ["z", "Enter"], bar: "zoom", when: () => selected >= 0, run: () => zoom(selected) },
    { id: "flame.out", title: "Zoom out", keys: ["Escape"], when: () => z !== "" || !!stage.current?.zoomed(), run: out },
    { id: "flame.whole", title: "Whole graph", keys: ["Home"], run: () => (zoom(rootOf(m)), stage.current?.goTo(0, 1)) },
    { id: "flame.in", title: "Zoom in", keys: ["+", "="], plain: true, run: () => stage.current?.scale(0.7) },
    { id: "flame.less", title: "Zoom out a little", keys: ["-"], plain: true, run: () => stage.current?.scale(1.4) },
    { id: "flame.invert", title: "Invert: bottom-up or top-down", keys: ["i"], bar: "invert", run: () => navigate({ keys: { dir: m.meta.dir === "up" ? undefined : "up", z: undefined } }) },
    { id: "flame.around", title: "Around the selected function", keys: ["a"], when: () => selected >= 0 && m.frame[selected] !== everything, run: () => navigate({ keys: { dir: "around", z: undefined } }) },
    { id: "flame.share", title: "Absolute or share", keys: ["s"], run: () => setKey("mode", m && get0("mode") === "share" ? undefined : "share") },
    { id: "flame.change", title: "Current or change", keys: ["v"], when: () => baseShot.value !== "", run: () => setKey("color", get0("color") === "origin" ? undefined : "origin") },
  ]);
}

/** get0 reads a key of the address as it is. */
function get0(key: string): string {
  return now.peek().keys[key] ?? "";
}

export const flame: View<Columns<FlameMeta>> = {
  id: "flame",
  key: "2",
  title: "Flame",
  group: "where",
  params: { dir: "down", mode: "absolute", color: "", z: "" },
  copied: [{ dir: "up" }, { dir: "around" }],
  load: (s) => {
    const around = get(s, "dir") === "around";
    if (around && selection(s)?.sort !== "f") return dataURL(s, "flame");
    const keys = around ? ["dir", "sel"] : ["dir"];
    const whole = dataURL(s, "flame", keys);
    // Where the server left small paths out, it is asked again for what the zoom shows.
    const more = !saved && get(s, "z") !== "" && known<Columns<FlameMeta>>(whole)?.meta.dropped?.nodes;
    return more ? dataURL(s, "flame", [...keys, "z"]) : whole;
  },
  View: FlameView,
  skeleton: "flame",
};
