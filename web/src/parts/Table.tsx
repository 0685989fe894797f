// A table of any length: only the rows in sight are in the document. A grid
// for the keyboard and for screen readers: arrows move, Enter opens.

import type { ComponentChildren, TargetedKeyboardEvent } from "preact";
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { filterRows, sortRows, type Key } from "./rows.ts";

export interface Column {
  id: string;
  title: string;
  /** One line on hover and focus of the header. */
  help?: string;
  /** Numbers stand at the right. */
  right?: boolean;
  /** A track of the grid: "minmax(200px,1fr)", "96px". */
  width: string;
  cell: (row: number) => ComponentChildren;
  /** What the column is sorted by; without it, it is not. */
  sort?: Key;
  /** The first click sorts downwards: for numbers. */
  down?: boolean;
}

export interface TableProps {
  label: string;
  rows: number;
  columns: readonly Column[];
  /** "-cum": by column cum, the largest first. */
  sort: string;
  onSort: (sort: string) => void;
  /** The texts the filter looks at, one a row. */
  texts?: readonly string[];
  filter?: string;
  /** The selected row, -1 for none. */
  selected: number;
  onSelect: (row: number) => void;
  /** Enter or a double click. */
  onOpen?: (row: number) => void;
  /** Told how many rows the filter leaves. */
  onCount?: (shown: number) => void;
  /** What stands in place of the rows when there are none. */
  empty?: ComponentChildren;
  /** Rows a search found. */
  marked?: ReadonlySet<number>;
  rowHeight?: number;
}

const ahead = 8;

export function Table(p: TableProps) {
  const height = p.rowHeight ?? 28;
  const order = useOrder(p);
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [view, setView] = useState(600);
  const [cursor, setCursor] = useState(-1);
  const id = useId();
  const tracks = p.columns.map((c) => c.width).join(" ");

  useLayoutEffect(() => {
    const el = box.current;
    if (!el) return;
    const watch = new ResizeObserver(() => setView(el.clientHeight));
    watch.observe(el);
    return () => watch.disconnect();
  }, []);
  useEffect(() => p.onCount?.(order.length), [order.length]);
  // The selection may come from elsewhere: another view, the URL. Show it.
  useEffect(() => {
    if (p.selected < 0) return;
    const at = order.indexOf(p.selected);
    setCursor(at);
    if (at >= 0) reveal(box.current, at, height);
  }, [p.selected, order]);

  const move = (to: number) => {
    const at = Math.max(0, Math.min(order.length - 1, to));
    const row = order[at];
    if (row === undefined) return;
    setCursor(at);
    reveal(box.current, at, height);
    p.onSelect(row);
  };
  const key = (e: TargetedKeyboardEvent<HTMLDivElement>) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.target !== e.currentTarget) return;
    const page = Math.max(1, Math.floor(view / height) - 2);
    const to = { ArrowDown: cursor + 1, ArrowUp: cursor - 1, PageDown: cursor + page, PageUp: cursor - page, Home: 0, End: order.length - 1 }[e.key];
    if (to !== undefined) move(to);
    else if (e.key === "Enter" && cursor >= 0) p.onOpen?.(order[cursor] as number);
    else return;
    e.preventDefault();
    e.stopPropagation();
  };

  const first = Math.max(0, Math.floor(top / height) - ahead);
  const last = Math.min(order.length, Math.ceil((top + view) / height) + ahead);
  const visible = Array.from(order.subarray(first, last));
  const active = cursor >= first && cursor < last ? `${id}-${order[cursor]}` : undefined;
  return (
    <div class="table" ref={box} role="grid" tabIndex={0} aria-label={p.label} aria-rowcount={order.length + 1} aria-colcount={p.columns.length} aria-activedescendant={active} onScroll={(e) => setTop(e.currentTarget.scrollTop)} onKeyDown={key}>
      <div class="thead" role="row" aria-rowindex={1} style={{ gridTemplateColumns: tracks }}>
        {p.columns.map((c) => (
          <Head key={c.id} c={c} sort={p.sort} onSort={p.onSort} />
        ))}
      </div>
      <div class="tbody" role="rowgroup" style={{ height: `${order.length * height}px` }}>
        {visible.map((row, i) => (
          <div
            key={row}
            id={`${id}-${row}`}
            class={`tr${row === p.selected ? " sel" : ""}${p.marked ? (p.marked.has(row) ? " hit" : " miss") : ""}`}
            role="row"
            aria-rowindex={first + i + 2}
            aria-selected={row === p.selected}
            style={{ gridTemplateColumns: tracks, height: `${height}px`, transform: `translateY(${(first + i) * height}px)` }}
            onClick={() => move(first + i)}
            onDblClick={() => p.onOpen?.(row)}
          >
            {p.columns.map((c) => (
              <div key={c.id} class={c.right ? "td right" : "td"} role="gridcell">
                {c.cell(row)}
              </div>
            ))}
          </div>
        ))}
      </div>
      {order.length === 0 && <div class="none">{p.empty ?? "Nothing matches."}</div>}
    </div>
  );
}

/** useOrder is the rows that are shown, filtered and sorted; new only when something of it changed. */
function useOrder(p: TableProps): Uint32Array {
  const kept = useMemo(() => {
    if (p.filter && p.texts) return filterRows(p.texts, p.filter);
    return Uint32Array.from({ length: p.rows }, (_, i) => i);
  }, [p.rows, p.texts, p.filter]);
  const down = p.sort.startsWith("-");
  const by = p.columns.find((c) => c.id === p.sort.replace(/^-/, ""))?.sort;
  return useMemo(() => (by ? sortRows(kept.slice(), by, down) : kept), [kept, by, down]);
}

function Head({ c, sort, onSort }: { c: Column; sort: string; onSort: (s: string) => void }) {
  const is = sort.replace(/^-/, "") === c.id;
  const down = is && sort.startsWith("-");
  const click = () => onSort(is ? (down ? c.id : "-" + c.id) : (c.down ? "-" : "") + c.id);
  return (
    <div class={c.right ? "th right" : "th"} role="columnheader" aria-sort={is ? (down ? "descending" : "ascending") : undefined} data-tip={c.sort ? undefined : c.help}>
      {c.sort ? (
        <button type="button" data-tip={c.help} onClick={click}>
          {c.title}
          <span class="arrow" aria-hidden="true">
            {is ? (down ? "↓" : "↑") : ""}
          </span>
        </button>
      ) : (
        c.title
      )}
    </div>
  );
}

/** reveal scrolls a row into sight, below the head that stays. */
function reveal(box: HTMLDivElement | null, at: number, height: number): void {
  if (!box) return;
  const head = 30;
  const y = at * height;
  if (y < box.scrollTop) box.scrollTop = y;
  else if (y + height + head > box.scrollTop + box.clientHeight) box.scrollTop = y + height + head - box.clientHeight;
}
