// Small line icons, drawn in the colour of the text.

const paths = {
  summary: "M3 13V8m5 5V3m5 10V6",
  flame: "M2 13h12M3 9.5h10M3 6h6.5M3 2.5h3.5",
  graph: "M3 3h4v3H3zM9 10h4v3H9zM3 10h4v3H3zM5 6v4M5.5 6l5 4",
  table: "M2.5 3h11v10h-11zM2.5 6.5h11M6 6.5V13",
  source: "M5.5 4.5 2.5 8l3 3.5M10.5 4.5l3 3.5-3 3.5",
  timeline: "M2.5 12.5 6 8l3 2.5 4.5-6",
  compare: "M5 3v10M11 3v10M2.5 6 5 3l2.5 3M8.5 10l2.5 3 2.5-3",
  leaks: "M8 2.5c2.7 3.2 4 5.2 4 7a4 4 0 0 1-8 0c0-1.8 1.3-3.8 4-7z",
  retention: "M8 2.5v3M8 10.5v3M6 8a2 2 0 1 0 4 0 2 2 0 1 0-4 0M3 13.5h10",
  goroutines: "M3 4h4a2 2 0 0 1 2 2v4a2 2 0 0 0 2 2h2M11 10l2 2-2 2M3 12h3",
  close: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  down: "M4.5 6.5 8 10l3.5-3.5",
  theme: "M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11",
  panel: "M2.5 3h11v10h-11zM10 3v10",
  save: "M8 2.5v8M4.5 7.5 8 10.5l3.5-3M3 13.5h10",
  up: "M4.5 9.5 8 6l3.5 3.5",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}

export function isIcon(name: string): name is IconName {
  return Object.hasOwn(paths, name);
}
