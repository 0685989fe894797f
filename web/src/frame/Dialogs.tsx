// The palette of commands (Ctrl+K) and the help with all keys (?).

import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { commands, lettersOn, match, setLetters, type Command } from "../commands.ts";
import { IconButton, Keys } from "../parts/index.ts";
import { dialog } from "../shell.ts";
import { Export } from "./Export.tsx";

export function Dialogs() {
  if (dialog.value === "palette") return <Palette />;
  if (dialog.value === "help") return <Help />;
  if (dialog.value === "export")
    return (
      <Modal cls="help export" label="Export">
        <Export />
      </Modal>
    );
  return null;
}

function close(): void {
  dialog.value = "";
}

/** Modal is a dialog over the page; the keyboard is its own while it is open. */
function Modal({ cls, label, children }: { cls: string; label: string; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    ref.current?.showModal();
    return () => before?.focus?.();
  }, []);
  return (
    <dialog ref={ref} class={cls} aria-label={label} onClose={close} onKeyDown={(e) => e.key === "Escape" && (e.preventDefault(), close())} onClick={(e) => e.target === e.currentTarget && close()}>
      {children}
    </dialog>
  );
}

function Palette() {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const list = ranked(typed);
  const run = (c: Command | undefined) => {
    if (!c) return;
    close();
    setTimeout(c.run);
  };
  const key = (e: KeyboardEvent) => {
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: list.length - 1 }[e.key];
    if (to !== undefined) {
      setAt((to + list.length) % Math.max(1, list.length));
      document.getElementById(`${id}-${to}`)?.scrollIntoView({ block: "nearest" });
    } else if (e.key === "Enter") run(list[at]);
    else return;
    e.preventDefault();
  };
  return (
    <Modal cls="palette" label="Commands">
      <input
        autofocus
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={list.length ? `${id}-${at}` : undefined}
        aria-label="Search commands"
        placeholder="What do you want to do?"
        autocomplete="off"
        spellcheck={false}
        value={typed}
        onInput={(e) => {
          setTyped(e.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={key}
      />
      {list.length === 0 && <p class="nothing">No command has these words.</p>}
      <ul id={`${id}-list`} role="listbox" aria-label="Commands">
        {list.map((c, i) => (
          <li key={c.id} id={`${id}-${i}`} role="option" aria-selected={i === at} onPointerMove={() => setAt(i)} onClick={() => run(c)}>
            <span class="title">{c.title}</span>
            <span class="group">{c.group}</span>
            {c.keys?.[0] && <Keys k={c.keys[0]} />}
          </li>
        ))}
      </ul>
    </Modal>
  );
}

function ranked(typed: string): Command[] {
  return commands.value
    .filter((c) => !c.plain)
    .map((c, i) => ({ c, i, score: match(`${c.title} ${c.group}`, typed) }))
    .filter((r) => r.score > 0)
    .sort((a, b) => b.score - a.score || a.i - b.i)
    .map((r) => r.c);
}

function Help() {
  const groups = new Map<string, Command[]>();
  for (const c of commands.value) {
    if (!c.keys?.length) continue;
    groups.set(c.group, [...(groups.get(c.group) ?? []), c]);
  }
  return (
    <Modal cls="help" label="Keys">
      <header>
        <h2>Keys</h2>
        <IconButton label="Close" cls="bare" icon="close" onClick={close} />
      </header>
      <div class="columns">
        {[...groups].map(([group, list]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {list.map((c) => (
                <>
                  <dt key={c.id}>{c.title}</dt>
                  <dd>
                    {c.keys?.map((k) => (
                      <kbd key={k}>{k.replace("Arrow", "").replace("Escape", "Esc")}</kbd>
                    ))}
                  </dd>
                </>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <label>
        <input type="checkbox" checked={lettersOn.value} onChange={(e) => setLetters(e.currentTarget.checked)} />
        Single letters are keys (turn off when you dictate)
      </label>
    </Modal>
  );
}
