// What stands beside the canvas: the tree for screen readers, and the box
// that follows the pointer.

import type { ComponentChildren, Ref } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { place } from "../format.ts";
import { fill, ValueTip } from "../parts/index.ts";
import { categories, categoryWords } from "../types.ts";
import { everything, nameOf, pathOf, rootOf, type FlameModel } from "./model.ts";

const most = 24;

/** FlameTree holds the canvas, and in its place for those who cannot see it a tree: the way to the selected frame, and what it calls. */
export function FlameTree({ box, m, selected, text, children }: { box: Ref<HTMLDivElement>; m: FlameModel; selected: number; text: (node: number) => string; children: ComponentChildren }) {
  const at = selected >= 0 ? selected : rootOf(m);
  const way = pathOf(m, at);
  const from = m.childFrom[at] as number;
  const kids = Math.min(most, (m.childTo[at] as number) - from);
  const item = (node: number, level: number, size: number, pos: number) => (
    <div key={node} id={`flame-${node}`} role="treeitem" aria-level={level} aria-setsize={size} aria-posinset={pos} aria-selected={node === at} aria-expanded={(m.childTo[node] as number) > (m.childFrom[node] as number) ? way.includes(node) : undefined}>
      {text(node)}
    </div>
  );
  return (
    <div ref={box} class="stage" role="tree" tabIndex={0} aria-label="Call paths. The table view has the same numbers as a grid." aria-activedescendant={`flame-${at}`}>
      {children}
      <div class="sr" role="presentation">
        {way.map((node, i) => {
          const p = m.parent[node] as number;
          return item(node, i + 1, p < 0 ? 1 : (m.childTo[p] as number) - (m.childFrom[p] as number), p < 0 ? 1 : node - (m.childFrom[p] as number) + 1);
        })}
        {Array.from({ length: kids }, (_, i) => item(from + i, way.length + 1, (m.childTo[at] as number) - from, i + 1))}
      </div>
    </div>
  );
}

/** FlameTip says what is under the pointer. */
export function FlameTip({ m, node, x, y }: { m: FlameModel; node: number; x: number; y: number }) {
  const ref = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const el = ref.current;
    if (!el) return;
    const r = el.getBoundingClientRect();
    el.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - r.width - 8))}px`;
    el.style.top = `${y + 18 + r.height > innerHeight - 8 ? y - r.height - 12 : y + 18}px`;
  });
  const f = m.frame[node] as number;
  const v = m.total[node] as number;
  const self = m.self[node] as number;
  const c = f === everything ? "none" : (categories[m.frames.category[f] as number] ?? "none");
  return (
    <div ref={ref} class="flametip" aria-hidden>
      <ValueTip name={nameOf(m, node)} value={v} self={self !== 0 && self !== v ? self : undefined} base={m.base?.[node]} unit={m.meta.unit} total={m.meta.total} />
      {f !== everything && (
        <div class="label">
          <i class="dot" style={fill(c)} /> {categoryWords[c]}
          {m.frames.file[f] ? ` · ${place(m.frames.file[f], m.frames.line[f] as number)}` : ""}
        </div>
      )}
    </div>
  );
}
