// Who keeps what, as areas. Each tile can be chosen, by mouse or arrows.

import type { TargetedKeyboardEvent } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { modified, take } from "../events.ts";
import { bytes, share, visible } from "../format.ts";
import { fill } from "../parts/index.ts";
import { categories } from "../types.ts";
import type { Tile } from "./shapes.ts";
import { beside, squarify } from "./treemap.ts";

const moves: Readonly<Record<string, [number, number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** short keeps the end of a long path, which tells more, from a field on. */
export function short(name: string, room: number): string {
  const most = Math.floor(room / 7);
  if (name.length <= most) return name;
  for (let at = 1; at < name.length; at++) {
    if ((name[at] === "." || name[at] === "[") && name.length - at + 1 <= most) return "…" + name.slice(name[at] === "." ? at + 1 : at);
  }
  return name.slice(Math.max(name.lastIndexOf("."), name.lastIndexOf("[")) + 1);
}

export function Treemap({ tiles, total, selected, onSelect, onOpen }: { tiles: readonly Tile[]; total: number; selected: number; onSelect: (i: number) => void; onOpen: (i: number) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState<[number, number]>([0, 0]);
  useLayoutEffect(() => {
    const el = box.current;
    if (!el) return;
    const watch = new ResizeObserver(() => setSize([el.clientWidth, el.clientHeight]));
    watch.observe(el);
    return () => watch.disconnect();
  }, []);
  const rects = squarify(
    tiles.map((t) => t.bytes),
    size[0],
    size[1],
  );
  const focus = (i: number) => {
    onSelect(i);
    (box.current?.children[i] as HTMLElement | undefined)?.focus();
  };
  const key = (e: TargetedKeyboardEvent<HTMLDivElement>) => {
    const m = moves[e.key];
    if (modified(e)) return;
    const at = Math.max(0, selected);
    if (m) {
      const to = selected < 0 ? 0 : beside(rects, at, m[0], m[1]);
      if (to >= 0) focus(to);
    } else if (e.key === "Enter") onOpen(at);
    else return;
    take(e);
  };
  return (
    <div class="treemap" ref={box} role="listbox" aria-label="Kept alive, by owner" aria-orientation="horizontal" onKeyDown={key}>
      {tiles.map((t, i) => {
        const r = rects[i]!;
        const text = `${visible(t.name)}${t.rest ? ", the rest of it" : ""}: ${bytes(t.bytes)}, ${share(t.bytes, total)}`;
        return (
          <div
            key={`${t.id} ${t.rest}`}
            class="tile"
            role="option"
            aria-selected={i === selected}
            tabIndex={i === Math.max(0, selected) ? 0 : -1}
            title={`${text}${t.type ? `\n${t.type}` : ""}`}
            style={{ ...fill(categories[t.category] ?? "none"), left: `${r.x}px`, top: `${r.y}px`, width: `${Math.max(0, r.w - 2)}px`, height: `${Math.max(0, r.h - 2)}px` }}
            onClick={() => focus(i)}
            onDblClick={() => onOpen(i)}
          >
            <span class="sr">{text}</span>
            {r.w > 64 && r.h > 24 && <b aria-hidden>{short(visible(t.name), r.w - 16)}</b>}
            {r.w > 64 && r.h > 44 && <span aria-hidden>{bytes(t.bytes)}</span>}
            {r.w > 90 && r.h > 64 && t.type && <span aria-hidden>{visible(t.type)}</span>}
          </div>
        );
      })}
    </div>
  );
}
