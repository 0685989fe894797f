// The table of all entries, with the callers and callees of the selected one
// (the sandwich) at its side. URL keys of its own: order ("-cum": the largest
// cum first), filter (what was typed).

import { useMemo, useState } from "preact/hooks";
import { explain, useLoad } from "../api.ts";
import type { Columns, NumberColumn } from "../columns.ts";
import { useCommands } from "../commands.ts";
import { columnScale, inScale, integer, plural, quantity, scaleTitle, share, type Scale } from "../format.ts";
import { Amount, Bar, Card, Delta, FilterField, Name, NameCell, NoSamples, Note, Seg, Spark, Table, toneOf, type Column } from "../parts/index.ts";
import { matching, useFound } from "../search.ts";
import { useStatus } from "../shell.ts";
import { dataURL, get, inPlace, navigate, selection, setKey, state as now, type State } from "../state.ts";
import type { FunctionInfo, Head, Neighbour } from "../types.ts";
import { categories } from "../types.ts";
import { totalWords } from "../session.ts";
import { Neighbours } from "../frame/Inspector.tsx";
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
  const [chosen, setChosen] = useState(-1); // of the rows with one entry, as lines of a function, which
  const selected = useMemo(() => (sel?.sort !== "f" ? -1 : rows.entries[chosen] === sel.name ? chosen : rows.entries.indexOf(sel.name)), [rows, sel?.name, chosen]);
  const columns = useMemo(() => columnsOf(rows, meta), [rows]);
  const sort = state.keys["order"] ?? (rows.flatBase ? "-change" : "-flat");
  const select = (row: number) => {
    const entry = rows.entries[row];
    if (!entry) return;
    setChosen(row);
    setKey("sel", `f:${entry}`, inPlace);
  };
  const hits = useSearch(rows, meta, state, selected, select);
  useCommands("Table", [{ id: "table.filter", title: "Filter the table", keys: ["\\"], run: () => document.querySelector<HTMLInputElement>("#tablefilter")?.focus() }]);
  useStatus([
    totalWords(meta),
    plural(rows.n, entryWord(meta.granularity)),
    shown < rows.n && `${integer(rows.n - shown)} of ${integer(rows.n)} hidden by the filter`,
    meta.dropped && meta.dropped.nodes > 0 && `${plural(meta.dropped.nodes, "entry", "entries")} not sent (${share(meta.dropped.weight, meta.shown || 1)})`,
    ...meta.warnings,
  ]);
  if (rows.n === 0) return <NoSamples state={state} to="list" />;
  return (
    <>
      <div class="toolbar">
        <div class="group">
          <FilterField id="tablefilter" label="Filter the table" value={filter} />
          <Granularity state={state} granularity={meta.granularity} />
        </div>
        <span class="label" role="status">
          {shown < rows.n ? `${integer(shown)} of ${integer(rows.n)}` : plural(rows.n, entryWord(meta.granularity))}
        </span>
      </div>
      <Card cls="flush tablebox" label="Table">
        <Table label="Functions with their values" rows={rows.n} columns={columns} sort={sort} onSort={(s) => setKey("order", s, inPlace)} texts={rows.names} filter={filter} selected={selected} onSelect={select} onOpen={(row) => (select(row), navigate({ view: "flame", keys: { z: undefined } }))} onCount={setShown} marked={hits} />
      </Card>
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
    title: title + scaleTitle(s),
    help,
    right: true,
    width: bar ? "minmax(104px, 180px)" : "78px",
    sort: col,
    cell: (i) => {
      const v = col[i] as number;
      const number = <Amount v={v}>{inScale(v, s)}</Amount>;
      return bar ? (
        <span class="barcell">
          <Bar v={v} max={top} tone={categories[r.category[i] as number]} />
          {number}
        </span>
      ) : (
        number
      );
    },
  });
  const part = (id: string, col: NumberColumn, help: string): Column => ({ id, title: "%", help, right: true, width: "66px", spare: 2, cell: (i) => <span class="num muted">{share(col[i] as number, meta.total)}</span> });
  const list: Column[] = [
    {
      id: "name",
      title: entryWord(meta.granularity)[0]!.toUpperCase() + entryWord(meta.granularity).slice(1),
      width: "minmax(210px, 1fr)",
      sort: r.names,
      cell: (i) => <NameCell name={r.names[i] as string} category={r.category[i] as number} />,
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
      spare: 1,
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
    title: title + scaleTitle(s),
    help,
    right: true,
    width: "100px",
    sort: d,
    cell: (i) => <Delta base={base[i] as number} current={now[i] as number} scale={{ ...s, label: "" }} times />,
  };
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
        ["functions", "Functions"],
        ["files", "Files"],
        ["lines", "Lines"],
        ["packages", "Packages"],
      ]}
      onChange={set}
    />
  );
}

/** useSearch goes through the rows whose names match, without hiding the others. */
function useSearch(r: Rows, meta: TableMeta, state: State, selected: number, select: (row: number) => void): ReadonlySet<number> | undefined {
  const q = state.keys["q"] ?? "";
  const rows = useMemo(() => matching(q, r.names)?.sort((a, b) => (r.cum[b] as number) - (r.cum[a] as number) || a - b) ?? null, [r, q]);
  const words = () => `${integer(rows!.length)} · ${share(rows!.reduce((sum, i) => sum + (r.flat[i] as number), 0), meta.total)} flat`;
  useFound(rows, { words, go: select, chosen: selected });
  return useMemo(() => (rows ? new Set(rows) : undefined), [rows]);
}

function Sandwich({ name }: { name: string }) {
  const load = useLoad<FunctionInfo>(name ? dataURL(now.value, "function", ["sel"]) : null);
  const f = load.data;
  if (!name || !f)
    return (
      <Card cls="sandwich nothing" label="Callers and callees">
        <Note>{load.error ? explain(load.error) : "Select a row to see its callers and callees."}</Note>
      </Card>
    );
  const side = (title: string, list: readonly Neighbour[], more: number | undefined, none: string) => (
    <div class="list" tabIndex={0} role="group" aria-label={title}>
      <h2 class="label">{title}</h2>
      <Neighbours list={list} more={more} of={f.cum} unit={f.unit} none={none} />
    </div>
  );
  return (
    <Card cls="sandwich" loading={load.loading} label="Callers and callees">
      {side("Callers", f.callers, f.moreCallers, "Nothing calls it: it is a root.")}
      <div class="middle">
        <Name name={f.name} />
        <span class="num">{quantity(f.cum, f.unit)}</span>
        <span class="label num">{share(f.cum, f.total)} of all</span>
      </div>
      {side("Callees", f.callees, f.moreCallees, "It calls nothing that was sampled.")}
    </Card>
  );
}

export const table: View<Columns<TableMeta>> = {
  id: "table",
  key: "4",
  title: "Table",
  group: "where",
  params: { order: "", filter: "" },
  load: (s, on) => {
    const kind = s.keys["kind"] || on.kind;
    const several = on.shots.filter((x) => x.kind === kind).length > 1;
    const url = dataURL(s, "table");
    return several ? `${url}${url.includes("?") ? "&" : "?"}trend=${points}` : url;
  },
  View: TableView,
  skeleton: "rows",
};
