// The one table of the view: the server says what its rows have. Rows that
// open are a tree, others can be sorted.

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ask } from "../api.ts";
import { modified, take } from "../events.ts";
import { bytes, columnScale, inScale, integer, plural, share, visible } from "../format.ts";
import { Bar, Card, Delta, Note, Origin, Table, type Column } from "../parts/index.ts";
import { get, inPlace, setKey, type State } from "../state.ts";
import type { Retention, Row } from "./shapes.ts";

/** A row as it stands in the table. */
interface Shown {
  row: Row;
  depth: number;
  key: string;
  open: boolean;
}

/** Rows is the table of an answer; base is the question, to which node=ROW asks for the rows below one. URL keys: open, row, sort. */
export function Rows({ data, base, state, onEnter }: { data: Retention; base: string; state: State; onEnter: (r: Row) => void }) {
  const t = data.table!;
  const { shown, toggle } = useTree(data.rows ?? [], base, get(state, "open"));
  const columns = useMemo(() => columnsOf(shown, data, t.sort ? null : toggle), [shown, data, toggle]);
  const at = shown.findIndex((s) => s.key === get(state, "row"));
  const select = (s: Shown | undefined) => s && setKey("row", s.key, inPlace);
  const key = (e: KeyboardEvent) => {
    const s = shown[at];
    if (!s || t.sort || modified(e)) return;
    if (e.key === "ArrowRight" && s.row.children && !s.open) toggle(s);
    else if (e.key === "ArrowLeft" && s.open) toggle(s);
    else if (e.key === "ArrowLeft" && s.depth > 0) select(shown.slice(0, at).findLast((x) => x.depth < s.depth));
    else return;
    take(e);
  };
  if (!shown.length) return null;
  const height = `${shown.length * 28 + 34}px`;
  return (
    <>
      <Card cls="flush tablebox rows" label={t.title} style={{ height, minHeight: `min(${height}, 340px)` }} onKeyDown={key}>
        <Table label={t.title} rows={shown.length} columns={columns} sort={get(state, "sort") || t.sort || ""} onSort={(v) => setKey("sort", v, inPlace)} selected={at} onSelect={(i) => select(shown[i])} onOpen={(i) => onEnter(shown[i]!.row)} />
      </Card>
      <Note>
        {t.hint}
        {data.more ? ` ${plural(data.more, "row")} more, ${bytes(data.moreBytes ?? 0)}, are not listed.` : ""}
      </Note>
    </>
  );
}

/** columnsOf makes the columns the server names, and the share with its bar: of the change, where rows are in its order. */
function columnsOf(rows: readonly Shown[], data: Retention, toggle: ((s: Shown) => void) | null): Column[] {
  const t = data.table!;
  const change = (r: Row) => r[t.main] - (r.before ?? 0);
  const barOf = t.sort === "-change" ? change : (r: Row) => r[t.main];
  const value = (id: string): ((r: Row) => number) => (id === "change" ? change : (r) => r[id as "own"] ?? 0);
  const scale = columnScale([Math.max(0, ...rows.map((s) => Math.max(s.row[t.main], s.row.keeps, s.row.before ?? 0)))], "bytes");
  const top = Math.max(1, ...rows.map((s) => Math.abs(barOf(s.row))));
  const columns = t.columns.map(({ id, title, help }): Column => {
    const of = value(id);
    const scaled = id !== "own" && id !== "objects";
    if (id === "name") return { id, title, width: "minmax(240px, 1fr)", sort: toggle ? undefined : rows.map((s) => s.row.name), cell: (i) => <NameCell s={rows[i]!} toggle={toggle} /> };
    return {
      id,
      title: title + (scaled && scale.label ? `,${scale.label}` : ""),
      help,
      right: true,
      width: id === "objects" ? "84px" : "104px",
      sort: toggle ? undefined : rows.map((s) => of(s.row)),
      cell: (i) => {
        const r = rows[i]!.row;
        if (id === "change") return r.before === undefined ? "" : <Delta base={r.before} current={r[t.main]} scale={{ ...scale, label: "" }} />;
        const v = of(r);
        return <span class={v ? "num" : "num muted"}>{id === "objects" ? integer(v) : !v ? "0" : scaled ? inScale(v, scale) : bytes(v)}</span>;
      },
    };
  });
  columns.push(
    { id: "part", title: "%", right: true, width: "70px", cell: (i) => <span class="num muted">{share(barOf(rows[i]!.row), t.of)}</span> },
    { id: "bar", title: "Part", width: "minmax(92px, 0.25fr)", spare: 1, cell: (i) => ((v) => <Bar v={v} max={top} tone={barOf !== change ? "accent" : v < 0 ? "shrink" : "grow"} />)(barOf(rows[i]!.row)) },
  );
  return columns;
}

function NameCell({ s, toggle }: { s: Shown; toggle: ((s: Shown) => void) | null }) {
  const r = s.row;
  const more: ComponentChildren[] = [];
  if (r.label) more.push(visible(r.name));
  if (r.kind) more.push(visible(r.kind));
  if (r.repeated) more.push("again and again");
  return (
    <span class="namecell" style={{ paddingLeft: `${s.depth * 18}px` }} title={[r.label, r.name, r.kind].filter(Boolean).join(" ")}>
      {toggle && (
        <button class="twist" tabIndex={-1} aria-hidden={!r.children} aria-label={`${s.open ? "Close" : "Open"} ${r.label || r.name}`} aria-expanded={s.open} disabled={!r.children} onClick={(e) => (e.stopPropagation(), toggle(s))}>
          {r.children ? (s.open ? "▾" : "▸") : ""}
        </button>
      )}
      {r.category ? <Origin category={r.category} /> : null}
      <bdi class="mono obj">{visible(r.label || r.name)}</bdi>
      <span class="label">{more.join(" · ")}</span>
    </span>
  );
}

/** useTree is the rows in sight. Those below a row come with it, or are asked for when it opens. */
function useTree(rows: readonly Row[], base: string, opened: string): { shown: Shown[]; toggle: (s: Shown) => void } {
  const [below, set] = useState<ReadonlyMap<string, Row[]>>(new Map());
  const asked = useRef(new Set<string>());
  useEffect(() => {
    asked.current.clear();
    set(new Map());
  }, [base]);
  const open = useMemo(() => new Set(opened.split(".").filter(Boolean)), [opened]);
  const ask1 = (s: Row, key: string) => {
    if (s.rows || !s.children || asked.current.has(key)) return;
    asked.current.add(key);
    ask<Retention>(`${base}${base.includes("?") ? "&" : "?"}node=${s.id}`).then(
      (a) => set((m) => new Map(m).set(key, a.rows ?? [])),
      () => asked.current.delete(key),
    );
  };
  const shown = useMemo(() => {
    const out: Shown[] = [];
    const add = (list: readonly Row[], depth: number, above: string) => {
      for (const row of list) {
        const key = row.rows || above ? `${above}${row.id}` : String(row.id);
        const here = row.rows ? `p${row.id}` : key;
        const isOpen = open.has(here);
        out.push({ row, depth, key: here, open: isOpen });
        if (isOpen) add(row.rows ?? below.get(here) ?? [], depth + 1, row.rows ? `${here}-` : "");
      }
    };
    add(rows, 0, "");
    return out;
  }, [rows, below, open]);
  useEffect(() => {
    for (const s of shown) if (s.open) ask1(s.row, s.key);
  }, [shown]);
  const toggle = (s: Shown) => {
    const next = new Set(open);
    if (next.has(s.key)) next.delete(s.key);
    else next.add(s.key);
    setKey("open", [...next].join(".") || undefined, inPlace);
  };
  return { shown, toggle };
}
