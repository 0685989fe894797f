// Timeline: everything that has a time, one chart a unit, over one axis. A
// range is marked by dragging or with the arrows, and becomes base or current.
// URL keys of its own: tracks (ids), range ("p2..p5"), label, show.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { useCommands } from "../commands.ts";
import { clock, integer, plural, quantity, share, sentence } from "../format.ts";
import { Button, Card, Empty, Menu, Seg, Table, type Column } from "../parts/index.ts";
import { base as baseID, current as currentID, kind as kindNow } from "../session.ts";
import { paint, say, useStatus } from "../shell.ts";
import { dataURL, get, inPlace, navigate, setKey, type State } from "../state.ts";
import type { Shot } from "../types.ts";
import type { View, ViewProps } from "./index.ts";
import type { Maybe } from "./verdict.tsx";

interface Track {
  id: string;
  title: string;
  unit: string;
  perSecond?: boolean;
  series: { title: string; times: number[]; values: Maybe[] }[];
}

interface Timeline {
  kind: string;
  shots: Shot[];
  untimed: number;
  tracks: Track[];
  labels: string[];
}

const colours = ["--accent", "--grow", "--ok", "--c-keyword", "--warn", "--bad", "--t2"];
const firstTracks = 4;

const text = (v: Maybe | undefined, t: Track) => (v === null || v === undefined ? "–" : (t.unit === "share" ? share(v, 1) : t.unit === "count" && Number.isInteger(v) ? integer(v) : quantity(v, t.unit)) + (t.perSecond ? "/s" : ""));

/** spanOf reads "p2..p5" as two places in the list of profiles, null when it names none. */
function spanOf(id: string, shots: readonly Shot[]): [number, number] | null {
  if (id === "all") return shots.length ? [0, shots.length - 1] : null;
  const [a = "", b = a] = id.split("..");
  const from = shots.findIndex((s) => s.id === a);
  const to = shots.findIndex((s) => s.id === b);
  return from < 0 || to < 0 ? null : [Math.min(from, to), Math.max(from, to)];
}

const spanID = (a: number, b: number, shots: readonly Shot[]) => (a === b ? (shots[a]?.id ?? "") : `${shots[Math.min(a, b)]?.id}..${shots[Math.max(a, b)]?.id}`);

function TimelineView({ data, state }: ViewProps<Timeline>) {
  const shots = useMemo(() => data.shots.filter((s) => s.time > 0), [data]);
  const wanted = get(state, "tracks").split(",").filter(Boolean);
  const on = data.tracks.filter((t, i) => (wanted.length ? wanted.includes(t.id) : i < firstTracks));
  const [at, setAt] = useState<number | null>(null);
  useStatus([plural(shots.length, "profile"), data.untimed > 0 && `${plural(data.untimed, "profile")} without a time not shown`, `${on.length} of ${plural(data.tracks.length, "track")} shown`]);
  if (!data.tracks.length)
    return (
      <Empty title="There is nothing over time" command="profound leak -save DIR HOST:PORT">
        A timeline needs at least two profiles that say when they were taken. Watch a program for a while, then open the folder: profound web DIR.
      </Empty>
    );
  const toggle = (id: string) => {
    const ids = on.map((t) => t.id);
    const next = ids.includes(id) ? ids.filter((x) => x !== id) : data.tracks.map((t) => t.id).filter((x) => ids.includes(x) || x === id);
    if (next.length) setKey("tracks", next.join(","), inPlace);
  };
  const table = get(state, "show") === "table";
  return (
    <>
      <div class="toolbar">
        <div class="group tracks" role="group" aria-label="Tracks">
          {data.tracks.map((t) => (
            <button key={t.id} class="chip" aria-pressed={on.includes(t)} onClick={() => toggle(t.id)}>
              <bdi>{t.title}</bdi>
            </button>
          ))}
        </div>
        <div class="group">
          {data.labels.length > 0 && <Menu label="Label" word="label" value={get(state, "label") || ""} choices={[{ id: "", title: "none" }, ...data.labels.map((l) => ({ id: l, title: l }))]} onChange={(l) => setKey("label", l || undefined)} />}
          <Seg label="Show as" value={table ? "table" : "chart"} options={[["chart", "Chart"], ["table", "Table"]]} onChange={(v) => setKey("show", v === "table" ? v : undefined, inPlace)} />
        </div>
      </div>
      <Range state={state} shots={shots} kind={data.kind} />
      {table ? <Points tracks={on} /> : <Charts tracks={on} shots={shots} state={state} at={at} setAt={setAt} />}
    </>
  );
}

/** cumulative kinds add up over a range; of the others a profile is one moment. */
const addsUp = (kind: string) => !["heap", "allocs", "goroutine", "goroutineleak", "threadcreate", "mutex", "block"].includes(kind);

/** Range says what is marked and makes it base and current; the keys move the mark. */
function Range({ state, shots, kind }: { state: State; shots: readonly Shot[]; kind: string }) {
  const times = shots.map((s) => s.time);
  const mark = spanOf(get(state, "range"), shots);
  const k = kindNow.value;
  const set = (a: number, b: number) => {
    const keep = (i: number) => Math.max(0, Math.min(shots.length - 1, i));
    setKey("range", spanID(keep(a), keep(b), shots), inPlace);
    const from = shots[keep(Math.min(a, b))];
    const to = shots[keep(Math.max(a, b))];
    if (from && to) say(from === to ? `${from.id}, ${clock(from.time, times)}` : `${from.id} to ${to.id}, ${clock(from.time, times)} to ${clock(to.time, times)}`);
  };
  // The end that Shift+arrow moves is the one at the right.
  const move = (by: number, extend: boolean) => {
    const [a, b] = mark ?? [shots.length - 1 - by, shots.length - 1 - by];
    if (extend) set(a, Math.max(a, b + by));
    else set(b + by, b + by);
  };
  const whole = addsUp(kind);
  const one = (i: number) => clock(shots[i]?.time ?? 0, times);
  const name = (a: number, b: number) => (a === b ? one(a) : `${one(a)} – ${one(b)}`);
  const asBase = () => mark && navigate({ keys: { base: whole ? spanID(...mark, shots) : shots[mark[0]]?.id } });
  const asCurrent = () => mark && navigate({ keys: { cur: whole ? spanID(...mark, shots) : shots[mark[1]]?.id } });
  const long = !!mark && mark[0] !== mark[1];
  const ends = () => mark && long && navigate({ view: "compare", keys: { base: shots[mark[0]]?.id, cur: shots[mark[1]]?.id === k?.cur ? undefined : shots[mark[1]]?.id } });
  useCommands("Timeline", [
    { id: "time.left", title: "Mark the profile before", keys: ["ArrowLeft"], plain: true, run: () => move(-1, false) },
    { id: "time.right", title: "Mark the next profile", keys: ["ArrowRight"], plain: true, run: () => move(1, false) },
    { id: "time.less", title: "Make the mark shorter", keys: ["Shift+ArrowLeft"], plain: true, run: () => move(-1, true) },
    { id: "time.more", title: "Make the mark longer", keys: ["Shift+ArrowRight"], plain: true, bar: "longer", run: () => move(1, true) },
    { id: "time.home", title: "Mark the first profile", keys: ["Home"], plain: true, run: () => set(0, 0) },
    { id: "time.end", title: "Mark the last profile", keys: ["End"], plain: true, run: () => set(shots.length - 1, shots.length - 1) },
    { id: "time.base", title: "Use the mark as base", keys: ["a"], bar: "base", when: () => !!mark, run: asBase },
    { id: "time.current", title: "Use the mark as current", keys: ["b"], bar: "current", when: () => !!mark, run: asCurrent },
    { id: "time.compare", title: "Compare the ends of the mark", keys: ["Enter"], bar: "compare", when: () => long, run: ends },
  ]);
  if (!shots.length) return null;
  return (
    <div class="toolbar card rangebar" role="group" aria-label="Marked profiles">
      {mark ? (
        <>
          <span>
            <b class="num">{name(...mark)}</b> <span class="label">{plural(mark[1] - mark[0] + 1, "profile")}{whole && long ? ", added up" : ""}</span>
          </span>
          <span class="group">
            <Button onClick={asBase} keys="a">
              Base A {!whole && long ? one(mark[0]) : ""}
            </Button>
            <Button onClick={asCurrent} keys="b">
              Current B {!whole && long ? one(mark[1]) : ""}
            </Button>
            {long && (
              <Button main onClick={ends} keys="Enter">
                Compare its ends
              </Button>
            )}
            <Button onClick={() => setKey("range", undefined, inPlace)}>Clear</Button>
          </span>
        </>
      ) : (
        <span class="label">Drag over a chart, or press ← → and Shift+→, to mark profiles; then make them base A and current B.</span>
      )}
    </div>
  );
}

function Charts({ tracks, shots, state, at, setAt }: { tracks: readonly Track[]; shots: readonly Shot[]; state: State; at: number | null; setAt: (t: number | null) => void }) {
  const all = tracks.flatMap((t) => t.series.flatMap((s) => s.times));
  const range: [number, number] = [Math.min(...all), Math.max(...all)];
  return (
    <div class="charts">
      {tracks.map((t) => (
        <Chart key={t.id} t={t} shots={shots} range={range} mark={spanOf(get(state, "range"), shots)} base={spanOf(baseID.value, shots)} current={spanOf(currentID.value, shots)} at={at} setAt={setAt} />
      ))}
    </div>
  );
}

interface ChartProps {
  t: Track;
  shots: readonly Shot[];
  range: [number, number];
  mark: [number, number] | null;
  base: [number, number] | null;
  current: [number, number] | null;
  at: number | null;
  setAt: (t: number | null) => void;
}

/** joined puts the series of a track on one axis of times, in seconds as uPlot has them. */
function joined(t: Track): uPlot.AlignedData {
  return uPlot.join(t.series.map((s) => [s.times.map((x) => x / 1000), s.values] as uPlot.AlignedData));
}

function Chart(p: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const live = useRef(p);
  live.current = p;
  const data = useMemo(() => joined(p.t), [p.t]);
  const colour = paint.value;
  useEffect(() => {
    const el = box.current;
    if (!el) return;
    const u = new uPlot(options(el, live, p.t), data, el);
    plot.current = u;
    const watch = new ResizeObserver(() => u.setSize({ width: el.clientWidth, height: height }));
    watch.observe(el);
    return () => {
      watch.disconnect();
      u.destroy();
      plot.current = null;
    };
  }, [p.t, data, colour, p.range[0], p.range[1]]);
  useEffect(() => plot.current?.redraw(false), [p.mark?.join(), p.base?.join(), p.current?.join()]);
  const xs = data[0];
  const near = p.at === null ? xs.length - 1 : nearest(xs, p.at);
  return (
    <Card cls="chart" label={p.t.title}>
      <header>
        <h2>
          <bdi>{p.t.title}</bdi>
        </h2>
        <div class="legend num">
          {p.t.series.map((s, i) => (
            <span key={s.title} class="origin">
              <i style={{ background: `var(${colours[i % colours.length]})` }} aria-hidden />
              <bdi>{s.title}</bdi> <b>{text(valueAt(data[i + 1] as Maybe[], near), p.t)}</b>
            </span>
          ))}
          <span class="muted">{clock(Math.round((xs[near] ?? 0) * 1000), p.shots.map((s) => s.time))}</span>
        </div>
      </header>
      <div ref={box} class="plot" aria-hidden />
    </Card>
  );
}

const height = 148;

/** Steps of an axis of bytes: powers of two. */
const powers = Array.from({ length: 50 }, (_, i) => 2 ** i);

/** valueAt is the value at a place, or the last one known before it. */
function valueAt(values: readonly Maybe[], i: number): Maybe {
  for (let j = i; j >= 0; j--) if (values[j] !== null && values[j] !== undefined) return values[j] as Maybe;
  return null;
}

function nearest(xs: ArrayLike<number>, t: number): number {
  let best = 0;
  for (let i = 1; i < xs.length; i++) if (Math.abs((xs[i] as number) - t) < Math.abs((xs[best] as number) - t)) best = i;
  return best;
}

function options(el: HTMLElement, live: { current: ChartProps }, t: Track): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const probe = document.createElement("i");
  el.append(probe);
  // Tokens are light-dark(): only the browser can say which colour that is now.
  const token = (name: string) => ((probe.style.color = `var(${name})`), getComputedStyle(probe).color);
  const lines = colours.map(token);
  const [label, grid, fill, a, b, ink] = ["--t3", "--line2", "--accent-bg", "--shrink", "--grow", "--bg1"].map(token) as [string, string, string, string, string, string];
  probe.remove();
  const font = `11px ${style.getPropertyValue("--sans") || "sans-serif"}`;
  const shotsIn = (from: number, to: number) => live.current.shots.flatMap((s, i) => (s.time / 1000 >= from && s.time / 1000 <= to ? [i] : []));
  return {
    width: el.clientWidth || 600,
    height,
    legend: { show: false },
    padding: [8, 12, 0, 0],
    cursor: { sync: { key: "timeline" }, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
    scales: { x: { range: () => live.current.range.map((x) => x / 1000) as [number, number] }, y: { range: (_, _min, max) => [0, max > 0 ? max * 1.08 : 1] } },
    axes: [
      { stroke: label, font, grid: { stroke: grid, width: 1 }, ticks: { show: false }, size: 26, values: (_, ticks) => ticks.map((x) => clock(x * 1000, live.current.range)) , space: 90 },
      { stroke: label, font, grid: { stroke: grid, width: 1 }, ticks: { show: false }, size: 78, values: (_, ticks) => ticks.map((x) => text(x, t)), space: 26, incrs: t.unit === "bytes" ? powers : undefined },
    ],
    series: [{}, ...t.series.map((s, i) => ({ label: s.title, stroke: lines[i % lines.length], width: 1.8, spanGaps: true, points: { show: s.times.length <= 60, size: 4 }, fill: t.series.length === 1 ? lines[0]?.replace("rgb(", "rgba(").replace(")", ", 0.12)") : undefined }))],
    hooks: {
      drawClear: [(u) => bands(u, live.current, { mark: fill, a, b, ink }, false)],
      draw: [(u) => bands(u, live.current, { mark: fill, a, b, ink }, true)],
      setCursor: [(u) => live.current.setAt(u.cursor.left !== undefined && u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") : null)],
      setSelect: [
        (u) => {
          if (u.select.width < 3) return;
          const list = shotsIn(u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          if (list.length) setKey("range", spanID(list[0] as number, list.at(-1) as number, live.current.shots), inPlace);
        },
      ],
    },
  };
}

/** bands draws the mark, and base and current: the ground below the lines, their letters above. */
function bands(u: uPlot, p: ChartProps, c: { mark: string; a: string; b: string; ink: string }, letters: boolean): void {
  const x = (i: number) => u.valToPos((p.shots[i]?.time ?? 0) / 1000, "x", true);
  const { ctx } = u;
  const { top, height: h } = u.bbox;
  const ratio = devicePixelRatio;
  const band = (of: [number, number] | null, colour: string, letter: string) => {
    if (!of) return;
    const left = x(of[0]);
    const width = Math.max(letter ? 2 * ratio : 3 * ratio, x(of[1]) - left);
    ctx.save();
    ctx.fillStyle = colour;
    ctx.globalAlpha = letter && of[0] !== of[1] ? 0.14 : letter ? 0.9 : 1;
    if (!letters) ctx.fillRect(left, top, width, h);
    ctx.globalAlpha = 1;
    if (letters && letter) {
      const text = 16 * ratio;
      const side = left + text > u.bbox.left + u.bbox.width ? left - text : left;
      ctx.fillRect(side, top, text, text);
      ctx.fillStyle = c.ink;
      ctx.font = `700 ${11 * ratio}px sans-serif`;
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      ctx.fillText(letter, side + text / 2, top + text / 2 + ratio);
    }
    ctx.restore();
  };
  band(p.mark, c.mark, "");
  band(p.base, c.a, "A");
  band(p.current, c.b, "B");
}

/** Points is the same as a table. */
function Points({ tracks }: { tracks: readonly Track[] }) {
  const [sort, setSort] = useState("time");
  const [row, setRow] = useState(-1);
  const series = useMemo(() => tracks.flatMap((t) => t.series.map((s) => ({ t, s, at: new Map(s.times.map((x, i) => [x, s.values[i] ?? null])) }))), [tracks]);
  const times = useMemo(() => [...new Set(series.flatMap((x) => x.s.times))].sort((a, b) => a - b), [series]);
  const columns: Column[] = [
    { id: "time", title: "Time", width: "120px", sort: times, cell: (i) => <span class="num">{clock(times[i] as number, times)}</span> },
    ...series.map(({ t, s, at }, n): Column => {
      const alone = t.series.length === 1;
      return { id: `s${n}`, title: alone ? t.title : s.title, help: sentence(`${t.title}: ${s.title}`), right: true, width: "minmax(130px, 1fr)", sort: times.map((x) => at.get(x) ?? -Infinity), cell: (i) => <span class="num">{text(at.get(times[i] as number), t)}</span> };
    }),
  ];
  return (
    <Card cls="flush tablebox" label="Values over time">
      <Table label="Values over time" rows={times.length} columns={columns} sort={sort} onSort={setSort} selected={row} onSelect={setRow} />
    </Card>
  );
}

export const timeline: View<Timeline> = {
  id: "timeline",
  key: "6",
  title: "Timeline",
  group: "when",
  params: { tracks: "", range: "", label: "", show: "" },
  load: (s) => dataURL({ ...s, keys: { ...s.keys, cur: "", base: "" } }, "timeline", ["label", "sel"]),
  View: TimelineView,
  skeleton: "cards",
  wide: true,
};
