// The lines of a file with their values, and the instructions made of them.

import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { columnScale, delta, inScale, integer, place, quantity, scaleTitle, shortName, visible, type Scale } from "../format.ts";
import { Delta, Origin } from "../parts/index.ts";
import { selectFunction } from "../state.ts";
import { colour, untab } from "./colour.tsx";
import { Rows } from "./Rows.tsx";
import type { Assembly, Instruction, LineValues, Source, Values } from "./types.ts";

/** Row of a listing: a line of the file, with the values of all functions that have it. */
export interface SourceRow {
  line: number;
  text: string;
  marks?: number[];
  values: LineValues[];
  sum: Values;
}

/** lineSum is what was sampled on a line, whatever the function; nothing is zero. */
export function lineSum(s: Source, line: number): Values {
  return s.sums?.find((x) => x.line === line) ?? s.lines.find((x) => x.line === line) ?? { flat: 0, cum: 0 };
}

/** sourceRows are the lines of a file; without its text, those with values. */
export function sourceRows(s: Source): SourceRow[] {
  const by = new Map<number, LineValues[]>();
  const sums = new Map<number, Values>();
  for (const l of s.lines) sums.set(l.line, l);
  for (const x of s.sums ?? []) sums.set(x.line, x);
  for (const l of s.lines) by.set(l.line, [...(by.get(l.line) ?? []), l]);
  const row = (line: number, text: string, marks?: number[]): SourceRow => {
    const values = by.get(line) ?? [];
    return { line, ...untab(text, marks), values, sum: sums.get(line) ?? { flat: 0, cum: 0 } };
  };
  if (s.text.length) return s.text.map((t, i) => row(s.first + i, t, s.marks?.[i]));
  return [...by.keys()].sort((a, b) => a - b).map((n) => row(n, s.functions[by.get(n)?.[0]?.function ?? -1]?.name ?? ""));
}

function biggest(v: Values): number {
  return Math.max(Math.abs(v.flat), Math.abs(v.flatBase ?? 0));
}

/** heat is a class for how much of the hottest a row has. */
function heat(v: number, most: number): string {
  if (!v || !most) return "";
  const part = Math.abs(v) / most;
  return part >= 0.5 ? "hot3" : part >= 0.15 ? "hot2" : part >= 0.02 ? "hot1" : "";
}

export function scaleOf(rows: readonly { sum: Values }[], unit: string): Scale {
  return columnScale(rows.flatMap((r) => [r.sum.flat, r.sum.cum, r.sum.cumBase ?? 0]), unit);
}

/** Title is the head of a column. */
function Title({ cls, tip, children }: { cls: string; tip?: string; children: ComponentChildren }) {
  return (
    <span class={cls} role="columnheader" data-tip={tip}>
      {children}
    </span>
  );
}

/** Cell is a cell of a row. */
function Cell({ cls, children }: { cls: string; children: ComponentChildren }) {
  return (
    <span class={cls} role="gridcell">
      {children}
    </span>
  );
}

/** Value is a cell with a number. */
function Value({ v, s, cls = "", quiet }: { v: number; s: Scale; cls?: string; quiet?: boolean }) {
  return <Cell cls={`v num ${cls}`}>{v !== 0 ? inScale(v, s) : quiet ? "" : <span class="muted">·</span>}</Cell>;
}

/** Change is a cell with what changed, empty when nothing did. */
function Change({ base, current, s }: { base: number; current: number; s: Scale }) {
  return <Cell cls="v d">{base === current ? "" : <Delta base={base} current={current} scale={{ ...s, label: "" }} />}</Cell>;
}

interface CodeProps {
  source: Source;
  rows: readonly SourceRow[];
  selected: number;
  hover: number;
  found: ReadonlySet<number>;
  onLine: (line: number) => void;
  onHover: (line: number) => void;
  onOpen: (line: number) => void;
  show: { row: number; key: string };
}

export function Code({ source, rows, selected, hover, found, onLine, onHover, onOpen, show }: CodeProps) {
  const s = useMemo(() => scaleOf(rows, source.unit), [rows]);
  const most = useMemo(() => rows.reduce((m, r) => Math.max(m, biggest(r.sum) || 0), 0) || rows.reduce((m, r) => Math.max(m, Math.abs(r.sum.cum)), 0), [rows]);
  const flats = useMemo(() => rows.some((r) => biggest(r.sum) !== 0), [rows]);
  const wide = useMemo(() => rows.reduce((m, r) => Math.max(m, r.text.length + (r.values.length ? 60 : 0)), 40) + 34, [rows]);
  const base = source.cumBase !== undefined;
  const cursor = rows.findIndex((r) => r.line === selected);
  return (
    <Rows
      label={`Lines of ${place(source.file)}`}
      rows={rows.length}
      wide={wide}
      cursor={cursor}
      show={show}
      onMove={(i) => onLine((rows[i] as SourceRow).line)}
      onOpen={(i) => onOpen((rows[i] as SourceRow).line)}
      onHover={(i) => onHover(rows[i]?.line ?? 0)}
      classOf={(i) => {
        const r = rows[i] as SourceRow;
        return `${heat(flats ? biggest(r.sum) : r.sum.cum, most)}${r.line === selected ? " sel" : ""}${r.line === hover ? " hov" : ""}${found.has(r.line) ? " hit" : ""}`;
      }}
      head={
        <>
          <Title cls="no">line</Title>
          <Title cls="v" tip="Used in the line itself">flat{scaleTitle(s)}</Title>
          {base && <Title cls="v base" tip="In the line and all it called, in the base">cum, base</Title>}
          <Title cls="v" tip="Used in the line and in everything it called">cum</Title>
          {base && <Title cls="v d">change</Title>}
          <Title cls="t">{source.text.length ? "source" : "function"}</Title>
        </>
      }
      row={(i) => {
        const r = rows[i] as SourceRow;
        const quiet = r.values.length === 0;
        return (
          <>
            <Cell cls="no">{r.line}</Cell>
            <Value v={r.sum.flat} s={s} quiet={quiet} />
            {base && <Value v={r.sum.cumBase ?? 0} s={s} cls="dim base" quiet={quiet} />}
            <Value v={r.sum.cum} s={s} cls="dim" quiet={quiet} />
            {base && <Change base={quiet ? r.sum.cum : (r.sum.cumBase ?? 0)} current={r.sum.cum} s={s} />}
            <Cell cls="t">
              <bdi>{colour(r.text, r.marks)}</bdi>
              <Calls r={r} unit={source.unit} />
            </Cell>
          </>
        );
      }}
    />
  );
}

/** Calls are what a line calls, behind its text. */
function Calls({ r, unit }: { r: SourceRow; unit: string }) {
  const list = r.values.flatMap((v) => v.calls ?? []).sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  if (!list.length) return null;
  return (
    <span class="calls">
      {list.slice(0, 2).map((c) => (
        <button key={c.name + c.inline} tabIndex={-1} title={`${c.name}${c.inline ? ", inlined here" : ""}: ${quantity(c.value, unit)}`} onClick={(e) => (e.stopPropagation(), selectFunction(c.name))}>
          <Origin category={c.category} />
          <bdi>{clip(shortName(visible(c.name)))}</bdi> <span class="num">{c.base === undefined ? quantity(c.value, unit) : delta(c.value - c.base, unit)}</span>
          {c.inline && <i>inlined</i>}
        </button>
      ))}
      {list.length > 2 && <span class="more">+{integer(list.length - 2 + r.values.reduce((n, v) => n + (v.more ?? 0), 0))}</span>}
    </span>
  );
}

function clip(name: string): string {
  return name.length > 44 ? name.slice(0, 43) + "…" : name;
}

/** A row of the assembly: the name of a symbol, or an instruction. */
type AsmRow = { symbol: string; flat: number } | Instruction;

function isSymbol(r: AsmRow): r is { symbol: string; flat: number } {
  return "symbol" in r;
}

interface AsmProps {
  code: Assembly;
  selected: number;
  hover: number;
  onLine: (line: number) => void;
  onHover: (line: number) => void;
}

export function Asm({ code, selected, hover, onLine, onHover }: AsmProps) {
  const rows = useMemo<AsmRow[]>(() => code.symbols.flatMap((s) => [{ symbol: s.name, flat: s.flat }, ...s.instructions]), [code]);
  const values = useMemo(() => rows.filter((r): r is Instruction => !isSymbol(r)), [rows]);
  const s = useMemo(() => columnScale(values.flatMap((v) => [v.flat, v.cum]), code.unit), [values]);
  const most = useMemo(() => values.reduce((m, v) => Math.max(m, biggest(v)), 0), [values]);
  const wide = useMemo(() => values.reduce((m, v) => Math.max(m, v.text.length + (v.calls?.length ? 32 : 0)), 30) + 38, [values]);
  const show = useMemo(() => {
    let at = -1;
    let best = -1;
    rows.forEach((r, i) => {
      if (!isSymbol(r) && r.line === selected && biggest(r) > best) [at, best] = [i, biggest(r)];
    });
    return at;
  }, [rows, selected]);
  const base = code.base !== undefined && code.base.length > 0;
  return (
    <Rows
      label={`Machine code of ${code.function}`}
      rows={rows.length}
      wide={wide}
      cursor={show}
      show={{ row: show, key: `${code.function}:${selected}` }}
      onMove={(i) => {
        const r = rows[i] as AsmRow;
        if (!isSymbol(r)) onLine(r.line);
      }}
      onHover={(i) => {
        const r = rows[i];
        onHover(r && !isSymbol(r) ? r.line : 0);
      }}
      classOf={(i) => {
        const r = rows[i] as AsmRow;
        if (isSymbol(r)) return "symbol";
        return `${heat(biggest(r), most)}${r.line === selected ? " sel" : ""}${r.line === hover ? " hov" : ""}${r.gap ? " gap" : ""}`;
      }}
      head={
        <>
          <Title cls="no" tip="The line it was made of">line</Title>
          <Title cls="v">flat{scaleTitle(s)}</Title>
          {base && <Title cls="v d">change</Title>}
          <Title cls="addr">address</Title>
          <Title cls="t">instruction</Title>
        </>
      }
      row={(i) => {
        const r = rows[i] as AsmRow;
        if (isSymbol(r)) {
          return (
            <Cell cls="t">
              {r.symbol === code.function ? "" : "inlined into "}
              <bdi>{visible(r.symbol)}</bdi> {r.flat !== 0 && <span class="num">{quantity(r.flat, code.unit)}</span>}
            </Cell>
          );
        }
        const call = r.calls?.[r.calls.length - 1];
        return (
          <>
            <Cell cls="no">{r.line}</Cell>
            <Value v={r.flat} s={s} quiet />
            {base && <Change base={r.flatBase ?? r.flat} current={r.flat} s={s} />}
            <Cell cls="addr">{r.addr}</Cell>
            <Cell cls="t">
              <Op text={r.text} />
              {call && <span class="from" title={r.calls?.join(" → ")}>{clip(shortName(visible(call)))}</span>}
            </Cell>
          </>
        );
      }}
    />
  );
}

/** Op is an instruction: what it does in the colour of keywords, then its operands. */
function Op({ text }: { text: string }) {
  const cut = text.search(/\s|$/);
  return (
    <>
      <span class="c-k">{text.slice(0, cut)}</span>
      {visible(text.slice(cut))}
    </>
  );
}

