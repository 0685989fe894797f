// What is looked at: target, kind, value, base and current, search.

import { useRef } from "preact/hooks";
import { follow, take } from "../events.ts";
import { clock } from "../format.ts";
import { ChoiceList, Icon, IconButton, Keys, Menu, Popover, Seg, type Choice } from "../parts/index.ts";
import { saved } from "../saved.ts";
import { base, current, given, kind, shots, value } from "../session.ts";
import { dialog, drawer, found, toggleTheme } from "../shell.ts";
import { inPlace, link, navigate, setKey, startPage, state } from "../state.ts";
import type { Session, Shot } from "../types.ts";

export function TopBar({ session }: { session: Session | null }) {
  return (
    <header class="topbar">
      <a class="logo" href={link("/")} aria-label="Profound, start page" onClick={follow(startPage)}>
        <i aria-hidden />
        <span>Profound</span>
      </a>
      {session && <Data session={session} />}
      <span class="grow" />
      <button class="keybtn" data-tip="Search commands" onClick={() => (dialog.value = "palette")}>
        <span class="sr">Search commands</span>
        <Keys k="Ctrl+K" />
      </button>
      {session && !saved && <IconButton label="Export as one HTML file" tip="Save as one HTML file" icon="save" onClick={() => (dialog.value = "export")} />}
      <IconButton label="Switch between light and dark" tip="Light or dark" icon="theme" onClick={toggleTheme} />
      {session && <IconButton label="Inspector" cls="onlynarrow" icon="panel" expanded={drawer.value} onClick={() => (drawer.value = !drawer.value)} />}
    </header>
  );
}

function Data({ session }: { session: Session }) {
  const k = kind.value;
  const kinds = session.kinds.map((x) => ({ id: x.kind, title: x.title }));
  // Another kind has other values and profiles: those keys go back to its own defaults.
  const setKind = (id: string) => navigate({ keys: { kind: id === session.kind ? undefined : id, value: undefined, cur: undefined, base: undefined } });
  return (
    <>
      <span class="pill target" data-tip={session.title}>
        <span class="word">target</span>
        <b>{session.title}</b>
      </span>
      {k && kinds.length > 1 && kinds.length <= 4 && <Seg label="Kind of profile" value={k.kind} options={kinds.map((x) => [x.id, x.title])} onChange={setKind} />}
      {k && kinds.length > 4 && <Menu label="Kind of profile" word="kind" value={k.kind} choices={kinds} onChange={setKind} />}
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
      {given.value.length > 1 && <Moments />}
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
  const list = given.value;
  const title = (id: string) => shotTitle(id, id === "all" ? shots.value : list);
  const choices: Choice[] = list.map((s) => ({ id: s.id, title: title(s.id), more: s.id }));
  const own = choices.filter((c) => c.id.startsWith("p"));
  const extra = (id: string, to: Choice[]): Choice[] => (!id || id === "all" || id === "none" || to.some((c) => c.id === id) ? [] : [{ id, title: title(id) }]);
  const face = (
    <>
      <span class="word">{base.value ? "base" : "profile"}</span>
      {base.value && (
        <>
          <b>{title(base.value)}</b>→
        </>
      )}
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
            <ChoiceList label="Base" value={base.value || "none"} choices={[{ id: "none", title: "none" }, ...extra(base.value, choices), ...choices]} onChange={(id) => (close(), setKey("base", id === (k?.base ?? "none") ? undefined : id))} />
          </section>
          <section>
            <h3>Current</h3>
            <ChoiceList label="Current" value={current.value} choices={[...extra(current.value, own), ...own, { id: "all", title: "all added up" }]} onChange={(id) => (close(), setKey("cur", id === k?.cur ? undefined : id))} />
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
      if (q) setKey("q", undefined, inPlace);
      else ref.current?.blur();
    } else return;
    take(e);
  };
  return (
    <div class="search" role="search">
      <input id="search" ref={ref} type="search" placeholder="Search" aria-label="Search functions" autocomplete="off" spellcheck={false} value={q} onInput={(e) => setKey("q", e.currentTarget.value, inPlace)} onKeyDown={key} />
      {q && hits ? (
        <>
          <span class={hits.none ? "hits none" : "hits"} role="status">
            {hits.text}
          </span>
          <IconButton label="Previous match" cls="bare" icon="up" disabled={hits.none} onClick={hits.previous} />
          <IconButton label="Next match" cls="bare" icon="down" disabled={hits.none} onClick={hits.next} />
        </>
      ) : (
        <kbd aria-hidden>/</kbd>
      )}
    </div>
  );
}
