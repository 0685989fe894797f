// The small parts: numbers, names, chips, buttons, cards. They know colours
// only by the names of their meaning.

import type { ComponentChildren, CSSProperties, TargetedKeyboardEvent } from "preact";
import { delta, ratio, shortName, splitName, visible, type Scale } from "../format.ts";
import { keyWords } from "../commands.ts";
import { take } from "../events.ts";
import { categories, categoryWords, shortCategoryWords } from "../types.ts";
import { Icon, type IconName } from "./Icon.tsx";

/** changeClass is the class of a change: its colour. */
export function changeClass(d: number): string {
  return `delta ${d > 0 ? "up" : d < 0 ? "down" : "same"}`;
}

/** Amount is a number in a cell; nothing is a quiet 0. */
export function Amount({ v, children }: { v: number; children: ComponentChildren }) {
  return <span class={v ? "num" : "num muted"}>{v ? children : "0"}</span>;
}

/** Delta prints a change with mark, sign colour and, on request, the ratio. */
export function Delta({ base, current, unit = "", scale, times }: { base: number; current: number; unit?: string; scale?: Scale; times?: boolean }) {
  const d = current - base;
  const r = times ? ratio(base, current) : "";
  return (
    <span class={changeClass(d)}>
      {delta(d, unit, scale)}
      {r && <span class="times"> {r}</span>}
    </span>
  );
}

/** fill is the style of an area by its meaning: a category, more, less, accent, grow, shrink, quiet. */
export function fill(meaning: string) {
  return { background: `var(--f-${meaning})` };
}

/** ink is the style of what is drawn in the colour of a tone; no tone leaves the colour as it is. */
export function ink(tone: string | undefined) {
  return tone ? { color: `var(--${tone})` } : undefined;
}

/** edge is the style of a frame with a tone at its left. */
export function edge(tone: string | undefined) {
  return tone ? { borderLeft: `4px solid var(--${tone})` } : undefined;
}

/** Bar is a length beside a number. tone is "grow", "shrink", "accent", "quiet" or a category. */
export function Bar({ v, max, tone = "accent" }: { v: number; max: number; tone?: string }) {
  const width = max > 0 ? Math.min(100, Math.max(v === 0 ? 0 : 1.5, (Math.abs(v) / max) * 100)) : 0;
  return (
    <span class="bar" aria-hidden>
      <i style={{ ...fill(tone), width: `${width}%` }} />
    </span>
  );
}

/** Spark is a small curve of values in order of time. */
export function Spark({ values, tone = "accent", width = 56, height = 18, label }: { values: ArrayLike<number>; tone?: "grow" | "shrink" | "accent" | "quiet"; width?: number; height?: number; label?: string }) {
  const n = values.length;
  if (n < 2) return null;
  let max = 0;
  let min = 0;
  for (let i = 0; i < n; i++) {
    max = Math.max(max, values[i] ?? 0);
    min = Math.min(min, values[i] ?? 0);
  }
  const range = max - min || 1;
  const x = (i: number) => 2.5 + (i * (width - 5)) / (n - 1);
  const y = (v: number) => height - 2.5 - ((v - min) / range) * (height - 5);
  const points = Array.from({ length: n }, (_, i) => `${x(i).toFixed(1)},${y(values[i] ?? 0).toFixed(1)}`);
  return (
    <svg class="spark" style={ink(tone)} width={width} height={height} viewBox={`0 0 ${width} ${height}`} role={label ? "img" : undefined} aria-label={label} aria-hidden={label ? undefined : true}>
      <polyline points={points.join(" ")} />
      {n <= 12 && Array.from({ length: n }, (_, i) => <circle cx={x(i)} cy={y(values[i] ?? 0)} r={1.6} />)}
      {n > 12 && <circle cx={x(n - 1)} cy={y(values[n - 1] ?? 0)} r={2} />}
    </svg>
  );
}

/** toneOf is the tone of a trend's curve: the first value against the last, quiet when little happened. */
export function toneOf(base: number, current: number): "grow" | "shrink" | "quiet" {
  const most = Math.max(Math.abs(base), Math.abs(current));
  if (most === 0 || Math.abs(current - base) < 0.02 * most) return "quiet";
  return current > base ? "grow" : "shrink";
}

/** Name prints a function or type: package dim, the rest strong; direction of the text cannot leak out. */
export function Name({ name, strong = true, title }: { name: string; strong?: boolean; title?: boolean }) {
  const [pkg, rest] = splitName(name);
  return <Parted pkg={pkg} rest={rest} strong={strong} title={title ? name : undefined} />;
}

/** Parted prints a path or package dim, and what is in it. */
export function Parted({ pkg, rest, strong = true, title }: { pkg: string; rest: string; strong?: boolean; title?: string }) {
  return (
    <bdi class={strong ? "name" : "name plain"} title={title}>
      {pkg && <span class="pkg">{visible(pkg)}</span>}
      <span class="fn">{visible(rest)}</span>
    </bdi>
  );
}

/** NameCell is a name in a table, with whose it is. short leaves the path of its package out. */
export function NameCell({ name, category, short, children }: { name: string; category: number; short?: boolean; children?: ComponentChildren }) {
  return (
    <span class="namecell" title={name}>
      <Origin category={category} />
      <Name name={short ? shortName(name) : name} />
      {children}
    </span>
  );
}

/** Origin is a small square in the colour of whose code it is, with the word for those who do not see it. */
export function Origin({ category, word }: { category: number; word?: boolean | "short" }) {
  const c = categories[category] ?? "none";
  return (
    <span class="origin" data-tip={word ? undefined : categoryWords[c]}>
      <i style={fill(c)} aria-hidden />
      {word ? <span>{(word === "short" ? shortCategoryWords : categoryWords)[c]}</span> : <span class="sr">{categoryWords[c]}</span>}
    </span>
  );
}

/** Mark is an entry of a legend: a colour and what it means. */
export function Mark({ of, children }: { of: string; children: ComponentChildren }) {
  return (
    <span class="origin">
      <i style={fill(of)} aria-hidden />
      {children}
    </span>
  );
}

/** An option of a Seg. */
export type Option<T> = readonly [id: T, title: ComponentChildren, tip?: string, disabled?: boolean];

/** Seg is a switch between few choices. */
export function Seg<T extends string>({ label, value, options, onChange }: { label: string; value: T; options: readonly Option<T>[]; onChange: (id: T) => void }) {
  const on = options.filter(([, , , disabled]) => !disabled).map(([id]) => id);
  const i = on.indexOf(value);
  const move = (e: TargetedKeyboardEvent<HTMLDivElement>) => {
    const by = e.key === "ArrowRight" || e.key === "ArrowDown" ? 1 : e.key === "ArrowLeft" || e.key === "ArrowUp" ? -1 : 0;
    if (!by) return;
    take(e);
    const next = on[(i + by + on.length) % on.length];
    if (next === undefined) return;
    onChange(next);
    (e.currentTarget.children[options.findIndex(([id]) => id === next)] as HTMLElement | undefined)?.focus();
  };
  return (
    <div class="seg" role="radiogroup" aria-label={label} onKeyDown={move}>
      {options.map(([id, title, tip, disabled]) => (
        <button key={id} role="radio" aria-checked={id === value} tabIndex={id === on[Math.max(0, i)] ? 0 : -1} disabled={disabled} data-tip={tip} onClick={() => onChange(id)}>
          {title}
        </button>
      ))}
    </div>
  );
}

/** Chip is a word that changes what is shown, with a button that takes it away; off: it changes nothing here. */
export function Chip({ word, children, onRemove, tone, tip, off }: { word?: string; children: ComponentChildren; onRemove?: () => void; tone?: "bad" | "grow" | "shrink"; tip?: string; off?: boolean }) {
  return (
    <span class={off ? "chip off" : "chip"} data-tip={tip}>
      {word && <span class="word">{word}</span>}
      <b style={ink(tone)}>{children}</b>
      {onRemove && (
        <button class="remove" aria-label={`Remove ${word ?? "this"}`} onClick={onRemove}>
          <Icon name="close" />
        </button>
      )}
    </span>
  );
}

/** Note is a quiet line of text. */
export function Note({ children, pad, status }: { children: ComponentChildren; pad?: boolean; status?: boolean }) {
  return (
    <p class={pad ? "label pad" : "label"} role={status ? "status" : undefined}>
      {children}
    </p>
  );
}

/** Button; main is the one thing to do next. */
export function Button({ children, main, onClick, tip, disabled, keys, label, submit }: { children: ComponentChildren; main?: boolean; onClick: () => void; submit?: boolean; tip?: string; disabled?: boolean; keys?: string; label?: string }) {
  return (
    <button type={submit ? "submit" : "button"} class={main ? "btn primary" : "btn"} onClick={onClick} data-tip={tip} disabled={disabled} aria-label={label}>
      {children}
      {keys && <Keys k={keys} />}
    </button>
  );
}

/** IconButton is a small square with an icon or a sign; its label is for those who do not see it, tip for all. */
export function IconButton({ label, tip, icon, children, cls, expanded, disabled, onClick }: { label: string; tip?: string; icon?: IconName; children?: ComponentChildren; cls?: string; expanded?: boolean; disabled?: boolean; onClick: () => void }) {
  return (
    <button class={cls ? `iconbtn ${cls}` : "iconbtn"} aria-label={label} data-tip={tip} aria-expanded={expanded} disabled={disabled} onClick={onClick}>
      {icon ? <Icon name={icon} /> : children}
    </button>
  );
}

/** Keys shows a key of the keyboard. */
export function Keys({ k }: { k: string }) {
  return (
    <span class="keys" aria-hidden>
      {keyWords(k).map((w) => (
        <kbd key={w}>{w}</kbd>
      ))}
    </span>
  );
}

/** Card is a framed part of a view; cls says what sort of part. loading: the answer it shows is of an earlier question. */
export function Card({ title, aside, children, tone, label, cls, loading, style, onKeyDown }: { title?: ComponentChildren; aside?: ComponentChildren; children: ComponentChildren; tone?: "bad" | "grow" | "ok"; label?: string; cls?: string; loading?: boolean; style?: CSSProperties; onKeyDown?: (e: KeyboardEvent) => void }) {
  return (
    <section class={`card${cls ? ` ${cls}` : ""}${loading ? " loading" : ""}`} style={{ ...edge(tone), ...style }} aria-label={label} onKeyDown={onKeyDown}>
      {(title || aside) && (
        <header class="cardhead">
          {title && <h2>{title}</h2>}
          {aside && <div class="aside">{aside}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

/** Empty says why there is nothing, and what to run or do. */
export function Empty({ title, children, command, actions }: { title: string; children?: ComponentChildren; command?: string; actions?: ComponentChildren }) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {command && <pre tabIndex={0}>{command}</pre>}
      {actions && <div class="actions">{actions}</div>}
    </div>
  );
}

/** Skeleton holds the place of what is awaited. */
export function Skeleton({ kind = "rows" }: { kind?: "rows" | "flame" | "cards" }) {
  const n = kind === "cards" ? 4 : 14;
  return (
    <div class={`skeleton ${kind}`} aria-hidden>
      {Array.from({ length: n }, (_, i) => (
        <i key={i} style={{ width: kind === "flame" ? `${100 - ((i * i * 7) % 90) * (i / n)}%` : undefined }} />
      ))}
    </div>
  );
}
