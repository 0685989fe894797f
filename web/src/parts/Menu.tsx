// A button that opens a list of choices; and the layer such lists and other
// floating things lie on (the browser's own popover: on top of everything,
// closed by Escape or a click elsewhere).

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { take } from "../events.ts";
import { Icon } from "./Icon.tsx";

/** Popover is a button with what it opens. children is a function so that nothing is made before it is open. */
export function Popover({ title, label, children, kind = "dialog", cls = "pill" }: { title: ComponentChildren; label?: string; children: (close: () => void) => ComponentChildren; kind?: "menu" | "listbox" | "dialog"; cls?: string }) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const layer = useRef<HTMLDivElement>(null);
  const id = useId();
  // Before it is painted, so that the first key finds the focus where it will be.
  useLayoutEffect(() => {
    const el = layer.current;
    if (!open || !el || !button.current) return;
    el.showPopover();
    putBelow(el, button.current.getBoundingClientRect());
    const first = el.querySelector<HTMLElement>('[aria-checked="true"], [aria-selected="true"], input, button, [tabindex="0"]');
    first?.focus();
    const toggled = (e: Event) => {
      if ((e as ToggleEvent).newState === "closed") setOpen(false);
    };
    el.addEventListener("toggle", toggled);
    return () => el.removeEventListener("toggle", toggled);
  }, [open]);
  const close = () => {
    layer.current?.hidePopover();
    setOpen(false);
    button.current?.focus();
  };
  return (
    <>
      <button ref={button} class={cls} aria-haspopup={kind} aria-expanded={open} aria-controls={open ? id : undefined} onClick={() => setOpen(!open)}>
        {title}
      </button>
      {open && (
        <div ref={layer} id={id} class="popover" popover="auto" role={kind === "dialog" ? "dialog" : undefined} aria-label={kind === "dialog" ? label : undefined} onKeyDown={(e) => e.key === "Escape" && (e.stopPropagation(), close())}>
          {children(close)}
        </div>
      )}
    </>
  );
}

function putBelow(el: HTMLElement, at: DOMRect): void {
  const box = el.getBoundingClientRect();
  el.style.left = `${Math.max(8, Math.min(at.left, innerWidth - box.width - 8))}px`;
  const below = at.bottom + 4;
  el.style.top = `${below + box.height > innerHeight - 8 ? Math.max(8, at.top - 4 - box.height) : below}px`;
}

export interface Choice {
  id: string;
  title: ComponentChildren;
  /** A second line or a number at the right. */
  more?: ComponentChildren;
}

/** Menu is a button that shows the chosen one of several, and opens the others. */
export function Menu({ word, label, value, choices, onChange, note }: { word?: string; label: string; value: string; choices: readonly Choice[]; onChange: (id: string) => void; note?: ComponentChildren }) {
  const chosen = choices.find((c) => c.id === value);
  const title = (
    <>
      {word && <span class="word">{word}</span>}
      <b>{chosen?.title ?? value}</b>
      <Icon name="down" />
    </>
  );
  return (
    <Popover title={title} label={label} kind="menu">
      {(close) => (
        <>
          <ChoiceList
            label={label}
            value={value}
            choices={choices}
            onChange={(id) => {
              close();
              onChange(id);
            }}
          />
          {note && <p class="note">{note}</p>}
        </>
      )}
    </Popover>
  );
}

/** ChoiceList is a menu of one choice, walked with the arrows. */
export function ChoiceList({ label, value, choices, onChange }: { label: string; value: string; choices: readonly Choice[]; onChange: (id: string) => void }) {
  const walk = (e: KeyboardEvent & { currentTarget: HTMLElement }) => {
    const items = [...e.currentTarget.querySelectorAll<HTMLElement>("[role=menuitemradio]")];
    const i = items.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: i + 1, ArrowUp: i - 1, Home: 0, End: items.length - 1 }[e.key];
    if (to === undefined) return;
    take(e);
    items[(to + items.length) % items.length]?.focus();
  };
  return (
    <div class="choices" role="menu" aria-label={label} onKeyDown={walk}>
      {choices.map((c) => (
        <button key={c.id} role="menuitemradio" aria-checked={c.id === value} tabIndex={c.id === value ? 0 : -1} onClick={() => onChange(c.id)}>
          <span>{c.title}</span>
          {c.more && <span class="more">{c.more}</span>}
        </button>
      ))}
    </div>
  );
}
