// Source: a file with what was sampled on each line, the places with the most
// at its left, the machine code beside it. URL keys of its own: asm (1: the
// machine code is shown), list (lines, functions, files).

import { useMemo, useState } from "preact/hooks";
import { useLoad } from "../api.ts";
import { useCommands } from "../commands.ts";
import { columnScale, delta, inScale, integer, place, plural, quantity, sentence, share, splitName, visible } from "../format.ts";
import { Bar, Button, Card, Delta, Empty, FactRow, Facts, IconButton, Name, NoSamples, Note, Origin, Parted, Seg, Selected, Warning } from "../parts/index.ts";
import { totalWords } from "../session.ts";
import { matching, useFound } from "../search.ts";
import { copy, say, useStatus } from "../shell.ts";
import { dataURL, get, inPlace, navigate, select, selectFunction, selection, setKey, type State } from "../state.ts";
import { EditorLink, editorLink } from "../frame/Inspector.tsx";
import { categories, type Session } from "../types.ts";
import { Asm, Code, lineSum, sourceRows, type SourceRow } from "../source/Code.tsx";
import type { Assembly, Hot, HotPlace, Missing, Source } from "../source/types.ts";
import type { View, ViewProps } from "./index.ts";

/** lineOf takes the line off the name of a selection l:FILE:LINE. */
export function lineOf(name: string): [file: string, line: number] {
  const m = /^(.+):(\d+)$/.exec(name);
  return m ? [m[1] as string, Number(m[2])] : [name, 0];
}

/** sourceURL asks for the file of the selection. The line is left out, so that walking through a file asks once. */
function sourceURL(s: State): string {
  const sel = selection(s);
  if (sel?.sort !== "l") return dataURL(s, "source", sel?.sort === "f" ? ["sel"] : []);
  return dataURL({ ...s, keys: { ...s.keys, sel: `l:${lineOf(sel.name)[0]}` } }, "source", ["sel"]);
}

/** functionAt is the function a line belongs to: the last one that begins before it. */
function functionAt(s: Source, line: number): string {
  const here = s.lines.find((l) => l.line === line);
  if (here) return s.functions[here.function]?.name ?? "";
  let name = s.functions[0]?.name ?? "";
  for (const f of s.functions) if (f.first <= line) name = f.name;
  return name;
}

function SourceView({ data, state, session, stale }: ViewProps<Source>) {
  const sel = selection(state);
  const line = sel?.sort === "l" ? lineOf(sel.name)[1] || data.line : data.line;
  const rows = useMemo(() => sourceRows(data), [data]);
  const [hover, setHover] = useState(0);
  const asm = get(state, "asm") === "1";
  const choose = (n: number) => select("l", `${data.file}:${n}`);
  const shown = useSearch(rows, data, state, choose);
  const hot = useMemo(() => hotLines(rows), [rows]);
  const jump = (by: number) => {
    if (!hot.length) return;
    const at = hot.findIndex((r) => r.line === line);
    const next = hot[at < 0 ? 0 : (at + by + hot.length) % hot.length] as SourceRow;
    choose(next.line);
    say(`Line ${next.line}, ${quantity(next.sum.flat || next.sum.cum, data.unit)}`);
  };
  const edit = editorLink(session, data.path, line);
  useSourceCommands(jump, asm, edit, data, line);
  const open = () => selectFunction(functionAt(data, line));
  useStatus([
    totalWords(data),
    data.file && `${place(data.file)} ${share(data.cum, data.total)}`,
    data.path && `${plural(data.lines.length, "line")} with samples of ${integer(data.count)}`,
    data.text.length < data.count && `lines ${integer(data.first)} to ${integer(data.first + data.text.length - 1)} are shown`,
    data.note,
    ...data.warnings,
  ]);
  if (data.filters.length > 0 && data.shown === 0 && !data.baseShown) return <NoSamples state={state} to="list" />;
  if (!data.file) return <Empty title={data.missing?.text ?? "No samples are left"}>{data.missing?.hint}</Empty>;
  return (
    <>
      <div class="toolbar">
        <div class="group filename">
          <Origin category={data.category} />
          <b title={data.path || data.file}>
            <bdi>{visible(data.file)}</bdi>
          </b>
          <span class="label num">
            flat {quantity(data.flat, data.unit)} · cum {quantity(data.cum, data.unit)}
            {data.cumBase !== undefined && <> · <Delta base={data.cumBase} current={data.cum} unit={data.unit} /></>}
          </span>
        </div>
        <div class="group">
          {hot.length > 1 && (
            <span class="hops">
              <IconButton label="Hot line before" tip="Hot line before (k)" icon="up" onClick={() => jump(-1)} />
              <IconButton label="Next hot line" tip="Next hot line (j)" icon="down" onClick={() => jump(1)} />
            </span>
          )}
          {edit && <EditorLink href={edit} />}
          <Seg
            label="What is shown"
            value={asm ? "1" : ""}
            options={[
              ["", "Source"],
              ["1", "With assembly", "Machine code beside the source, linked line by line"],
            ]}
            onChange={(v) => setKey("asm", v || undefined)}
          />
        </div>
      </div>
      <div class={`sourcebox${asm ? " asm" : ""}`}>
        <Places state={state} at={data} line={line} />
        <Card cls="flush listing" label="Source" loading={stale}>
          {(data.missing ?? data.stale) && <NotThere m={(data.missing ?? data.stale)!} />}
          <Code source={data} rows={rows} selected={line} hover={hover} found={shown} onLine={choose} onHover={setHover} onOpen={open} show={{ row: rows.findIndex((r) => r.line === line), key: `${data.file}:${line}` }} />
        </Card>
        {asm && <Machine state={state} name={functionAt(data, line)} line={line} hover={hover} onHover={setHover} onLine={choose} />}
      </div>
    </>
  );
}

/** hotLines are the lines worth jumping to, the hottest first. */
function hotLines(rows: readonly SourceRow[]): SourceRow[] {
  const flats = rows.some((r) => r.sum.flat !== 0);
  const of = (r: SourceRow) => Math.max(Math.abs(flats ? r.sum.flat : r.sum.cum), Math.abs((flats ? r.sum.flatBase : r.sum.cumBase) ?? 0));
  return rows
    .filter((r) => of(r) > 0)
    .sort((a, b) => of(b) - of(a) || a.line - b.line)
    .slice(0, 30);
}

function useSourceCommands(jump: (by: number) => void, asm: boolean, edit: string, data: Source, line: number): void {
  useCommands("Source", [
    { id: "source.next", title: "Next hot line", keys: ["j"], bar: "hot line", run: () => jump(1) },
    { id: "source.previous", title: "Hot line before", keys: ["k"], run: () => jump(-1) },
    { id: "source.asm", title: "Machine code beside the source", keys: ["s"], bar: "assembly", run: () => setKey("asm", asm ? undefined : "1") },
    { id: "source.function", title: "Select the function of the line", keys: ["Enter"], bar: "function", run: () => selectFunction(functionAt(data, line)) },
    { id: "source.edit", title: "Open in editor", keys: ["e"], when: () => edit !== "", run: () => location.assign(edit) },
    { id: "source.place", title: "Copy file and line", run: () => void copy(`${data.path || data.file}:${line}`, "Place") },
    { id: "source.code", title: "To the lines", keys: ["ArrowDown", "ArrowUp"], plain: true, run: () => document.querySelector<HTMLElement>(".listing .code")?.focus() },
  ]);
}

/** useSearch marks the lines whose text matches, and goes through them. */
function useSearch(rows: readonly SourceRow[], data: Source, state: State, go: (line: number) => void): ReadonlySet<number> {
  const q = state.keys["q"] ?? "";
  const lines = useMemo(() => matching(q, rows.map((r) => r.text))?.map((i) => (rows[i] as SourceRow).line) ?? null, [rows, q]);
  useFound(lines, { words: () => `${integer(lines!.length)} in ${place(data.file)}`, none: "none here", go });
  return useMemo(() => new Set(lines ?? []), [lines]);
}

/** NotThere says why something is missing, and what helps. */
function NotThere({ m }: { m: Missing }) {
  return (
    <div class="notthere">
      <p>
        <b>{visible(m.text)}</b> {m.hint}
      </p>
      {m.tried.length > 0 && (
        <details>
          <summary>Looked for in {plural(m.tried.length, "place")}</summary>
          <ul class="mono">
            {m.tried.map((t) => (
              <li key={t}>
                <bdi>{visible(t)}</bdi>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

/** Places are the lines, functions and files with the most. */
function Places({ state, at, line }: { state: State; at: Source; line: number }) {
  const load = useLoad<Hot>(dataURL(state, "hot"));
  const what = get(state, "list") as "lines" | "functions" | "files";
  const h = load.data;
  const list = h?.[what] ?? [];
  const more = h?.more[["lines", "functions", "files"].indexOf(what)] ?? 0;
  const s = useMemo(() => columnScale(list.flatMap((p) => [p.flat, p.flatBase ?? 0]), at.unit), [list]);
  const top = Math.max(...list.map((p) => Math.abs(p.flat)), 0);
  const isAt = (p: HotPlace) => (what === "lines" ? p.file === at.file && p.line === line : what === "files" ? p.file === at.file : p.name === at.function || p.name === functionAt(at, line));
  const go = (p: HotPlace) => (what === "functions" ? selectFunction(p.name ?? "") : select("l", what === "lines" ? `${p.file}:${p.line}` : (p.file ?? "")));
  return (
    <nav class="card flush places" aria-label="Places with the most">
      <div class="placeshead">
        <Seg
          label="List"
          value={what}
          options={[
            ["lines", "Lines"],
            ["functions", "Functions"],
            ["files", "Files"],
          ]}
          onChange={(v) => setKey("list", v, inPlace)}
        />
      </div>
      <ul>
        {list.map((p) => (
          <li key={`${p.name}|${p.file}|${p.line}`}>
            <button aria-current={isAt(p) ? "true" : undefined} onClick={() => go(p)} title={[p.name, p.file && `${p.file}${p.line ? `:${p.line}` : ""}`].filter(Boolean).join("\n")}>
              <span class="namecell">
                <Origin category={p.category} />
                {what === "lines" ? <bdi class="at"><span class="fn">{place(p.file)}</span>:{p.line}</bdi> : what === "files" ? <FileName file={p.file ?? ""} /> : <Name name={p.name ?? ""} />}
              </span>
              <span class="num">{p.flatBase === undefined ? inScale(p.flat, s) + s.label : delta(p.flat - p.flatBase, at.unit)}</span>
              <Bar v={p.flat} max={top} tone={categories[p.category]} />
              {what === "lines" && <span class="label in">{visible(splitName(p.name ?? "")[1])}</span>}
            </button>
          </li>
        ))}
      </ul>
      {load.error && <Note pad>{sentence(load.error.message)}</Note>}
      {h && list.length === 0 && <Note pad>Nothing has a place in the sources.</Note>}
      {more > 0 && <Note pad>and {integer(more)} more</Note>}
    </nav>
  );
}

function FileName({ file }: { file: string }) {
  const cut = Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1;
  return <Parted pkg={file.slice(0, cut)} rest={file.slice(cut)} />;
}

function Machine({ state, name, line, hover, onHover, onLine }: { state: State; name: string; line: number; hover: number; onHover: (n: number) => void; onLine: (n: number) => void }) {
  const load = useLoad<Assembly>(name ? dataURL({ ...state, keys: { ...state.keys, sel: `f:${name}` } }, "assembly", ["sel"]) : null);
  const a = load.data;
  return (
    <Card cls="flush listing" label="Machine code" loading={load.loading}>
      {load.error && <NotThere m={{ text: sentence(load.error.message), hint: load.error.hint, tried: [] }} />}
      {a?.missing && <NotThere m={a.missing} />}
      {a && !a.missing && <Asm code={a} selected={line} hover={hover} onHover={onHover} onLine={onLine} />}
      {!!a?.more && <Note pad>{integer(a.more)} more instructions are not shown.</Note>}
      {!a && !load.error && <Note pad>Reading the machine code…</Note>}
    </Card>
  );
}

/** OfLine is the inspector of a source line. */
function OfLine({ name, state, session }: { name: string; state: State; session: Session }) {
  const load = useLoad<Source>(sourceURL(state));
  const [file, asked] = lineOf(name);
  const d = load.data?.file && (load.data.file === file || load.data.file.endsWith("/" + file)) ? load.data : null;
  const line = asked || d?.line || 0;
  const here = d?.lines.filter((l) => l.line === line) ?? [];
  const sum = d ? lineSum(d, line) : { flat: 0, cum: 0 };
  const fn = d ? functionAt(d, line) : "";
  const calls = here.flatMap((l) => l.calls ?? []);
  const text = d?.text[line - d.first]?.trim() ?? "";
  const edit = editorLink(session, d?.path, line);
  return (
    <>
      <Selected what="Selected line" name={place(file, line)} />
      <Warning e={load.error} />
      {text && <pre class="oneline" tabIndex={0}>{visible(text)}</pre>}
      {d && (
        <>
          {here.length === 0 && <Note>Nothing was sampled on this line.</Note>}
          {here.length > 0 && (
            <Facts caption="Values of the line" quiet>
              {(["cum", "flat"] as const).map((k) => (
                <FactRow key={k} word={k} more={share(sum[k], d.total)}>
                  {quantity(sum[k], d.unit)}
                </FactRow>
              ))}
              {d.cumBase !== undefined && (
                <FactRow word="change" more="">
                  <Delta base={sum.cumBase ?? 0} current={sum.cum} unit={d.unit} />
                </FactRow>
              )}
            </Facts>
          )}
          <div class="next">
            {fn && <Button main onClick={() => selectFunction(fn)} tip={fn}>Its function</Button>}
            {state.view !== "source" && <Button onClick={() => navigate({ view: "source" })}>Source</Button>}
            {edit && <EditorLink href={edit} />}
            <Button onClick={() => void copy(`${d.path || d.file}:${line}`, "Place")}>Copy place</Button>
          </div>
          {calls.length > 0 && (
            <>
              <h3>Calls on this line</h3>
              <div class="neighbours">
                {calls.map((c) => (
                  <button key={c.name + c.inline} class="neighbour" onClick={() => selectFunction(c.name)} title={c.name + (c.inline ? ", inlined here" : "")}>
                    <Origin category={c.category} />
                    <Name name={c.name} strong={false} />
                    <span class="num">{c.base === undefined ? quantity(c.value, d.unit) : <Delta base={c.base} current={c.value} unit={d.unit} />}</span>
                    <span class="num">{c.inline ? "inl." : ""}</span>
                  </button>
                ))}
              </div>
            </>
          )}
        </>
      )}
    </>
  );
}

export const source: View<Source> = {
  id: "source",
  key: "5",
  title: "Source",
  group: "where",
  params: { asm: "", list: "lines" },
  load: sourceURL,
  asks: (s) => [dataURL(s, "hot")],
  View: SourceView,
  skeleton: "rows",
  inspector: { sort: "l", View: OfLine },
};
