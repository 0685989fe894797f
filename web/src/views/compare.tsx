// Compare: two profiles, or ranges of them, with a sentence on top and every
// function's change with the error of sampling. URL keys of its own: per (raw,
// second), as (share), show (changed, all, new, gone, up, down), sort, filter.

import { useMemo } from "preact/hooks";
import type { Columns, NumberColumn } from "../columns.ts";
import { useCommands } from "../commands.ts";
import { columnScale, inScale, integer, plural, ratio, sentence, share, shortName, type Scale } from "../format.ts";
import { shotTitle } from "../frame/TopBar.tsx";
import { Bar, Button, Card, changeClass, Delta, Empty, FilterField, Menu, Name, NameCell, Note, Seg, Table, type Choice, type Column, type Option } from "../parts/index.ts";
import { given, shots as shotsNow, totalWords } from "../session.ts";
import { useStatus } from "../shell.ts";
import { dataURL, get, inPlace, navigate, selectFunction, selection, setKey, type State } from "../state.ts";
import type { Head } from "../types.ts";
import type { View, ViewProps } from "./index.ts";

interface Meta extends Head {
  rows: number;
  sentence: string;
  explain: string;
  names: string[];
  per: "raw" | "second";
  seconds: [number, number];
  counts: { new: number; gone: number; up: number; down: number; same: number };
  differs: string[];
  noise: boolean;
}

interface Rows {
  names: string[];
  entries: string[];
  category: number[];
  now: Float64Array;
  was: Float64Array;
  noise: Float64Array;
}

type Show = "changed" | "all" | "new" | "gone" | "up" | "down";

/** sortOf puts a row where the counts of the server have it. */
function sortOf(now: number, was: number, noise: number): Show | "same" | "none" {
  if (now === 0 && was === 0) return "none";
  if (now === was || (noise >= 0 && Math.abs(now - was) <= noise)) return "same";
  if (was === 0) return "new";
  if (now === 0) return "gone";
  return now > was ? "up" : "down";
}

/** rowsOf are the rows that are asked for, by rate or raw. */
function rowsOf(c: Columns<Meta>, show: Show): Rows {
  const [w, wb] = c.meta.per === "second" ? [1 / c.meta.seconds[0], 1 / c.meta.seconds[1]] : [1, 1];
  const flat = c.number("flat");
  const before = c.number("base_flat");
  const noise = c.number("noise");
  const keep: number[] = [];
  for (let i = 0; i < flat.length; i++) {
    const sort = sortOf((flat[i] as number) * w, (before[i] as number) * wb, noise[i] as number);
    if (show === "all" ? sort !== "none" : show === "changed" ? sort !== "same" && sort !== "none" : sort === show) keep.push(i);
  }
  const strings = c.strings("string");
  const names = c.strings("frame_name");
  const entry = c.number("frame_entry");
  const category = c.number("frame_category");
  const pick = (col: NumberColumn, by: number) => Float64Array.from(keep, (i) => (col[i] as number) * by);
  return { names: keep.map((i) => names[i] ?? ""), entries: keep.map((i) => strings[entry[i] as number] ?? ""), category: keep.map((i) => category[i] as number), now: pick(flat, w), was: pick(before, wb), noise: pick(noise, 1) };
}

function CompareView({ data, state }: ViewProps<Columns<Meta>>) {
  const meta = data.meta;
  const show = (get(state, "show") || "changed") as Show;
  const shares = get(state, "as") === "share";
  const rows = useMemo(() => rowsOf(data, show), [data, show]);
  const columns = useMemo(() => columnsOf(rows, meta, shares), [rows, shares]);
  const filter = get(state, "filter");
  const sel = selection(state);
  const n = meta.counts;
  useStatus([totalWords(meta), n.same > 0 && `${plural(n.same, "function")} the same${meta.noise ? " within the noise" : ""}${show === "all" ? "" : ", hidden"}`, ...meta.warnings]);
  const swap = () => navigate({ keys: { base: spanText(meta.cur, shotsNow.value.length), cur: spanText(meta.base, shotsNow.value.length) } });
  useCommands("Compare", [{ id: "compare.flame", title: "Show the change in the flame graph", keys: ["p"], bar: "flame graph", run: () => flame(meta) }]);
  useCommands("Data", [{ id: "swap", title: "Swap base and current", keys: ["x"], run: swap }]);
  const count = (id: Show, title: string, many: number): Option<Show> => [id, `${title} ${integer(many)}`];
  const [possible, raw] = [meta.seconds.every((s) => s > 0), meta.per === "raw"];
  return (
    <>
      <Card cls="hero" label="What changed">
        <div>
          <h2 class="finding">
            {meta.sentence}
            {meta.explain && `; ${meta.explain}`}
          </h2>
          {meta.names.length > 0 && (
            <p class="named">
              {meta.names.map((name) => (
                <button key={name} class="chip" title={name} onClick={() => selectFunction(name)}>
                  <Name name={shortName(name)} />
                </button>
              ))}
            </p>
          )}
          {meta.differs.length > 0 && <Note>Also differs: {meta.differs.join(", ")}.</Note>}
          <Pick meta={meta} swap={swap} />
        </div>
      </Card>
      <div class="toolbar">
        <div class="group">
          <Seg label="Rows" value={show} options={[count("changed", "changed", n.new + n.gone + n.up + n.down), count("new", "● new", n.new), count("gone", "○ gone", n.gone), count("up", "▲ up", n.up), count("down", "▼ down", n.down), count("all", "all", n.new + n.gone + n.up + n.down + n.same)]} onChange={(v) => setKey("show", v === "changed" ? undefined : v, inPlace)} />
          <FilterField label="Filter the functions" value={filter} />
        </div>
        <div class="group">
          <Seg label="Values" value={meta.per} options={[["raw", "Raw"], ["second", "Per second", possible ? undefined : "The profiles do not say how long they took", !possible]]} onChange={(v) => setKey("per", v)} />
          <Seg label="Amounts or shares" value={shares ? "share" : "absolute"} options={[["absolute", "Absolute"], ["share", "Share"]]} onChange={(v) => setKey("as", v === "share" ? v : undefined, inPlace)} />
        </div>
      </div>
      <Card cls="flush tablebox" label="Functions">
        <Table label="Functions with their change" rows={rows.names.length} columns={columns} sort={get(state, "sort") || "-size"} onSort={(s) => setKey("sort", s, inPlace)} texts={rows.names} filter={filter} selected={sel?.sort === "f" ? rows.entries.indexOf(sel.name) : -1} onSelect={(i) => selectFunction(rows.entries[i] as string)} onOpen={(i) => (selectFunction(rows.entries[i] as string), flame(meta))} empty={show === "changed" ? `No function changed${meta.noise ? " by more than the noise of sampling" : ""}: ${raw ? "" : "per second, "}${meta.sentence}.` : "There is none."} />
      </Card>
    </>
  );
}

/** spanText is ids as the address has them: "p3", "p2..p5". */
function spanText(ids: readonly string[] | undefined, all: number): string {
  if (!ids?.length) return "";
  return ids.length === all && all > 1 && ids[0]?.startsWith("p") ? "all" : ids.length === 1 ? (ids[0] as string) : `${ids[0]}..${ids.at(-1)}`;
}

function flame(meta: Meta): void {
  const all = shotsNow.value.length;
  navigate({ view: "flame", keys: { base: spanText(meta.base, all), cur: spanText(meta.cur, all), z: undefined } });
}

/** Pick chooses what is compared: single profiles, halves, all. */
function Pick({ meta, swap }: { meta: Meta; swap: () => void }) {
  const list = shotsNow.value;
  const [was, now] = [spanText(meta.base, list.length), spanText(meta.cur, list.length)];
  const half = list.length >> 1;
  const ranges = list.length >= 4 ? [`${list[0]?.id}..${list[half - 1]?.id}`, `${list[half]?.id}..${list.at(-1)?.id}`] : [];
  const ids = [...new Set([...given.value.map((s) => s.id), ...ranges, ...(list.length > 1 ? ["all"] : []), was, now])];
  const choices: Choice[] = ids.map((id) => ({ id, title: shotTitle(id, id === "all" ? list : given.value), more: ranges.includes(id) ? (id === ranges[0] ? "first half" : "second half") : id }));
  return (
    <div class="group picks">
      <Menu label="Base" word="base" value={was} choices={choices} onChange={(id) => setKey("base", id)} />
      <span aria-hidden>→</span>
      <Menu label="Current" word="current" value={now} choices={choices} onChange={(id) => navigate({ keys: { cur: id, base: was } })} />
      <Button onClick={swap} keys="x">
        Swap
      </Button>
      <Button onClick={() => flame(meta)} keys="p">
        In the flame graph
      </Button>
    </div>
  );
}

function columnsOf(r: Rows, meta: Meta, shares: boolean): Column[] {
  const per = meta.per === "second" ? "/s" : "";
  const totals: [number, number] = [meta.shown * (per ? 1 / meta.seconds[0] : 1) || 1, (meta.baseShown ?? 0) * (per ? 1 / meta.seconds[1] : 1) || 1];
  const now = shares ? r.now.map((v) => v / totals[0]) : r.now;
  const was = shares ? r.was.map((v) => v / totals[1]) : r.was;
  const change = now.map((v, i) => v - (was[i] as number));
  const s: Scale = columnScale([...maxes(now), ...maxes(was)], meta.unit);
  const amount = (v: number) => (shares ? share(v, 1) : v === 0 ? "0" : inScale(v, s));
  const title = (t: string) => (shares ? t : `${t}${s.label || per ? `, ${s.label.trim()}${per}` : ""}`);
  const most = Math.max(0, ...maxes(change));
  const percent = Float64Array.from(now, (v, i) => (was[i] ? v / (was[i] as number) - 1 : v > 0 ? Infinity : 0));
  const number = (id: string, name: string, col: Float64Array): Column => ({ id, title: title(name), right: true, width: "84px", sort: col, cell: (i) => <span class={col[i] === 0 ? "num muted" : "num"}>{amount(col[i] as number)}</span> });
  const noise = (i: number) => r.noise[i] as number;
  return [
    {
      id: "name",
      title: "Function",
      width: "minmax(130px, 1fr)",
      sort: r.names,
      cell: (i) => <NameCell name={r.names[i] as string} category={r.category[i] as number} />,
    },
    number("was", "Base", was),
    number("now", "Current", now),
    {
      id: "size",
      title: title("Change") + (meta.noise && !shares ? " ± noise" : ""),
      help: "Change of the flat value; ± is half the 95% interval that sampling leaves, as if the two were sampled apart. Sorted by size, either way",
      right: true,
      width: "minmax(156px, 0.5fr)",
      sort: change.map(Math.abs),
      cell: (i) => (
        <span class="barcell">
          <Bar v={change[i] as number} max={most} tone={(change[i] as number) < 0 ? "shrink" : "grow"} />
          <span class="num">
            {shares ? <Points v={change[i] as number} /> : <Delta base={was[i] as number} current={now[i] as number} scale={{ ...s, label: "" }} />}
            {!shares && noise(i) > 0 && <span class="muted"> ± {inScale(noise(i), s)}</span>}
          </span>
        </span>
      ),
    },
    {
      id: "percent",
      title: "Δ%",
      help: "Change as a part of the base",
      right: true,
      width: "72px",
      spare: 1,
      sort: percent,
      cell: (i) => <span class="num">{ratio(was[i] as number, now[i] as number) || percentText(percent[i] as number)}</span>,
    },
  ];
}

/** Points is a change of a share, in points of percent. */
function Points({ v }: { v: number }) {
  return (
    <span class={changeClass(v)}>
      {v > 0 ? "▲" : v < 0 ? "▼" : "±"} {Math.abs(v * 100).toFixed(2)} pt
    </span>
  );
}

function percentText(p: number): string {
  if (!Number.isFinite(p)) return "new";
  const a = Math.abs(p * 100);
  return `${p > 0 ? "+" : p < 0 ? "−" : ""}${a > 0 && a < 0.1 ? "<0.1" : a.toFixed(a < 10 ? 1 : 0)}%`;
}

function maxes(col: Float64Array): number[] {
  let max = 0;
  for (const v of col) max = Math.max(max, Math.abs(v));
  return [max];
}

export const compare: View<Columns<Meta>> = {
  id: "compare",
  key: "7",
  title: "Compare",
  group: "when",
  params: { per: "", as: "", show: "", sort: "", filter: "" },
  copied: [{ per: "second" }, { per: "raw" }],
  load: (s, on) => {
    const kind = s.keys["kind"] || on.kind;
    const some = on.shots.filter((x) => x.kind === kind).length > 1;
    return some ? dataURL(s, "compare", ["per"]) : null;
  },
  View: (p: ViewProps<Columns<Meta>>) => (p.data ? <CompareView {...p} /> : <Alone state={p.state} />),
  skeleton: "rows",
};

/** Alone is what stands here when there is nothing to compare with. */
function Alone({ state }: { state: State }) {
  return (
    <Empty title="There is one profile of this kind" command="profound web OLD.pb.gz NEW.pb.gz">
      {sentence(`Open two or more to compare them${state.keys["kind"] ? ", or choose another kind above" : ""}`)}
    </Empty>
  );
}
