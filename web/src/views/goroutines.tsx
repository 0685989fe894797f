// Goroutines in groups: what they wait for, where, who started them, how many
// there were in the base, how long they wait, and, where there is a heap, what
// they hold. URL keys of its own: sort, filter, by (what makes a group).

import { useMemo, useState } from "preact/hooks";
import { explain, useLoad } from "../api.ts";
import { bytes, delta, integer, place, plural, quantity, shortName, visible } from "../format.ts";
import { Amount, Bar, Button, Card, Delta, Empty, FactRow, Facts, FilterField, Name, NameCell, NoFilters, Note, Origin, Seg, Selected, Spark, Table, toneOf, Trend, type Column } from "../parts/index.ts";
import { useHeap } from "../retention/heap.ts";
import { matching, useFound } from "../search.ts";
import { useStatus } from "../shell.ts";
import { dataURL, get, inPlace, navigate, select, selection, setKey, showFunction, type State } from "../state.ts";
import type { Session } from "../types.ts";
import { hasView, type View, type ViewProps } from "./index.ts";

interface Frame {
  function: string;
  file?: string;
  line?: number;
  category: number;
}

interface Group {
  name: string;
  state: string;
  at: Frame;
  started?: string;
  count: number;
  base?: number;
  trend?: number[];
  wait?: { known: number; longest: number; minutes?: boolean };
  category: number;
  stack: Frame[];
  stacks: number;
  labels?: string[];
  holds?: { bytes: number; objects: number };
  stackBytes?: number;
  vars?: { name: string; type?: string; bytes: number; objects: number }[];
  ids?: number[];
}

interface Answer {
  cur: string[];
  base?: string[];
  count: number;
  baseCount?: number;
  sentence: string;
  groups: Group[];
  shots?: string[];
  waits: boolean;
  heap: boolean;
  filters: string[];
  warnings: string[];
}

/** ask is the question, with what they hold once a heap was read. */
function ask(s: State, session: Session, heap: boolean): string | null {
  if (!heap && !session.kinds.some((k) => k.kind === "goroutine")) return null;
  return dataURL(heap ? { ...s, keys: { ...s.keys, heap: "yes" } } : s, "goroutines", ["heap"]);
}

function useAnswer(s: State, session: Session, start: boolean): { data: Answer | null; error: string; state: string; read: () => void; plan: string } {
  const h = useHeap(session.id, session.heap === true, start);
  const ready = h.heap?.state === "ready";
  const load = useLoad<Answer>(ask(s, session, ready));
  return { data: load.data, error: load.error ? explain(load.error) : "", state: h.heap?.state ?? "none", read: h.read, plan: h.heap?.plan ?? "" };
}

/** waitWords prints how long the longest waits; a profile tells whole minutes. */
function waitWords(w: Group["wait"]): string {
  if (!w) return "";
  return (w.minutes ? "≥ " : "") + quantity(w.longest, "nanoseconds");
}

function GoroutinesView({ state, session }: ViewProps<null>) {
  const { data, error, state: heap, read, plan } = useAnswer(state, session, true);
  if (error)
    return (
      <Empty title="Goroutines cannot be shown" actions={state.x.length > 0 && <NoFilters />}>
        {error}
      </Empty>
    );
  if (!data && !session.kinds.some((k) => k.kind === "goroutine") && heap !== "reading" && heap !== "ready")
    return (
      <Empty title="Goroutines are in the memory of the process" actions={<Button main onClick={read}>Read it now</Button>}>
        {plan}
      </Empty>
    );
  if (!data) return <Empty title="Reading the goroutines">A moment.</Empty>;
  return <Groups data={data} state={state} session={session} heap={heap} read={read} />;
}

function Groups({ data, state, session, heap, read }: { data: Answer; state: State; session: Session; heap: string; read: () => void }) {
  const by = get(state, "by");
  const groups = useMemo(() => regroup(data.groups, by), [data, by]);
  const filter = get(state, "filter");
  const [shown, setShown] = useState(groups.length);
  const texts = useMemo(() => groups.map((g) => [g.state, g.at.function, g.started, ...(g.labels ?? []), ...g.stack.map((f) => f.function)].join(" ")), [groups]);
  const columns = useMemo(() => columnsOf(data, groups, by), [data, groups, by]);
  const sel = selection(state);
  const selected = groups.findIndex((g) => sel?.sort === "g" && g.name === sel.name);
  const sort = get(state, "sort") || (data.baseCount !== undefined ? "-change" : "-count");
  const q = state.keys["q"] ?? "";
  const hits = useMemo(() => matching(q, texts), [texts, q]);
  useFound(hits, { words: () => plural(hits!.length, "group"), none: "no match", go: (i) => select("g", groups[i]!.name) });
  useStatus([data.sentence, shown < groups.length && `${integer(groups.length - shown)} of ${plural(groups.length, "group")} hidden by the filter`, !data.waits && "how long they wait is not in these profiles: take …/goroutine?debug=2", ...data.warnings]);
  return (
    <>
      <h2 class="say">{visible(data.sentence)}</h2>
      <div class="toolbar">
        <div class="group">
          <FilterField label="Filter the groups" value={filter} />
          <Seg
            label="What makes a group"
            value={by as "place" | "state" | "starter"}
            options={[
              ["place", "State and place"],
              ["state", "State"],
              ["starter", "Started by"],
            ]}
            onChange={(v) => setKey("by", v)}
          />
        </div>
        <div class="group">
          {heap === "idle" && (
            <Button onClick={read} tip="Copies the memory of the process: view Retention says what that does">
              What do they hold?
            </Button>
          )}
          <span class="label" role="status">
            {shown < groups.length ? `${integer(shown)} of ${plural(groups.length, "group")}` : plural(groups.length, "group")}
            {heap === "reading" ? ", reading what they hold …" : ""}
          </span>
        </div>
      </div>
      <Card cls="flush tablebox" label="Groups of goroutines">
        <Table label="Groups of goroutines" rows={groups.length} columns={columns} sort={sort} onSort={(s) => setKey("sort", s, inPlace)} texts={texts} filter={filter} selected={selected} onSelect={(i) => by === "place" && select("g", groups[i]!.name)} onOpen={(i) => by !== "place" && navigate({ keys: { by: undefined, filter: by === "state" ? groups[i]!.state : groups[i]!.at.function } })} onCount={setShown} empty="There are no goroutines." />
      </Card>
      {selected >= 0 && <Stack g={groups[selected]!} session={session} />}
    </>
  );
}

/** regroup puts groups with the same state, or the same starter, together. */
function regroup(list: readonly Group[], by: string): readonly Group[] {
  if (by === "place") return list;
  const out = new Map<string, Group>();
  for (const g of list) {
    const key = by === "state" ? g.state : g.started || g.stack.at(-1)?.function || "?";
    const x = out.get(key);
    if (!x) {
      const at: Frame = by === "state" ? g.at : { function: key, category: g.category };
      out.set(key, { ...g, name: key, at, holds: g.holds && { ...g.holds }, trend: g.trend?.slice() });
      continue;
    }
    x.count += g.count;
    if (x.base !== undefined) x.base += g.base ?? 0;
    x.trend = x.trend?.map((v, i) => v + (g.trend?.[i] ?? 0));
    if (g.holds) x.holds = { bytes: (x.holds?.bytes ?? 0) + g.holds.bytes, objects: (x.holds?.objects ?? 0) + g.holds.objects };
    if (g.wait && (!x.wait || x.wait.longest < g.wait.longest)) x.wait = g.wait;
    if (by === "starter" && x.state !== g.state) x.state = "several";
    x.stacks += g.stacks;
  }
  return [...out.values()];
}

function columnsOf(data: Answer, groups: readonly Group[], by: string): Column[] {
  const top = Math.max(1, ...groups.map((g) => g.count));
  const list: Column[] = [
    {
      id: "count",
      title: "Count",
      right: true,
      width: "minmax(96px, 120px)",
      sort: groups.map((g) => g.count),
      cell: (i) => (
        <span class="barcell">
          <Bar v={groups[i]!.count} max={top} tone={data.baseCount !== undefined ? "quiet" : "accent"} />
          <span class="num">{integer(groups[i]!.count)}</span>
        </span>
      ),
    },
  ];
  if (data.baseCount !== undefined)
    list.push({
      id: "change",
      title: "Change",
      help: "Against the base",
      right: true,
      width: "80px",
      sort: groups.map((g) => g.count - (g.base ?? 0)),
      cell: (i) => <Delta base={groups[i]!.base ?? 0} current={groups[i]!.count} />,
    });
  if (data.shots && data.shots.length > 1)
    list.push({ id: "trend", title: "Trend", help: `In each of ${data.shots.length} profiles`, width: "76px", spare: 2, cell: (i) => ((t) => t && <Spark values={t} tone={toneOf(t[0] ?? 0, t.at(-1) ?? 0)} />)(groups[i]!.trend) });
  if (by !== "starter" || groups.some((g) => g.state !== "several")) list.push({ id: "state", title: "State", width: "112px", sort: groups.map((g) => g.state), cell: (i) => visible(groups[i]!.state) });
  if (by !== "state")
    list.push({
      id: "at",
      title: by === "starter" ? "Started by" : "At",
      width: "minmax(160px, 1fr)",
      sort: groups.map((g) => g.at.function),
      cell: (i) => (
        <NameCell name={groups[i]!.at.function} category={groups[i]!.at.category} short>
          <span class="label">{place(groups[i]!.at.file, groups[i]!.at.line)}</span>
        </NameCell>
      ),
    });
  if (by === "place" && !data.heap && groups.some((g) => g.started)) list.push({ id: "started", title: "Started by", width: "minmax(120px, 0.6fr)", sort: groups.map((g) => g.started ?? ""), cell: (i) => <span title={groups[i]!.started}>{groups[i]!.started && <Name name={shortName(groups[i]!.started as string)} strong={false} />}</span> });
  if (data.waits) list.push({ id: "wait", title: "Longest wait", right: true, width: "104px", spare: 1, sort: groups.map((g) => g.wait?.longest ?? 0), cell: (i) => <span class="num">{waitWords(groups[i]!.wait)}</span> });
  if (data.heap) list.push({ id: "holds", title: "They hold", help: "What goes free with them, without their stacks", right: true, width: "92px", sort: groups.map((g) => g.holds?.bytes ?? 0), cell: (i) => ((v) => <Amount v={v}>{bytes(v)}</Amount>)(groups[i]!.holds?.bytes ?? 0) });
  return list;
}

/** Starters is a table of goroutines by who started them. */
export function Starters({ state, session }: { state: State; session: Session }) {
  const { data, error, state: heap, read, plan } = useAnswer(state, session, true);
  const groups = useMemo(() => (data ? regroup(data.groups, "starter") : []), [data]);
  const columns = useMemo(() => data && columnsOf(data, groups, "starter"), [data, groups]);
  if (!data || !columns)
    return error || heap === "reading" ? <Note status>{error || "Reading …"}</Note> : <Note>{plan} {heap === "idle" && <Button onClick={read}>Read it now</Button>}</Note>;
  return (
    <div class="tablebox rows">
      <Table label="Goroutines by who started them" rows={groups.length} columns={columns} sort={get(state, "sort") || (data.baseCount !== undefined ? "-change" : "-count")} onSort={(s) => setKey("sort", s, inPlace)} selected={groups.findIndex((g) => g.name === get(state, "row"))} onSelect={(i) => setKey("row", groups[i]!.name, inPlace)} onOpen={(i) => navigate({ view: "goroutines", keys: { by: undefined, filter: groups[i]!.at.function } })} />
    </div>
  );
}

/** Stack is the stack of a group, most of it in sight. */
function Stack({ g, session }: { g: Group; session: Session }) {
  return (
    <Card cls="stackcard" label="Stack">
      <header class="cardhead">
        <h2>Stack{g.stacks > 1 ? ` of most, of ${integer(g.stacks)}` : ""}</h2>
        <span class="aside label">{plural(g.count, "goroutine")}</span>
      </header>
      <ol class="frames">
        {g.stack.map((f, i) => (
          <li key={i}>
            <Origin category={f.category} />
            <button class="link" title={f.function} onClick={() => (hasView(session, "source") ? showFunction("source", f.function) : select("f", f.function))}>
              <Name name={f.function} strong={f.category === 1} />
            </button>
            <span class="label" title={f.file}>
              {place(f.file, f.line)}
            </span>
          </li>
        ))}
      </ol>
    </Card>
  );
}

/** GroupInspector is all about the selected group. */
function GroupInspector({ name, state, session }: { name: string; state: State; session: Session }) {
  const { data } = useAnswer(state, session, false);
  const g = data?.groups.find((g) => g.name === name);
  return (
    <>
      <Selected what="Selected goroutines" name={name} />
      {data && !g && <Note>There are none of them in this profile.</Note>}
      {g && <Known g={g} session={session} state={state} />}
    </>
  );
}

function Known({ g, session, state }: { g: Group; session: Session; state: State }) {
  const more = (id: string) => state.view !== id && hasView(session, id);
  return (
    <>
      <p class="where">
        <Origin category={g.at.category} word /> · <bdi>{place(g.at.file, g.at.line)}</bdi>
      </p>
      <Facts caption="What is known of the group" quiet>
        <FactRow word="count">{integer(g.count)}</FactRow>
        {g.base !== undefined && (
          <FactRow word="change">
            <Delta base={g.base} current={g.count} times />
          </FactRow>
        )}
        <FactRow word="state">{visible(g.state)}</FactRow>
        {g.wait && <FactRow word="longest wait">{waitWords(g.wait)}</FactRow>}
        {g.holds && <FactRow word="only they hold">{bytes(g.holds.bytes)}</FactRow>}
        {g.stackBytes ? <FactRow word="their stacks">{bytes(g.stackBytes)}</FactRow> : null}
      </Facts>
      {g.trend && g.trend.length > 1 && (
        <Trend values={g.trend} print={integer} label="Count over time">
          {" "}
          ({delta((g.trend.at(-1) ?? 0) - (g.trend[0] ?? 0), "")})
        </Trend>
      )}
      <div class="next">
        {session.heap && more("retention") && (
          <Button main onClick={() => navigate({ view: "retention", keys: { sel: `g:${g.name}` } })}>
            What they hold
          </Button>
        )}
        {more("goroutines") && <Button onClick={() => navigate({ view: "goroutines" })}>Goroutines</Button>}
        {more("source") && <Button onClick={() => showFunction("source", g.at.function)}>Source</Button>}
        {more("flame") && session.kinds.some((k) => k.kind === "goroutine") && <Button onClick={() => navigate({ view: "flame", keys: { kind: session.kind === "goroutine" ? undefined : "goroutine", value: undefined, sel: `f:${g.at.function}` } })}>Flame</Button>}
      </div>
      {g.started && (
        <Note>
          Started by <bdi class="mono">{visible(shortName(g.started))}</bdi>
        </Note>
      )}
      {g.vars && g.vars.length > 0 && (
        <Facts caption="Held by their variables">
          {g.vars.map((v, i) => (
            <tr key={i}>
              <th scope="row" class="mono" title={v.type}>
                {visible(v.name ? shortName(v.name) : "several together")}
              </th>
              <td class="num">{bytes(v.bytes)}</td>
            </tr>
          ))}
        </Facts>
      )}
      {g.labels && g.labels.length > 0 && <Note>Labels: {visible(g.labels.join(", "))}</Note>}
      {g.ids && g.ids.length > 0 && (
        <Note>
          Numbers: {g.ids.slice(0, 12).join(", ")}
          {g.count > 12 ? " …" : ""}
        </Note>
      )}
    </>
  );
}

export const goroutines: View<null> = {
  id: "goroutines",
  key: "0",
  title: "Goroutines",
  group: "why",
  params: { sort: "", filter: "", by: "place" },
  load: () => null,
  asks: (s, on) => [ask(s, on, false), ask(s, on, true)],
  View: GoroutinesView,
  skeleton: "rows",
  inspector: { sort: "g", View: GroupInspector },
};
