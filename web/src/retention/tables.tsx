// The tables of the view: the dominator tree, types, roots, waste.

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ask } from "../api.ts";
import { columnScale, inScale, integer, quantity, share, visible } from "../format.ts";
import { Bar, Origin, Table, type Column } from "../parts/index.ts";
import type { Retention, Row } from "./shapes.ts";

/** A row of a tree as it stands in the table. */
export interface Shown {
  row: Row;
  depth: number;
  key: string;
  open: boolean;
}

/** columnsOf makes the columns of bytes and objects; own and keeps are what they are called. */
export function columnsOf(rows: readonly Shown[], total: number, words: { name: string; own: [string, string] | null; keeps: [string, string]; bar?: "own" }, toggle: ((s: Shown) => void) | null, sorted: boolean): Column[] {
  const scale = columnScale([Math.max(0, ...rows.map((s) => Math.max(s.row.own, s.row.keeps)))], "bytes");
  const part = (r: Row) => (words.bar ? r.own : r.keeps);
  const top = Math.max(1, ...rows.map((s) => part(s.row)));
  const amount = (id: string, [title, help]: [string, string], of: (r: Row) => number): Column => ({
    id,
    title: title + (scale.label ? `,${scale.label}` : ""),
    help,
    right: true,
    down: true,
    width: "112px",
    sort: sorted ? rows.map((s) => of(s.row)) : undefined,
    cell: (i) => {
      const v = of(rows[i]!.row);
      return <span class={v ? "num" : "num muted"}>{v ? inScale(v, scale) : "0"}</span>;
    },
  });
  const columns: Column[] = [
    {
      id: "name",
      title: words.name,
      width: "minmax(240px, 1fr)",
      sort: sorted ? rows.map((s) => s.row.name) : undefined,
      cell: (i) => <NameCell s={rows[i]!} toggle={toggle} />,
    },
    {
      id: "objects",
      title: "Objects",
      right: true,
      down: true,
      width: "92px",
      sort: sorted ? rows.map((s) => s.row.objects) : undefined,
      cell: (i) => <span class="num">{integer(rows[i]!.row.objects)}</span>,
    },
  ];
  if (words.own)
    columns.push({
      ...amount("own", words.own, (r) => r.own),
      title: words.own[0],
      cell: (i) => ((v) => <span class={v ? "num" : "num muted"}>{v ? quantity(v, "bytes") : "0"}</span>)(rows[i]!.row.own),
    });
  columns.push(amount("keeps", words.keeps, (r) => r.keeps), {
    id: "part",
    title: "%",
    right: true,
    width: "66px",
    cell: (i) => <span class="num muted">{share(part(rows[i]!.row), total)}</span>,
  });
  columns.push({ id: "bar", title: "Part", width: "minmax(80px, 180px)", cell: (i) => <Bar v={part(rows[i]!.row)} max={top} tone="accent" /> });
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
        <button type="button" class="twist" tabIndex={-1} aria-hidden={!r.children} aria-label={`${s.open ? "Close" : "Open"} ${r.label || r.name}`} aria-expanded={s.open} disabled={!r.children} onClick={(e) => (e.stopPropagation(), toggle(s))}>
          {r.children ? (s.open ? "▾" : "▸") : ""}
        </button>
      )}
      {r.category ? <Origin category={r.category} /> : null}
      <bdi class="mono obj">{visible(r.label || r.name)}</bdi>
      <span class="label">{more.join(" · ")}</span>
    </span>
  );
}

/** Tree is a table with rows that open. below asks for the rows below one that has them not at hand. */
export function Tree({ data, base, total, opened, onOpened, selected, onSelect, onEnter, words, label }: { data: Retention; base: string; total: number; opened: string; onOpened: (v: string) => void; selected: string; onSelect: (s: Shown) => void; onEnter: (s: Shown) => void; words: Parameters<typeof columnsOf>[2]; label: string }) {
  const { shown, toggle } = useTree(data.rows ?? [], base, opened, onOpened);
  const columns = useMemo(() => columnsOf(shown, total, words, toggle, false), [shown, total, toggle]);
  const at = shown.findIndex((s) => s.key === selected);
  const key = (e: KeyboardEvent) => {
    const s = shown[at];
    if (!s || e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === "ArrowRight" && s.row.children && !s.open) toggle(s);
    else if (e.key === "ArrowLeft" && s.open) toggle(s);
    else if (e.key === "ArrowLeft" && s.depth > 0) onSelect(shown.slice(0, at).findLast((x) => x.depth < s.depth) as Shown);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div class="tablebox" onKeyDown={key}>
      <Table label={label} rows={shown.length} columns={columns} sort="" onSort={() => undefined} selected={at} onSelect={(i) => onSelect(shown[i]!)} onOpen={(i) => onEnter(shown[i]!)} />
    </div>
  );
}

/** useTree is the rows in sight. Those below a row come with it, or are asked for when it opens. */
function useTree(rows: readonly Row[], base: string, opened: string, onOpened: (v: string) => void): { shown: Shown[]; toggle: (s: Shown) => void } {
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
    onOpened([...next].join("."));
  };
  return { shown, toggle };
}
