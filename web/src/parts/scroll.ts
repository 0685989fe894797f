// Long lists: only the rows in sight are in the document.

import type { TargetedEvent } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

type Ref<T> = { readonly current: T | null };

/** useSize calls back with an element when it is there, and when its size changes. */
export function useSize<T extends Element>(box: Ref<T>, changed: (el: T) => void): void {
  useLayoutEffect(() => {
    const el = box.current;
    if (!el) return;
    const watch = new ResizeObserver(() => changed(el));
    watch.observe(el);
    changed(el);
    return () => watch.disconnect();
  }, []);
}

/** InSight is which rows to make: from first to last, not included. view is the height of the box, onScroll belongs to it. */
export interface InSight {
  first: number;
  last: number;
  view: number;
  onScroll: (e: TargetedEvent<HTMLElement>) => void;
}

/** useInSight follows a box of rows of one height, with as many more as ahead above and below. */
export function useInSight(box: Ref<HTMLElement>, rows: number, height: number, ahead: number): InSight {
  const [top, setTop] = useState(0);
  const [view, setView] = useState(600);
  useSize(box, (el) => setView(el.clientHeight));
  return { first: Math.max(0, Math.floor(top / height) - ahead), last: Math.min(rows, Math.ceil((top + view) / height) + ahead), view, onScroll: (e) => setTop(e.currentTarget.scrollTop) };
}

/** stepTo is the row a key leads to from one of them; undefined for other keys. */
export function stepTo(key: string, at: number, rows: number, page: number): number | undefined {
  return { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: rows - 1 }[key];
}

/** reveal scrolls just so far that a row is in sight; head is what lies over the box, besides the rows. */
export function reveal(box: HTMLElement | null, at: number, height: number, head: number): void {
  if (!box) return;
  const y = at * height;
  if (y < box.scrollTop) box.scrollTop = y;
  else if (y + height + head > box.scrollTop + box.clientHeight) box.scrollTop = y + height + head - box.clientHeight;
}
