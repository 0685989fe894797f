// The lines of a file with their values, and the instructions made of them.

import { useMemo } from "preact/hooks";
import { columnScale, delta, inScale, integer, place, quantity, shortName, visible, type Scale } from "../format.ts";
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

function add(a: Values, b: Values): Values {
  return { flat: a.flat + b.flat, cum: a.cum + b.cum, flatBase: b.flatBase === undefined ? undefined : (a.flatBase ?? 0) + b.flatBase, cumBase: b.cumBase === undefined ? undefined : (a.cumBase ?? 0) + b.cumBase };
}

/** sourceRows are the lines of a file; without its text, those with values. */
export function sourceRows(s: Source): SourceRow[] {
  const by = new Map<number, LineValues[]>();
  for (const l of s.lines) by.set(l.line, [...(by.get(l.line) ?? []), l]);
  const row = (line: number, text: string, marks?: number[]): SourceRow => {
    const values = by.get(line) ?? [];
    return { line, ...untab(text, marks), values, sum: values.reduce<Values>(add, { flat: 0, cum: 0 }) };
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

const unitName = (s: Scale) => (s.label ? `, ${s.label.trim()}` : "");

function Cell({ v, s, class: name, quiet }: { v: number; s: Scale; class?: string; quiet?: boolean }) {
  return (
    <span class={`v num ${name ?? ""}`} role="gridcell">
      {v !== 0 ? inScale(v, s) : quiet ? "" : <span class="muted">·</span>}
    </span>
  );
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
          <span class="no" role="columnheader">line</span>
          <span class="v" role="columnheader" data-tip="Used in the line itself">flat{unitName(s)}</span>
          {base && <span class="v base" role="columnheader" data-tip="In the line and all it called, in the base">cum, base</span>}
          <span class="v" role="columnheader" data-tip="Used in the line and in everything it called">cum</span>
          {base && <span class="v d" role="columnheader">change</span>}
          <span class="t" role="columnheader">{source.text.length ? "source" : "function"}</span>
        </>
      }
      row={(i) => {
        const r = rows[i] as SourceRow;
        const quiet = r.values.length === 0;
        return (
          <>
            <span class="no" role="gridcell">{r.line}</span>
            <Cell v={r.sum.flat} s={s} quiet={quiet} />
            {base && <Cell v={r.sum.cumBase ?? 0} s={s} class="dim base" quiet={quiet} />}
            <Cell v={r.sum.cum} s={s} class="dim" quiet={quiet} />
            {base && <span class="v d" role="gridcell">{r.sum.cumBase === r.sum.cum || !r.values.length ? "" : <Delta base={r.sum.cumBase ?? 0} current={r.sum.cum} scale={{ ...s, label: "" }} />}</span>}
            <span class="t" role="gridcell">
              <bdi>{colour(r.text, r.marks)}</bdi>
              <Calls r={r} unit={source.unit} />
            </span>
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
        <button key={c.name + c.inline} type="button" tabIndex={-1} title={`${c.name}${c.inline ? ", inlined here" : ""}: ${quantity(c.value, unit)}`} onClick={(e) => (e.stopPropagation(), selectFunction(c.name))}>
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
          <span class="no" role="columnheader" data-tip="The line it was made of">line</span>
          <span class="v" role="columnheader">flat{unitName(s)}</span>
          {base && <span class="v d" role="columnheader">change</span>}
          <span class="addr" role="columnheader">address</span>
          <span class="t" role="columnheader">instruction</span>
        </>
      }
      row={(i) => {
        const r = rows[i] as AsmRow;
        if (isSymbol(r)) {
          return (
            <span class="t" role="gridcell">
              {r.symbol === code.function ? "" : "inlined into "}
              <bdi>{visible(r.symbol)}</bdi> {r.flat !== 0 && <span class="num">{quantity(r.flat, code.unit)}</span>}
            </span>
          );
        }
        const call = r.calls?.[r.calls.length - 1];
        return (
          <>
            <span class="no" role="gridcell">{r.line}</span>
            <Cell v={r.flat} s={s} quiet />
            {base && <span class="v d" role="gridcell">{r.flatBase === undefined || r.flatBase === r.flat ? "" : <Delta base={r.flatBase} current={r.flat} scale={{ ...s, label: "" }} />}</span>}
            <span class="addr" role="gridcell">{r.addr}</span>
            <span class="t" role="gridcell">
              <Op text={r.text} />
              {call && <span class="from" title={r.calls?.join(" → ")}>{clip(shortName(visible(call)))}</span>}
            </span>
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

