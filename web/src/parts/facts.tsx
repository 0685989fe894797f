// What is known of one thing: tables of facts, the head of the inspector, the
// course over time, the box at the pointer.

import type { ComponentChildren } from "preact";
import { delta, quantity, ratio, share, visible } from "../format.ts";
import { changeClass, Spark, toneOf } from "./small.tsx";

/** ValueTip is what a box under the pointer says: its name, its value, what is its own, how it changed. */
export function ValueTip({ name, value, self, base, unit, total }: { name: string; value: number; self?: number; base?: number; unit: string; total: number }) {
  return (
    <>
      <div class="mono title">
        <bdi>{name}</bdi>
      </div>
      <div>
        <b>{quantity(value, unit)}</b> {share(value, total)}
        {self !== undefined && <span class="label"> · itself {quantity(self, unit)}</span>}
      </div>
      {base !== undefined && (
        <div class={changeClass(value - base)}>
          {delta(value - base, unit)} <span class="times">{ratio(base, value)}</span> <span class="label">from {quantity(base, unit)}</span>
        </div>
      )}
    </>
  );
}

/** Facts is a table of what is known of something, made of FactRows. A quiet caption is for screen readers. */
export function Facts({ caption, quiet, children }: { caption: string; quiet?: boolean; children: ComponentChildren }) {
  return (
    <table class="facts">
      <caption class={quiet ? "sr" : undefined}>{caption}</caption>
      <tbody>{children}</tbody>
    </table>
  );
}

/** FactRow is a word, its value, and what more there is to say of it. */
export function FactRow({ word, tip, more, children }: { word: ComponentChildren; tip?: string; more?: ComponentChildren; children: ComponentChildren }) {
  return (
    <tr>
      <th scope="row" data-tip={tip}>
        {word}
      </th>
      <td class="num">{children}</td>
      {more !== undefined && <td class="num muted">{more}</td>}
    </tr>
  );
}

/** Selected is the head of the inspector: what sort of thing is selected, and its name. */
export function Selected({ what, name }: { what: string; name: string }) {
  return (
    <>
      <p class="what">{what}</p>
      <h2 class="title">
        <bdi>{visible(name)}</bdi>
      </h2>
    </>
  );
}

/** Trend is the course of a value over the profiles, in the inspector. children is what else its caption says. */
export function Trend({ values, print, label, children }: { values: readonly number[]; print: (v: number) => string; label?: string; children?: ComponentChildren }) {
  const [first, last] = [values[0] ?? 0, values.at(-1) ?? 0];
  return (
    <figure class="trend">
      <figcaption class="label">
        Over {values.length} profiles: {print(first)} → {print(last)}
        {children}
      </figcaption>
      <Spark values={values} tone={toneOf(first, last)} width={328} height={44} label={label ?? `From ${print(first)} to ${print(last)} over ${values.length} profiles`} />
    </figure>
  );
}
