// The table of all entries, with the callers and callees of the selected one
// (the sandwich) at its side. URL keys of its own: sort ("-cum": the largest
// cum first), filter (what was typed).

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useLoad } from "../api.ts";
import type { Columns, NumberColumn } from "../columns.ts";
import { useCommands } from "../commands.ts";
import { columnScale, inScale, integer, plural, quantity, sentence, share, type Scale } from "../format.ts";
import { Bar, Button, Delta, Empty, Name, Origin, Seg, Spark, Table, toneOf, type Column } from "../parts/index.ts";
import { found, useStatus } from "../shell.ts";
import { dataURL, get, navigate, selection, setKey, state as now, type State } from "../state.ts";
import type { FunctionInfo, Head } from "../types.ts";
import { categories } from "../types.ts";
import { totalWords } from "../session.ts";
import { Neighbours } from "../frame/Inspector.tsx";
import { matcher } from "../parts/rows.ts";
import type { View, ViewProps } from "./index.ts";

interface TableMeta extends Head {
  rows: number;
  /** The profiles the column trend is of: row by row, as many values each. */
  shots?: string[];
}

/** How many profiles a trend in the table shows. */
const points = 24;

interface Rows {
  n: number;
  names: string[];
  entries: string[];
  category: NumberColumn;
  flat: NumberColumn;
  cum: NumberColumn;
  flatBase: NumberColumn | null;
  cumBase: NumberColumn | null;
  trend: NumberColumn | null;
}

function readRows(c: Columns<TableMeta>): Rows {
  const strings = c.strings("string");
  return {
    n: c.number("flat").length,
    names: c.strings("frame_name"),
    entries: Array.from(c.number("frame_entry"), (i) => strings[i] ?? ""),
    category: c.number("frame_category"),
    flat: c.number("flat"),
    cum: c.number("cum"),
    flatBase: c.maybe("base_flat"),
    cumBase: c.maybe("base_cum"),
    trend: c.maybe("trend"),
  };
}

function TableView({ data, state }: ViewProps<Columns<TableMeta>>) {
  const rows = useMemo(() => readRows(data), [data]);
  const meta = data.meta;
  const filter = get(state, "filter");
  const [shown, setShown] = useState(rows.n);
  const sel = selection(state);
  const selected = useMemo(() => (sel?.sort === "f" ? rows.entries.indexOf(sel.name) : -1), [rows, sel?.name]);
  const columns = useMemo(() => columnsOf(rows, meta), [rows]);
  const sort = state.keys["sort"] ?? (rows.flatBase ? "-change" : "-flat");
  const select = (row: number) => {
    const entry = rows.entries[row];
    if (entry) setKey("sel", `f:${entry}`, { replace: true });
  };
  const hits = useSearch(rows, meta, state, selected, select);
  useCommands([{ id: "table.filter", title: "Filter the table", keys: ["\\"], group: "Table", run: () => document.querySelector<HTMLInputElement>("#tablefilter")?.focus() }]);
  useStatus([
    totalWords(meta),
    plural(rows.n, entryWord(meta.granularity)),
    shown < rows.n && `${integer(rows.n - shown)} of ${integer(rows.n)} hidden by the filter`,
    meta.dropped && meta.dropped.nodes > 0 && `${plural(meta.dropped.nodes, "entry", "entries")} not sent (${share(meta.dropped.weight, meta.shown || 1)})`,
    ...meta.warnings,
  ]);
  if (rows.n === 0) return <Empty title="No samples are left" actions={<Button onClick={() => navigate({ x: [] })}>Remove all filters</Button>}>{state.x.length ? "The filters leave nothing to list." : "This profile has no samples of this value."}</Empty>;
  return (
    <>
      <div class="toolbar">
        <div class="group">
          <input id="tablefilter" class="field filter" type="search" placeholder="Filter, or /regexp/" aria-label="Filter the table" spellcheck={false} value={filter} aria-invalid={matcher(filter) === null} onInput={(e) => setKey("filter", e.currentTarget.value, { replace: true })} />
          <Granularity state={state} granularity={meta.granularity} />
        </div>
        <span class="label" role="status">
          {shown < rows.n ? `${integer(shown)} of ${integer(rows.n)}` : plural(rows.n, entryWord(meta.granularity))}
        </span>
      </div>
      <section class="card flush tablebox" aria-label="Table">
          <Table label="Functions with their values" rows={rows.n} columns={columns} sort={sort} onSort={(s) => setKey("sort", s, { replace: true })} texts={rows.names} filter={filter} selected={selected} onSelect={select} onOpen={(row) => (select(row), navigate({ view: "flame", keys: { z: undefined } }))} onCount={setShown} marked={hits} empty={<>Nothing matches “{filter}”.</>} />
      </section>
      <Sandwich name={sel?.sort === "f" ? sel.name : ""} />
    </>
  );
}

function entryWord(granularity: string): string {
  return { files: "file", lines: "line", addresses: "address", packages: "package" }[granularity] ?? "function";
}

function columnsOf(r: Rows, meta: TableMeta): Column[] {
  const s = columnScale([maxOf(r.cum), r.cumBase ? maxOf(r.cumBase) : 0], meta.unit);
  const top = maxOf(r.flat);
  const amount = (id: string, title: string, help: string, col: NumberColumn, bar: boolean): Column => ({
    id,
    title: title + unitOf(s),
    help,
    right: true,
    down: true,
    width: bar ? "minmax(104px, 180px)" : "78px",
    sort: col,
    cell: (i) => {
      const v = col[i] as number;
      return bar ? (
        <span class="barcell">
          <Bar v={v} max={top} tone={categories[r.category[i] as number]} />
          <span class="num">{v === 0 ? <span class="muted">0</span> : inScale(v, s)}</span>
        </span>
      ) : (
        <span class={v === 0 ? "num muted" : "num"}>{v === 0 ? "0" : inScale(v, s)}</span>
      );
    },
  });
  const part = (id: string, col: NumberColumn, help: string): Column => ({ id, title: "%", help, right: true, width: "66px", cell: (i) => <span class="num muted">{share(col[i] as number, meta.total)}</span> });
  const list: Column[] = [
    {
      id: "name",
      title: entryWord(meta.granularity)[0]!.toUpperCase() + entryWord(meta.granularity).slice(1),
      width: "minmax(210px, 1fr)",
      sort: r.names,
      cell: (i) => (
        <span class="namecell" title={r.names[i]}>
          <Origin category={r.category[i] as number} />
          <Name name={r.names[i] as string} />
        </span>
      ),
    },
    amount("flat", "Flat", "Used in the function's own lines", r.flat, true),
    part("flatp", r.flat, "Flat as a part of all"),
    amount("cum", "Cum", "Used in it and in everything it called", r.cum, false),
    part("cump", r.cum, "Cum as a part of all"),
  ];
  if (r.flatBase && r.cumBase) {
    list.push(change("change", "Δ flat", "Change of flat since the base", r.flat, r.flatBase, s), change("cumchange", "Δ cum", "Change of cum since the base", r.cum, r.cumBase, s));
  }
  const n = meta.shots?.length ?? 0;
  const t = r.trend;
  if (t && n > 1) {
    list.push({
      id: "trend",
      title: "Trend",
      help: `Flat in each of ${n} profiles, in order of time`,
      width: "76px",
      cell: (i) => {
        const v = t.subarray(i * n, (i + 1) * n);
        return <Spark values={v} tone={toneOf(v[0] as number, v[n - 1] as number)} />;
      },
    });
  }
  return list;
}

function change(id: string, title: string, help: string, now: NumberColumn, base: NumberColumn, s: Scale): Column {
  const d = Float64Array.from({ length: now.length }, (_, i) => (now[i] as number) - (base[i] as number));
  return {
    id,
    title: title + unitOf(s),
    help,
    right: true,
    down: true,
    width: "100px",
    sort: d,
    cell: (i) => <Delta base={base[i] as number} current={now[i] as number} scale={{ ...s, label: "" }} times />,
  };
}

function unitOf(s: Scale): string {
  return s.label ? `, ${s.label.trim()}` : "";
}

function maxOf(col: NumberColumn): number {
  let max = 0;
  for (let i = 0; i < col.length; i++) max = Math.max(max, Math.abs(col[i] as number));
  return max;
}

function Granularity({ state, granularity }: { state: State; granularity: string }) {
  const set = (g: string) => {
    const x = state.x.filter((t) => t.op !== "gran");
    navigate({ x: g === "functions" ? x : [...x, { op: "gran", arg: g }], keys: { sel: undefined } });
  };
  return (
    <Seg
      label="What a row stands for"
      value={granularity === "filefunctions" ? "functions" : granularity}
      options={[
        { id: "functions", title: "Functions" },
        { id: "files", title: "Files" },
        { id: "lines", title: "Lines" },
        { id: "packages", title: "Packages" },
      ]}
      onChange={set}
    />
  );
}

/** useSearch goes through the rows whose names match, without hiding the others. */
function useSearch(r: Rows, meta: TableMeta, state: State, selected: number, select: (row: number) => void): ReadonlySet<number> | undefined {
  const q = state.keys["q"] ?? "";
  const rows = useMemo(() => {
    const test = q.trim() ? matcher(q) : null;
    if (!test) return null;
    const list: number[] = [];
    for (let i = 0; i < r.n; i++) if (test(r.names[i] as string)) list.push(i);
    return list.sort((a, b) => (r.cum[b] as number) - (r.cum[a] as number) || a - b);
  }, [r, q]);
  const live = useRef({ selected, select });
  live.current = { selected, select };
  useEffect(() => {
    if (!rows) {
      found.value = null;
      return;
    }
    let flat = 0;
    for (const i of rows) flat += r.flat[i] as number;
    const go = (by: number) => {
      if (!rows.length) return;
      const at = rows.indexOf(live.current.selected);
      live.current.select(rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : (at + by + rows.length) % rows.length] as number);
    };
    found.value = { text: rows.length ? `${integer(rows.length)} · ${share(flat, meta.total)} flat` : "none", none: rows.length === 0, next: () => go(1), previous: () => go(-1) };
    return () => void (found.value = null);
  }, [rows]);
  return useMemo(() => (rows ? new Set(rows) : undefined), [rows]);
}

function Sandwich({ name }: { name: string }) {
  const load = useLoad<FunctionInfo>(name ? dataURL(now.value, "function", ["sel"]) : null);
  const f = load.data;
  if (!name || !f)
    return (
      <section class="card sandwich nothing" aria-label="Callers and callees">
        <p class="label">{load.error ? `${sentence(load.error.message)} ${load.error.hint}` : "Select a row to see its callers and callees."}</p>
      </section>
    );
  return (
    <section class={load.loading ? "card sandwich loading" : "card sandwich"} aria-label="Callers and callees">
      <div class="list" tabIndex={0} role="group" aria-label="Callers">
        <h2 class="label">Callers</h2>
        <Neighbours list={f.callers} more={f.moreCallers} of={f.cum} unit={f.unit} none="Nothing calls it: it is a root." />
      </div>
      <div class="middle">
        <Name name={f.name} />
        <span class="num">{quantity(f.cum, f.unit)}</span>
        <span class="label num">{share(f.cum, f.total)} of all</span>
      </div>
      <div class="list" tabIndex={0} role="group" aria-label="Callees">
        <h2 class="label">Callees</h2>
        <Neighbours list={f.callees} more={f.moreCallees} of={f.cum} unit={f.unit} none="It calls nothing that was sampled." />
      </div>
    </section>
  );
}

export const table: View<Columns<TableMeta>> = {
  id: "table",
  key: "4",
  title: "Table",
  group: "where",
  params: { sort: "", filter: "" },
  load: (s, on) => {
    const kind = s.keys["kind"] || on.kind;
    const several = on.shots.filter((x) => x.kind === kind).length > 1;
    const url = dataURL(s, "table");
    return several ? `${url}${url.includes("?") ? "&" : "?"}trend=${points}` : url;
  },
  View: TableView,
  skeleton: "rows",
};
