// The inspector: everything about the selection, the same in every view.

import { useLoad } from "../api.ts";
import { useCommands } from "../commands.ts";
import { delta, place, quantity, ratio, share } from "../format.ts";
import { Button, Delta, FactRow, Facts, IconButton, Name, Note, Origin, Selected, Trend, Warning } from "../parts/index.ts";
import { value } from "../session.ts";
import { colour, unindent, untab } from "../source/colour.tsx";
import { copy, drawer } from "../shell.ts";
import { addTransform, dataURL, navigate, quoteRegexp, selectFunction, selection, state } from "../state.ts";
import type { FunctionInfo, Neighbour, Session, SourceLine } from "../types.ts";
import { hasView, views } from "../views/index.ts";

export function Inspector({ session }: { session: Session }) {
  const s = state.value;
  const sel = selection(s);
  const own = sel && views.find((v) => v.inspector?.sort === sel.sort)?.inspector;
  return (
    <aside class={drawer.value ? "side open" : "side"} aria-label="Inspector">
      <IconButton label="Close inspector" cls="onlynarrow closer" icon="close" onClick={() => (drawer.value = false)} />
      {!sel && <Nothing />}
      {sel && own && <own.View name={sel.name} state={s} session={session} />}
      {sel && !own && sel.sort === "f" && <OfFunction name={sel.name} session={session} />}
      {sel && !own && sel.sort !== "f" && <Selected what={{ t: "Type", g: "Goroutines", l: "Line" }[sel.sort]} name={sel.name} />}
    </aside>
  );
}

function Nothing() {
  return (
    <div class="hintbox">
      <h2>Nothing selected</h2>
      <p>Click a frame or a row, or move with the arrows. The selection stays when the view changes.</p>
    </div>
  );
}

function OfFunction({ name, session }: { name: string; session: Session }) {
  const load = useLoad<FunctionInfo>(dataURL(state.value, "function", ["sel"]));
  const f = load.data?.name === name ? load.data : null;
  return (
    <>
      <Selected what="Selected function" name={name} />
      <Warning e={load.error} />
      {!f && !load.error && <div class="skeleton facts-wait" aria-hidden>{[0, 1, 2, 3, 4].map((i) => <i key={i} />)}</div>}
      {f && <Known f={f} session={session} />}
    </>
  );
}

function Known({ f, session }: { f: FunctionInfo; session: Session }) {
  const apart = state.value.view === "table"; // which shows them itself
  return (
    <>
      <p class="where">
        <Origin category={f.category} word />
        {f.file && (
          <>
            {" · "}
            <span data-tip={f.file} tabIndex={0}>
              <bdi>{place(f.file, f.line)}</bdi>
            </span>
          </>
        )}
      </p>
      <Values f={f} />
      {f.trend && f.trend.cum.length > 1 && <Trend values={f.trend.cum} print={(v) => quantity(v, f.unit)} />}
      <Next f={f} session={session} />
      <Lines f={f} />
      {!apart && <Some title="Callers" list={f.callers} most={4} more={f.moreCallers} f={f} />}
      {!apart && <Some title="Callees" list={f.callees} most={6} more={f.moreCallees} f={f} />}
    </>
  );
}

/** Some are the first callers or callees. */
function Some({ title, list, most, more = 0, f }: { title: string; list: readonly Neighbour[]; most: number; more?: number; f: FunctionInfo }) {
  if (!list.length) return null;
  return (
    <>
      <h3>{title}</h3>
      <Neighbours list={list.slice(0, most)} more={list.length - most + more} of={f.cum} unit={f.unit} />
    </>
  );
}

function Values({ f }: { f: FunctionInfo }) {
  const title = value.value?.title ?? f.value;
  return (
    <Facts caption="Values of the function" quiet>
      <FactRow word="cum" tip={`${title}: in it and in everything it called`} more={share(f.cum, f.total)}>
        {quantity(f.cum, f.unit)}
      </FactRow>
      <FactRow word="flat" tip={`${title}: in its own lines`} more={share(f.flat, f.total)}>
        {quantity(f.flat, f.unit)}
      </FactRow>
      {f.cumBase !== undefined && (
        <FactRow word="change" more={ratio(f.cumBase, f.cum)}>
          <Delta base={f.cumBase} current={f.cum} unit={f.unit} />
        </FactRow>
      )}
      {f.others
        ?.filter((o) => o.cum !== 0)
        .map((o) => (
          <FactRow key={o.value} word={o.value.replaceAll("_", " ")} more={o.cumBase === undefined || o.cumBase === o.cum ? "" : delta(o.cum - o.cumBase, o.unit)}>
            {quantity(o.cum, o.unit)}
          </FactRow>
        ))}
    </Facts>
  );
}

/** editorLink opens a line in the user's editor, "" when there is none or the file is not here. */
export function editorLink(session: Session, file: string | undefined, line: number | undefined): string {
  if (!session.editor || !file || !/^(\/|[A-Za-z]:[\\/])/.test(file)) return "";
  const path = encodeURI(file.replaceAll("\\", "/")).replace(/[?#&]/g, encodeURIComponent);
  return session.editor.replace("{file}", () => (path.startsWith("/") ? path : "/" + path)).replace("{line}", String(line || 1));
}

/** EditorLink is a link of editorLink. */
export function EditorLink({ href, keys }: { href: string; keys?: string }) {
  return (
    <a class="btn" href={href} aria-keyshortcuts={keys}>
      Open in editor
    </a>
  );
}

/** hottest is the line with the most, else the first of the function. */
function hottest(f: FunctionInfo): number | undefined {
  const lines = (f.lines ?? []).filter((l) => !l.file || l.file === f.lines?.[0]?.file);
  return lines.reduce<SourceLine | undefined>((a, b) => (a && a.cum >= b.cum ? a : b), undefined)?.line ?? f.line;
}

/** Next are the steps that make sense from here. */
function Next({ f, session }: { f: FunctionInfo; session: Session }) {
  const can = (id: string) => state.value.view !== id && hasView(session, id);
  const memory = f.unit === "bytes" || f.kind === "heap";
  const editor = editorLink(session, f.source || f.file, hottest(f));
  useCommands("Selection", [{ id: "editor", title: "Open the selected function in the editor", keys: ["e"], when: () => editor !== "", run: () => location.assign(editor) }]);
  return (
    <div class="next">
      {can("retention") && memory && (
        <Button main onClick={() => navigate({ view: "retention" })} keys="r">
          Who holds it
        </Button>
      )}
      {can("source") && <Button onClick={() => navigate({ view: "source" })}>Source</Button>}
      {can("flame") && <Button onClick={() => navigate({ view: "flame", keys: { z: undefined } })}>Flame</Button>}
      {can("graph") && <Button onClick={() => navigate({ view: "graph" })}>Call graph</Button>}
      <Button onClick={() => addTransform("focus", quoteRegexp(f.name))} tip="Keep the samples with this function">Focus</Button>
      <Button onClick={() => addTransform("hide", quoteRegexp(f.name))} tip="Take this function out of the stacks">Hide</Button>
      {editor && <EditorLink href={editor} keys="e" />}
      <Button onClick={() => void copy(f.name, "Name")} tip="Copy the name">Copy name</Button>
    </div>
  );
}

/** Lines previews the lines with the most, in order of their numbers. */
function Lines({ f }: { f: FunctionInfo }) {
  const list = f.lines ?? [];
  if (!list.length) return null;
  const most = [...list].sort((a, b) => b.cum - a.cum).slice(0, 8).sort((a, b) => a.line - b.line);
  const indent = Math.min(...most.map((l) => (/^\s*/.exec(l.text) as RegExpExecArray)[0].replaceAll("\t", "  ").length));
  const top = Math.max(...most.map((l) => l.cum));
  return (
    <>
      <h3 data-tip={f.source || f.file}>
        <bdi>{place(f.source || f.file)}</bdi>
      </h3>
      <table class="lines">
        <caption class="sr">Lines with the largest values</caption>
        <colgroup>
          <col class="no" />
          <col class="v" />
          <col />
        </colgroup>
        <tbody>
          {most.map((l) => (
            <LineRow key={`${l.file}:${l.line}`} l={l} unit={f.unit} hot={l.cum >= 0.25 * top} indent={indent} />
          ))}
        </tbody>
      </table>
      {f.sourceMissing && <Note>{f.sourceMissing}</Note>}
    </>
  );
}

function LineRow({ l, unit, hot, indent }: { l: SourceLine; unit: string; hot: boolean; indent: number }) {
  const text = unindent(untab(l.text, l.marks), indent);
  return (
    <tr class={hot ? "hot" : undefined}>
      <td class="no">
        <button aria-label={`Line ${l.line} in the source`} onClick={() => navigate({ view: "source", keys: { sel: `l:${l.file}:${l.line}` } })}>
          {l.line}
        </button>
      </td>
      <td class="v num">{quantity(l.cum, unit)}</td>
      <td title={l.text.trim()}>{colour(text.text, text.marks)}</td>
    </tr>
  );
}

/** Neighbours lists callers or callees; a click selects one. */
export function Neighbours({ list, of, unit, none, more = 0 }: { list: readonly Neighbour[]; of: number; unit: string; none?: string; more?: number }) {
  if (!list.length) return none ? <Note>{none}</Note> : null;
  return (
    <div class="neighbours">
      {list.map((n) => (
        <button key={n.name} class="neighbour" onClick={() => selectFunction(n.entry ?? n.name)} title={n.name}>
          <Origin category={n.category} />
          <Name name={n.name} strong={false} />
          <span class="num">{n.base === undefined ? quantity(n.value, unit) : <Delta base={n.base} current={n.value} unit={unit} />}</span>
          <span class="num">{share(n.value, of)}</span>
        </button>
      ))}
      {more > 0 && <Note>and {more} more</Note>}
    </div>
  );
}
