// A long list of rows of code: only those in sight are in the document. A grid
// for the keyboard and for screen readers; the arrows move by rows.

import type { ComponentChildren, TargetedKeyboardEvent } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { modified, take } from "../events.ts";
import { reveal, stepTo, useInSight } from "../parts/scroll.ts";

export interface RowsProps {
  label: string;
  /** Head of the columns. */
  head: ComponentChildren;
  rows: number;
  /** The cells of a row, each with role gridcell. */
  row: (i: number) => ComponentChildren;
  classOf: (i: number) => string;
  /** Width of the longest row in characters. */
  wide: number;
  /** The row the keyboard is at, -1 for none. */
  cursor: number;
  onMove: (i: number) => void;
  onOpen?: (i: number) => void;
  onHover?: (i: number) => void;
  /** A row to bring in sight when this changes. */
  show: { row: number; key: string };
}

const height = 20;
const ahead = 12;
/** The head of the columns, with the bar that scrolls sideways. */
const headHeight = 30;

export function Rows(p: RowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const { first, last, view, onScroll } = useInSight(box, p.rows, height, ahead);
  const id = useId();
  useEffect(() => {
    const el = box.current;
    if (!el || p.show.row < 0) return;
    const y = p.show.row * height;
    if (y < el.scrollTop + height || y + 3 * height > el.scrollTop + el.clientHeight) {
      el.scrollTop = y - el.clientHeight * 0.4;
      el.scrollLeft = 0;
    }
  }, [p.show.key]);
  const move = (to: number) => {
    const at = Math.max(0, Math.min(p.rows - 1, to));
    reveal(box.current, at, height, headHeight);
    p.onMove(at);
  };
  const key = (e: TargetedKeyboardEvent<HTMLDivElement>) => {
    if (modified(e) || e.target !== e.currentTarget) return;
    const to = stepTo(e.key, p.cursor, p.rows, Math.max(1, Math.floor(view / height) - 3));
    if (to !== undefined) move(to);
    else if (e.key === "Enter" && p.cursor >= 0 && p.onOpen) p.onOpen(p.cursor);
    else return;
    take(e);
  };
  return (
    <div ref={box} class="code" role="grid" tabIndex={0} aria-label={p.label} aria-rowcount={p.rows + 1} aria-activedescendant={p.cursor >= first && p.cursor < last ? `${id}-${p.cursor}` : undefined} onScroll={onScroll} onKeyDown={key} onPointerLeave={() => p.onHover?.(-1)}>
      <div class="codehead" role="row" aria-rowindex={1} style={{ minWidth: `${p.wide}ch` }}>
        {p.head}
      </div>
      <div role="rowgroup" class="coderows" style={{ height: `${p.rows * height}px`, minWidth: `${p.wide}ch` }}>
        {Array.from({ length: Math.max(0, last - first) }, (_, k) => {
          const i = first + k;
          return (
            <div key={i} id={`${id}-${i}`} class={`coderow ${p.classOf(i)}`} role="row" aria-rowindex={i + 2} aria-selected={i === p.cursor} style={{ transform: `translateY(${i * height}px)` }} onClick={() => p.onMove(i)} onDblClick={() => p.onOpen?.(i)} onPointerEnter={() => p.onHover?.(i)}>
              {p.row(i)}
            </div>
          );
        })}
      </div>
    </div>
  );
}
