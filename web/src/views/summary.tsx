// Summary: the finding in a sentence, on what it rests, how the whole went,
// and the paths it is about, or types, or goroutines. URL keys of its own: sort,
// least (percent), list (types, goroutines), row.

import { useMemo, useState } from "preact/hooks";
import { useLoad } from "../api.ts";
import { useCommands } from "../commands.ts";
import { columnScale, inScale, integer, place, plural, quantity, ratio, sentence, share, shortName, withUnit, type Scale } from "../format.ts";
import { Bar, Button, Card, Delta, Empty, Name, NameCell, Note, Seg, Spark, Table, toneOf, type Column, type Option } from "../parts/index.ts";
import { Gate, NoHeap } from "../retention/Gate.tsx";
import { useHeap } from "../retention/heap.ts";
import type { Retention } from "../retention/shapes.ts";
import { Rows } from "../retention/tables.tsx";
import { totalWords } from "../session.ts";
import { copy, useStatus } from "../shell.ts";
import { api, dataURL, get, inPlace, navigate, selection, setKey, showFunction, state as now, type State } from "../state.ts";
import { categories, type Head, type Session } from "../types.ts";
import { Starters } from "./goroutines.tsx";
import type { View, ViewProps } from "./index.ts";
import { Command, Curve, Evidence, rateText, verdictWords, Word, type Call, type Clause, type Estimate, type Maybe } from "./verdict.tsx";

interface Row extends Call {
  finding: number;
  base: Maybe;
  current: Maybe;
  noise: Maybe;
  trend: Maybe[] | null;
  rate: Estimate;
  class: string;
  of: number;
  unit: string;
  cum: number;
}

interface Tile {
  id: string;
  label: string;
  from?: number;
  value: number;
  unit: string;
  perSecond?: boolean;
  below?: string;
  name?: string;
  kind?: string;
}

interface Summary extends Head {
  headline: { class: string; tone: "grow" | "ok" | "none"; confidence?: string; confidenceWhy?: string; title: string; text: string; evidence: Clause[] };
  finding: number;
  call?: Call;
  picture?: { title: string; unit: string; times: number[]; values: Maybe[] };
  growing: boolean;
  /** Rows count samples for the innermost function of the program. */
  attributed: boolean;
  rows: Row[];
  hidden: number;
  least: number;
  tiles: Tile[];
  report: string;
}

/** Judgements that are no reason to worry: drawn without colour. */
const calm = new Set(["noise", "waves", "churn", "steady"]);

function SummaryView({ data, state, session }: ViewProps<Summary>) {
  useStatus([totalWords(data), data.base && `since ${data.base.join(", ")}`, data.hidden > 0 && `${plural(data.hidden, "function")} under ${data.least}% not listed`, ...data.warnings]);
  return (
    <>
      <Hero data={data} session={session} />
      <Paths data={data} state={state} session={session} />
      {data.tiles.length > 0 && (
        <Card cls="tiles" label="Key figures">
          {data.tiles.map((t) => (
            <TileOf key={t.id} t={t} />
          ))}
        </Card>
      )}
      {data.rows.length === 0 && data.tiles.length === 0 && data.total === 0 && <Empty title="There are no samples" command="profound web FILE">Open another profile, or choose another kind above.</Empty>}
    </>
  );
}

/** showPath opens the flame graph on a function, as a change where something grew. */
function showPath(data: Summary, name: string, kind: string, session: Session): void {
  const shots = session.shots.filter((s) => s.kind === kind && s.id.startsWith("p"));
  const base = kind === data.kind ? data.base?.[0] : data.growing ? shots[0]?.id : undefined;
  const known = session.kinds.find((k) => k.kind === kind);
  navigate({ view: "flame", keys: { kind: kind === session.kind ? undefined : kind, value: kind === data.kind ? now.peek().keys["value"] : undefined, sel: `f:${name}`, base: base && base !== known?.base ? base : undefined, cur: undefined, z: undefined } });
}

function Hero({ data, session }: { data: Summary; session: Session }) {
  const h = data.headline;
  const [asked, setAsked] = useState(false);
  const row = data.rows.find((r) => r.finding >= 0 && r.finding === data.finding);
  const kind = row?.unit === "count" && session.kinds.some((k) => k.kind === "goroutine") && h.class ? "goroutine" : data.kind;
  const call = data.call;
  const can = (view: string) => session.views.includes(view);
  const memory = data.unit === "bytes" || kind === "goroutine";
  const show = () => call && showPath(data, call.name, kind, session);
  const report = () => void copy(`${data.report}\n${location.href}\n`, "Report");
  useCommands("Summary", [
    { id: "summary.path", title: "Show the path", keys: ["p"], bar: "show the path", when: () => !!call, run: show },
    { id: "summary.report", title: "Copy report", keys: ["C"], bar: "copy report", run: report },
  ]);
  const p = data.picture;
  const values = p?.values.filter((v) => v !== null) ?? [];
  return (
    <Card cls="hero" tone={h.tone === "none" ? undefined : h.tone} label="Finding">
      <div>
        {h.class ? (
          <p class={`kicker ${h.tone}`}>
            <b>{verdictWords(h.class)}</b>
            {h.confidence && ` · ${h.confidence} confidence: ${h.confidenceWhy}`}
          </p>
        ) : (
          <p class="kicker">Biggest contributor</p>
        )}
        <h2 class="finding">
          <bdi>{h.title}</bdi>
        </h2>
        {h.text && h.text !== h.title && <p class="prose">{sentence(h.text.replace(/^[A-Z]+ /, ""))}</p>}
        <Evidence list={h.evidence} />
        <div class="next">
          {call && (
            <Button main onClick={show} keys="p">
              Show the path
            </Button>
          )}
          {call && can("source") && <Button onClick={() => showFunction("source", call.name)}>Open {place(call.file, call.line) || "source"}</Button>}
          {call && memory && <Button onClick={() => (can("retention") ? showFunction("retention", call.name) : setAsked(true))}>Who holds it</Button>}
          <Button onClick={report}>Copy report</Button>
        </div>
        {asked && (
          <div class="prose" role="status">
            Profiles do not say which references keep memory alive; the running process, a core or a snapshot does. Run <Command text="profound web PID" />
          </div>
        )}
      </div>
      {p && values.length > 1 && (
        <div class="side-picture">
          <Note>{p.title}</Note>
          <p class="figure num">
            {quantity(values[0] as number, p.unit)} → {quantity(values.at(-1) as number, p.unit)}
          </p>
          <Curve times={p.times} values={p.values} unit={p.unit} tone={h.tone === "grow" ? "grow" : "accent"} label={p.title} />
        </div>
      )}
    </Card>
  );
}

function Paths({ data, state, session }: { data: Summary; state: State; session: Session }) {
  const can = (view: string) => session.views.includes(view);
  const lists: Option<string>[] = [["", "Functions"], ...(can("retention") ? [["types", "Types"] as const] : []), ...(can("goroutines") ? [["goroutines", "Goroutines"] as const] : [])];
  const list = lists.find(([id]) => id === get(state, "list"))?.[0] ?? "";
  if (data.rows.length === 0 && lists.length === 1) return null;
  const title = list === "types" ? "What is alive, by type" : list ? "Goroutines, by who started them" : data.growing ? (data.headline.tone === "grow" ? "Growing paths" : "What changed") : "Where most of it is";
  return (
    <Card cls="paths" label={title}>
      <header class="cardhead">
        <h2>{title}</h2>
        {lists.length > 1 && <Seg label="What is listed" value={list} options={lists} onChange={(v) => navigate({ keys: { list: v, sort: undefined, row: undefined } })} />}
        {!list && (
          <label class="aside label">
            {data.growing ? "least change" : "at least"}
            <select class="field" value={get(state, "least") || "1"} onChange={(e) => setKey("least", e.currentTarget.value === "1" ? undefined : e.currentTarget.value)}>
              {["0", "0.1", "1", "5", "10"].map((v) => (
                <option key={v} value={v}>
                  {v}%
                </option>
              ))}
            </select>
          </label>
        )}
      </header>
      {list === "types" ? <Types state={state} session={session} /> : list ? <Starters state={state} session={session} /> : <Functions data={data} state={state} session={session} title={title} />}
    </Card>
  );
}

function Functions({ data, state, session, title }: { data: Summary; state: State; session: Session; title: string }) {
  const rows = data.rows;
  const sel = selection(state);
  const columns = useMemo(() => columnsOf(data), [data]);
  if (!rows.length) return <Note>There is none.</Note>;
  return (
    <div class="tablebox" style={{ flex: "none", minHeight: 0, height: `${32 + 30 * rows.length}px` }}>
      <Table label={title} rows={rows.length} rowHeight={30} columns={columns} sort={get(state, "sort")} onSort={(s) => setKey("sort", s, inPlace)} selected={sel?.sort === "f" ? rows.findIndex((r) => r.name === sel.name) : -1} onSelect={(i) => setKey("sel", `f:${rows[i]?.name}`, inPlace)} onOpen={(i) => rows[i] && showPath(data, rows[i].name, rows[i].unit === "count" && data.unit !== "count" ? "goroutine" : data.kind, session)} />
    </div>
  );
}

/** Types are those of the objects that are alive, where the memory of the process can be read. */
function Types({ state, session }: { state: State; session: Session }) {
  const { heap, error, read } = useHeap(session.id, session.heap === true);
  const url = `${api(session.id)}/retention?by=types`;
  const load = useLoad<Retention>(heap?.state === "ready" ? url : null);
  if (!session.heap) return <NoHeap session={session} />;
  if (heap?.state !== "ready" || error || !load.data) return <Gate heap={heap} error={error ?? load.error} read={read} />;
  return <Rows data={load.data} base={url} state={state} onEnter={(r) => navigate({ view: "retention", keys: { sel: `t:${r.name}` } })} />;
}

function columnsOf(d: Summary): Column[] {
  const rows = d.rows;
  const main = rows.filter((r) => r.unit === d.unit);
  const s = columnScale(main.flatMap((r) => [r.base ?? 0, r.current ?? 0]), d.unit);
  const most = Math.max(0, ...main.map((r) => Math.abs((r.current ?? 0) - (d.growing ? (r.base ?? 0) : 0))));
  const amount = (v: Maybe, unit: string) => <span class="num">{v === null ? "–" : unit === d.unit ? withUnit(v, s) : quantity(v, unit)}</span>;
  const key = (f: (r: Row) => number) => Float64Array.from(rows, f);
  const list: Column[] = [
    {
      id: "name",
      title: d.unit === "bytes" ? "Allocated in" : "Function",
      width: "minmax(160px, 1fr)",
      sort: rows.map((r) => r.name),
      cell: (i) => <NameCell name={rows[i]?.name ?? ""} category={rows[i]?.category ?? 0} short />,
    },
    { id: "line", title: "Line", width: d.growing ? "132px" : "190px", spare: 1, cell: (i) => <bdi class="mono" title={rows[i]?.file}>{place(rows[i]?.file, rows[i]?.line)}</bdi> },
  ];
  if (!d.growing) {
    list.push(
      { id: "flat", title: d.attributed ? "Ends in it" : "Flat", help: d.attributed ? "Counted for the innermost function of your code on the stack; ± is the error of sampling" : "In the function's own lines; ± is the error of sampling", right: true, width: "240px", sort: key((r) => r.current ?? 0), cell: (i) => <ValueBar r={rows[i] as Row} v={rows[i]?.current ?? 0} most={most} text={amount(rows[i]?.current ?? null, d.unit)} s={s} /> },
      { id: "part", title: "Share", right: true, width: "72px", cell: (i) => <span class="num">{share(rows[i]?.current ?? 0, d.total)}</span> },
      { id: "cum", title: "Cum", help: "In it and in everything it called", right: true, width: "110px", sort: key((r) => r.cum), cell: (i) => amount(rows[i]?.cum ?? null, d.unit) },
    );
    return list;
  }
  list.push(
    { id: "base", title: "Base", right: true, width: "96px", sort: key((r) => r.base ?? 0), cell: (i) => amount(rows[i]?.base ?? null, rows[i]?.unit ?? "") },
    { id: "current", title: "Current", right: true, width: "96px", sort: key((r) => r.current ?? 0), cell: (i) => amount(rows[i]?.current ?? null, rows[i]?.unit ?? "") },
    {
      id: "change",
      title: "Change",
      help: "Change since the base, counted for the innermost function of your code on the stack; ± is half the 95% interval that sampling leaves",
      right: true,
      width: "minmax(150px, 176px)",
      sort: key((r) => (r.current ?? 0) - (r.base ?? 0)),
      cell: (i) => {
        const r = rows[i] as Row;
        const change = (r.current ?? 0) - (r.base ?? 0);
        const quiet = calm.has(r.class);
        return (
          <span class="barcell after">
            <span data-tip={r.noise ? `± ${quantity(r.noise, r.unit)}` : undefined}>
              <Delta base={r.base ?? 0} current={r.current ?? 0} unit={r.unit} scale={r.unit === d.unit ? s : undefined} />
              {r.base ? <span class="muted"> {ratio(r.base, r.current ?? 0)}</span> : null}
            </span>
            {r.unit === d.unit ? <Bar v={change} max={most} tone={quiet ? "quiet" : change < 0 ? "shrink" : "grow"} /> : <span class="bar" />}
          </span>
        );
      },
    },
    { id: "trend", title: "Trend", width: "84px", cell: (i) => <TrendOf r={rows[i] as Row} /> },
    {
      id: "rate",
      title: "Rate",
      help: "Growth a second with its 95% interval, where the growth was tested",
      right: true,
      width: "200px",
      spare: 2,
      sort: key((r) => r.rate.value ?? -Infinity),
      cell: (i) => {
        const r = rows[i] as Row;
        const [text, interval] = rateText(r.rate, r.unit);
        return (
          <span class="num">
            {text} {interval && <span class="muted">({interval})</span>}
          </span>
        );
      },
    },
    { id: "class", title: "Verdict", width: "136px", sort: rows.map((r) => r.class), cell: (i) => <Word is={rows[i]?.class ?? ""} of={rows[i]?.of} /> },
  );
  return list;
}

function TrendOf({ r }: { r: Row }) {
  const v = (r.trend ?? []).map((x) => x ?? 0);
  const quiet = calm.has(r.class);
  return <Spark values={v} width={64} tone={quiet ? "quiet" : toneOf(v[0] ?? 0, v.at(-1) ?? 0)} />;
}

function ValueBar({ r, v, most, text, s }: { r: Row; v: number; most: number; text: preact.ComponentChildren; s: Scale }) {
  return (
    <span class="barcell">
      <Bar v={v} max={most} tone={categories[r.category]} />
      <span>
        {text} <span class="muted num">{r.noise ? `± ${inScale(r.noise, s)}` : ""}</span>
      </span>
    </span>
  );
}

function TileOf({ t }: { t: Tile }) {
  const text = (v: number) => (t.unit === "share" ? share(v, 1) : t.unit === "count" ? integer(v) : quantity(v, t.unit)) + (t.perSecond ? "/s" : "");
  const grew = t.below?.startsWith("▲");
  return (
    <div class="fact">
      <div class="label">{t.label}</div>
      <div class="figure num">{t.from !== undefined && t.from !== t.value ? `${text(t.from)} → ${text(t.value)}` : text(t.value)}</div>
      {t.below && (
        <div class={grew ? "below grew" : "below"}>
          {t.below} {t.name && <Name name={shortName(t.name)} strong={false} title />}
        </div>
      )}
    </div>
  );
}

export const summary: View<Summary> = {
  id: "summary",
  key: "1",
  title: "Summary",
  group: "",
  params: { sort: "", least: "", list: "", row: "" },
  copied: ["0", "0.1", "5", "10"].map((least) => ({ least })),
  load: (s) => dataURL(s, "summary", ["least"]),
  View: SummaryView,
  skeleton: "cards",
  wide: true,
};
