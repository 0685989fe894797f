// What is looked at: target, kind, value, base and current, search.

import { useRef } from "preact/hooks";
import { clock } from "../format.ts";
import { ChoiceList, Icon, Keys, Menu, Popover, Seg, type Choice } from "../parts/index.ts";
import { base, current, kind, shots, value } from "../session.ts";
import { dialog, drawer, found, toggleTheme } from "../shell.ts";
import { navigate, setKey, state } from "../state.ts";
import type { Session, Shot } from "../types.ts";

export function TopBar({ session }: { session: Session | null }) {
  return (
    <header class="topbar">
      <a class="logo" href="/" aria-label="Profound, start page" onClick={(e) => home(e)}>
        <i aria-hidden="true" />
        <span>Profound</span>
      </a>
      {session && <Data session={session} />}
      <span class="grow" />
      <button type="button" class="keybtn" data-tip="Search commands" onClick={() => (dialog.value = "palette")}>
        <span class="sr">Search commands</span>
        <Keys k="Ctrl+K" />
      </button>
      <button type="button" class="iconbtn" aria-label="Switch between light and dark" data-tip="Light or dark" onClick={toggleTheme}>
        <Icon name="theme" />
      </button>
      {session && (
        <button type="button" class="iconbtn onlynarrow" aria-label="Inspector" aria-expanded={drawer.value} onClick={() => (drawer.value = !drawer.value)}>
          <Icon name="panel" />
        </button>
      )}
    </header>
  );
}

function home(e: MouseEvent): void {
  if (e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
  e.preventDefault();
  navigate({ session: "", view: "home", x: [], keys: {} });
}

function Data({ session }: { session: Session }) {
  const k = kind.value;
  const many = session.kinds.length > 4;
  // Another kind has other values and profiles: those keys go back to its own defaults.
  const setKind = (id: string) => navigate({ keys: { kind: id === session.kind ? undefined : id, value: undefined, cur: undefined, base: undefined } });
  return (
    <>
      <span class="pill target" data-tip={session.title}>
        <span class="word">target</span>
        <b>{session.title}</b>
      </span>
      {k && session.kinds.length > 1 && !many && <Seg label="Kind of profile" value={k.kind} options={session.kinds.map((x) => ({ id: x.kind, title: x.title }))} onChange={setKind} />}
      {k && many && <Menu label="Kind of profile" word="kind" value={k.kind} choices={session.kinds.map((x) => ({ id: x.kind, title: x.title }))} onChange={setKind} />}
      {k && value.value && (
        <Menu
          label="Value"
          word="value"
          value={value.value.name}
          choices={k.values.map((v) => ({ id: v.name, title: v.title ?? v.name, more: v.title && v.title !== v.name ? v.name : undefined }))}
          onChange={(id) => setKey("value", id === k.value ? undefined : id)}
          note={k.why}
        />
      )}
      {shots.value.length > 1 && <Moments />}
      <Search />
    </>
  );
}

/** shotTitle is how a profile is called: by its time, else by its name. */
export function shotTitle(id: string, list: readonly Shot[]): string {
  if (id === "all") return `all ${list.length}`;
  const range = /^(\w+)\.\.(\w+)$/.exec(id);
  if (range) return `${shotTitle(range[1] as string, list)} – ${shotTitle(range[2] as string, list)}`;
  const s = list.find((s) => s.id === id);
  if (!s) return id;
  const times = list.map((s) => s.time);
  const distinct = new Set(times).size === times.length;
  return s.time && distinct ? clock(s.time, times) : s.name.slice(s.name.lastIndexOf("/") + 1) || s.id;
}

function Moments() {
  const list = shots.value;
  const title = (id: string) => shotTitle(id, list);
  const choices: Choice[] = list.map((s) => ({ id: s.id, title: title(s.id), more: s.id }));
  const known = (id: string) => choices.some((c) => c.id === id) || id === "all" || id === "none";
  const extra = (id: string): Choice[] => (known(id) || !id ? [] : [{ id, title: title(id) }]);
  const face = base.value ? (
    <>
      <span class="word">base</span>
      <b>{title(base.value)}</b>→<b>{title(current.value)}</b>
      <Icon name="down" />
    </>
  ) : (
    <>
      <span class="word">profile</span>
      <b>{title(current.value)}</b>
      <Icon name="down" />
    </>
  );
  const k = kind.value;
  return (
    <Popover title={face} label="Base and current profile">
      {(close) => (
        <div class="moments">
          <section>
            <h3>Base</h3>
            <ChoiceList label="Base" value={base.value || "none"} choices={[{ id: "none", title: "none" }, ...extra(base.value), ...choices]} onChange={(id) => (close(), setKey("base", id === (k?.base ?? "none") ? undefined : id))} />
          </section>
          <section>
            <h3>Current</h3>
            <ChoiceList label="Current" value={current.value} choices={[...extra(current.value), ...choices, { id: "all", title: "all added up" }]} onChange={(id) => (close(), setKey("cur", id === k?.cur ? undefined : id))} />
          </section>
        </div>
      )}
    </Popover>
  );
}

function Search() {
  const ref = useRef<HTMLInputElement>(null);
  const q = state.value.keys["q"] ?? "";
  const hits = found.value;
  const key = (e: KeyboardEvent) => {
    if (e.key === "Enter") {
      if (e.shiftKey) hits?.previous();
      else hits?.next();
    } else if (e.key === "Escape") {
      if (q) setKey("q", undefined, { replace: true });
      else ref.current?.blur();
    } else return;
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div class="search" role="search">
      <input id="search" ref={ref} type="search" placeholder="Search" aria-label="Search functions" autocomplete="off" spellcheck={false} value={q} onInput={(e) => setKey("q", e.currentTarget.value, { replace: true })} onKeyDown={key} />
      {q && hits ? (
        <>
          <span class={hits.none ? "hits none" : "hits"} role="status">
            {hits.text}
          </span>
          <button type="button" class="iconbtn bare" aria-label="Previous match" disabled={hits.none} onClick={hits.previous}>
            <Icon name="up" />
          </button>
          <button type="button" class="iconbtn bare" aria-label="Next match" disabled={hits.none} onClick={hits.next}>
            <Icon name="down" />
          </button>
        </>
      ) : (
        <kbd aria-hidden="true">/</kbd>
      )}
    </div>
  );
}
