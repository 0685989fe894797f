// A table of any length: only the rows in sight are in the document. A grid
// for the keyboard and for screen readers: arrows move, Enter opens.

import type { ComponentChildren, TargetedKeyboardEvent } from "preact";
import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import { modified, take } from "../events.ts";
import { filterRows, fit, sortRows, type Key } from "./rows.ts";
import { reveal, stepTo, useInSight, useSize } from "./scroll.ts";

export interface Column {
  id: string;
  title: string;
  /** One line on hover and focus of the header. */
  help?: string;
  /** Numbers stand at the right, and are sorted downwards first. */
  right?: boolean;
  /** A track of the grid: "minmax(200px,1fr)", "96px". */
  width: string;
  /** Left out where there is no room for all: the highest number first. */
  spare?: number;
  cell: (row: number) => ComponentChildren;
  /** What the column is sorted by; without it, it is not. */
  sort?: Key;
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
  /** What stands in place of the rows when there are none, and no filter took them out. */
  empty?: ComponentChildren;
  /** Rows a search found. */
  marked?: ReadonlySet<number>;
  rowHeight?: number;
}

const ahead = 8;
const headHeight = 30;

export function Table(p: TableProps) {
  const height = p.rowHeight ?? 28;
  const order = useOrder(p);
  const box = useRef<HTMLDivElement>(null);
  const { first, last, view, onScroll } = useInSight(box, order.length, height, ahead);
  const [room, setRoom] = useState(Infinity);
  useSize(box, (el) => setRoom(el.clientWidth));
  const [cursor, setCursor] = useState(-1);
  const id = useId();
  const columns = fit(p.columns, room);
  const tracks = columns.map((c) => c.width).join(" ");

  useEffect(() => p.onCount?.(order.length), [order.length]);
  // The selection may come from elsewhere: another view, the URL. Show it.
  useEffect(() => {
    if (p.selected < 0) return;
    const at = order.indexOf(p.selected);
    setCursor(at);
    if (at >= 0) reveal(box.current, at, height, headHeight);
  }, [p.selected, order]);

  const move = (to: number) => {
    const at = Math.max(0, Math.min(order.length - 1, to));
    const row = order[at];
    if (row === undefined) return;
    setCursor(at);
    reveal(box.current, at, height, headHeight);
    p.onSelect(row);
  };
  const key = (e: TargetedKeyboardEvent<HTMLDivElement>) => {
    if (modified(e) || e.target !== e.currentTarget) return;
    const to = stepTo(e.key, cursor, order.length, Math.max(1, Math.floor(view / height) - 2));
    if (to !== undefined) move(to);
    else if (e.key === "Enter" && cursor >= 0) p.onOpen?.(order[cursor] as number);
    else return;
    take(e);
  };

  const visible = Array.from(order.subarray(first, last));
  const active = cursor >= first && cursor < last ? `${id}-${order[cursor]}` : undefined;
  return (
    <div class="table" ref={box} role="grid" tabIndex={0} aria-label={p.label} aria-rowcount={order.length + 1} aria-colcount={columns.length} aria-activedescendant={active} onScroll={onScroll} onKeyDown={key}>
      <div class="thead" role="row" aria-rowindex={1} style={{ gridTemplateColumns: tracks }}>
        {columns.map((c) => (
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
            {columns.map((c) => (
              <div key={c.id} class={c.right ? "td right" : "td"} role="gridcell">
                {c.cell(row)}
              </div>
            ))}
          </div>
        ))}
      </div>
      {order.length === 0 && <div class="none">{p.filter ? <>Nothing matches “{p.filter}”.</> : (p.empty ?? "Nothing matches.")}</div>}
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
  const click = () => onSort(is ? (down ? c.id : "-" + c.id) : (c.right ? "-" : "") + c.id);
  return (
    <div class={c.right ? "th right" : "th"} role="columnheader" aria-sort={is ? (down ? "descending" : "ascending") : undefined} data-tip={c.sort ? undefined : c.help}>
      {c.sort ? (
        <button data-tip={c.help} onClick={click}>
          {c.title}
          <span class="arrow" aria-hidden>
            {is ? (down ? "↓" : "↑") : ""}
          </span>
        </button>
      ) : (
        c.title
      )}
    </div>
  );
}
