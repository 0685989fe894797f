// The small parts: numbers, names, chips, buttons, cards. They know colours
// only by the names of their meaning.

import type { ComponentChildren, TargetedKeyboardEvent } from "preact";
import { delta, inScale, quantity, ratio, share, splitName, visible, type Scale } from "../format.ts";
import { keyWords } from "../commands.ts";
import { categories, categoryWords, shortCategoryWords } from "../types.ts";
import { Icon } from "./Icon.tsx";

/** Num prints a value with its unit; with a scale only the digits, as in a column that has the unit in its header. */
export function Num({ v, unit = "", scale }: { v: number; unit?: string; scale?: Scale }) {
  return <span class="num">{scale ? inScale(v, scale) + scale.label : quantity(v, unit)}</span>;
}

/** Share prints a part of a total in percent. */
export function Share({ v, of }: { v: number; of: number }) {
  return <span class="num">{share(v, of)}</span>;
}

/** Delta prints a change with mark, sign colour and, on request, the ratio. good says that less is neutral, not bad. */
export function Delta({ base, current, unit = "", scale, times }: { base: number; current: number; unit?: string; scale?: Scale; times?: boolean }) {
  const d = current - base;
  const tone = d > 0 ? "up" : d < 0 ? "down" : "same";
  const r = times ? ratio(base, current) : "";
  return (
    <span class={`delta ${tone}`}>
      {delta(d, unit, scale)}
      {r && <span class="times"> {r}</span>}
    </span>
  );
}

/** Bar is a length beside a number. tone is a class: "grow", "shrink", "accent", or a category. */
export function Bar({ v, max, tone = "accent" }: { v: number; max: number; tone?: string }) {
  const width = max > 0 ? Math.min(100, Math.max(v === 0 ? 0 : 1.5, (Math.abs(v) / max) * 100)) : 0;
  return (
    <span class="bar" aria-hidden="true">
      <i class={`fill-${tone}`} style={{ width: `${width}%` }} />
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
    <svg class={`spark tone-${tone}`} width={width} height={height} viewBox={`0 0 ${width} ${height}`} role={label ? "img" : undefined} aria-label={label} aria-hidden={label ? undefined : true}>
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
  const [pkg, rest] = splitName(visible(name));
  return (
    <bdi class={strong ? "name" : "name plain"} title={title ? name : undefined}>
      {pkg && <span class="pkg">{pkg}</span>}
      <span class="fn">{rest}</span>
    </bdi>
  );
}

/** Origin is a small square in the colour of whose code it is, with the word for those who do not see it. */
export function Origin({ category, word }: { category: number; word?: boolean | "short" }) {
  const c = categories[category] ?? "none";
  return (
    <span class="origin" data-tip={word ? undefined : categoryWords[c]}>
      <i class={`fill-${c}`} aria-hidden="true" />
      {word ? <span>{(word === "short" ? shortCategoryWords : categoryWords)[c]}</span> : <span class="sr">{categoryWords[c]}</span>}
    </span>
  );
}

/** Seg is a switch between few choices. */
export function Seg<T extends string>({ label, value, options, onChange }: { label: string; value: T; options: readonly { id: T; title: ComponentChildren; tip?: string; disabled?: boolean }[]; onChange: (id: T) => void }) {
  const move = (e: TargetedKeyboardEvent<HTMLDivElement>) => {
    const by = e.key === "ArrowRight" || e.key === "ArrowDown" ? 1 : e.key === "ArrowLeft" || e.key === "ArrowUp" ? -1 : 0;
    if (!by) return;
    e.preventDefault();
    e.stopPropagation();
    const on = options.filter((o) => !o.disabled);
    const i = on.findIndex((o) => o.id === value);
    const next = on[(i + by + on.length) % on.length];
    if (!next) return;
    onChange(next.id);
    const at = options.indexOf(next);
    (e.currentTarget.children[at] as HTMLElement | undefined)?.focus();
  };
  const reachable = options.some((o) => o.id === value && !o.disabled) ? value : options.find((o) => !o.disabled)?.id;
  return (
    <div class="seg" role="radiogroup" aria-label={label} onKeyDown={move}>
      {options.map((o) => (
        <button key={o.id} type="button" role="radio" aria-checked={o.id === value} tabIndex={o.id === reachable ? 0 : -1} disabled={o.disabled} data-tip={o.tip} onClick={() => onChange(o.id)}>
          {o.title}
        </button>
      ))}
    </div>
  );
}

/** Chip is a word that changes what is shown, with a button that takes it away. */
export function Chip({ word, children, onRemove, tone, tip }: { word?: string; children: ComponentChildren; onRemove?: () => void; tone?: "bad" | "warn" | "ok" | "grow" | "shrink"; tip?: string }) {
  return (
    <span class={tone ? `chip tone-${tone}` : "chip"} data-tip={tip}>
      {word && <span class="word">{word}</span>}
      <b>{children}</b>
      {onRemove && (
        <button type="button" class="remove" aria-label={`Remove ${word ?? "this"}`} onClick={onRemove}>
          <Icon name="close" />
        </button>
      )}
    </span>
  );
}

/** Pill is a label with a value, as in the top bar. */
export function Pill({ word, children, tip }: { word?: string; children: ComponentChildren; tip?: string }) {
  return (
    <span class="pill" data-tip={tip}>
      {word && <span class="word">{word}</span>}
      <b>{children}</b>
    </span>
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

/** Keys shows a key of the keyboard. */
export function Keys({ k }: { k: string }) {
  return (
    <span class="keys" aria-hidden="true">
      {keyWords(k).map((w) => (
        <kbd key={w}>{w}</kbd>
      ))}
    </span>
  );
}

/** Card is a framed part of a view with a heading. */
export function Card({ title, aside, children, tone, label }: { title?: ComponentChildren; aside?: ComponentChildren; children: ComponentChildren; tone?: "grow" | "bad" | "ok" | "warn"; label?: string }) {
  return (
    <section class={tone ? `card edge-${tone}` : "card"} aria-label={label}>
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

/** Fact is a key figure with its label and a line below. */
export function Fact({ label, children, below, tip }: { label: string; children: ComponentChildren; below?: ComponentChildren; tip?: string }) {
  return (
    <div class="fact">
      <div class="label" data-tip={tip}>
        {label}
      </div>
      <div class="figure">{children}</div>
      {below && <div class="below">{below}</div>}
    </div>
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
    <div class={`skeleton ${kind}`} aria-hidden="true">
      {Array.from({ length: n }, (_, i) => (
        <i key={i} style={{ width: kind === "flame" ? `${100 - ((i * i * 7) % 90) * (i / n)}%` : undefined }} />
      ))}
    </div>
  );
}
