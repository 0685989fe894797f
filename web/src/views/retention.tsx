// Who keeps memory alive: the way from a root, the dominator tree, types,
// roots, what grew since an earlier heap, waste, queues, drops, and what would
// go free. It begins at the selection: a function (what it allocated), a type,
// goroutines. URL keys of its own: by (the tab), at (an address), type, site and
// goroutine (expressions, as of profound why), way (number of a way), row (of a
// table), open (rows of the tree), without (a reference), sort.

import type { ComponentChildren } from "preact";
import { useLoad } from "../api.ts";
import { useCommands } from "../commands.ts";
import { bytes, clock, integer, plural, sentence, share, shortName, visible } from "../format.ts";
import { Button, Card, Chip, Delta, Empty, Note, Seg, Skeleton, Table, type Column } from "../parts/index.ts";
import { Gate, heapWords, NoEarlier, NoHeap } from "../retention/Gate.tsx";
import { useHeap, type HeapState } from "../retention/heap.ts";
import { Path } from "../retention/Path.tsx";
import type { Retention, Row, Way } from "../retention/shapes.ts";
import { Rows } from "../retention/tables.tsx";
import { Treemap } from "../retention/Treemap.tsx";
import { Sites, WhatIf } from "../retention/WhatIf.tsx";
import { useStatus } from "../shell.ts";
import { api, get, inPlace, navigate, selection, setKey, showFunction, state as now, type State } from "../state.ts";
import type { Session } from "../types.ts";
import type { View, ViewProps } from "./index.ts";

const tabs = [
  { id: "path", title: "Path to root" },
  { id: "dominators", title: "Dominators" },
  { id: "types", title: "Types" },
  { id: "roots", title: "Roots" },
  { id: "growth", title: "Growth" },
  { id: "waste", title: "Waste" },
  { id: "queues", title: "Queues" },
  { id: "drops", title: "Drops" },
] as const;
type Tab = (typeof tabs)[number]["id"];

function RetentionView({ state, session }: ViewProps<null>) {
  const { heap, error, read } = useHeap(session.id, session.heap === true);
  if (!session.heap) return <NoHeap session={session} />;
  if (heap?.state !== "ready" || error) return <Gate heap={heap} error={error} read={read} />;
  return <Ready state={state} session={session} heap={heap} />;
}

/** What narrows the view besides the selection. */
const filters = [
  { id: "type", word: "type", help: "objects of matching types, as profound why -type" },
  { id: "site", word: "allocated at", help: "what matching functions or lines allocated, as profound why -at" },
  { id: "goroutine", word: "held by goroutines", help: "what goroutines hold: a number, or an expression for functions, lines and states, as profound why -goroutine" },
] as const;

/** question is the URL of what is asked, from what is selected. */
function question(s: State, by: string): string {
  const p = new URLSearchParams();
  const at = get(s, "at");
  const sel = s.keys["sel"] ?? "";
  if (by !== "path") p.set("by", by);
  if (at) p.set("at", at);
  else {
    if (/^[ftg]:/.test(sel)) p.set("sel", sel);
    for (const f of filters) if (get(s, f.id)) p.set(f.id, get(s, f.id));
  }
  const q = p.toString();
  return `${api(s.session)}/retention${q ? "?" + q : ""}`;
}

const onType = (t: string) => navigate({ view: "retention", keys: { sel: `t:${t}`, by: undefined, at: undefined, without: undefined, way: undefined, row: undefined } });
const onSite = (fn: string) => showFunction("source", fn);
const onAddress = (a: string) => navigate({ view: "retention", keys: { at: a, by: undefined, way: undefined, row: undefined } });
/** enter goes on from a row. */
const enter = (by: string) => (r: Row) => {
  if (by === "types") onType(r.name);
  else if (r.without) onWithout(r.without);
  else if (r.address) onAddress(r.address);
};
const onWithout = (name: string) => setKey("without", now.peek().keys["without"] === name ? undefined : name);

function Ready({ state, session, heap }: { state: State; session: Session; heap: HeapState }) {
  const by = (tabs.find((t) => t.id === get(state, "by"))?.id ?? "path") as Tab;
  const url = question(state, by);
  const load = useLoad<Retention>(url);
  const without = get(state, "without");
  const setTab = (id: Tab) => navigate({ keys: { by: id, row: undefined, open: undefined, sort: undefined } });
  useCommands("Retention", [
    ...tabs.map((t) => ({ id: `retention.${t.id}`, title: `Show ${t.title.toLowerCase()}`, run: () => setTab(t.id), when: () => by !== t.id })),
    { id: "retention.next", title: "Next tab", keys: ["."], bar: "next tab", run: () => setTab(tabs[(tabs.findIndex((t) => t.id === by) + 1) % tabs.length]!.id) },
    { id: "retention.all", title: "Start from everything", when: () => !!load.data?.start, run: startOver },
  ]);
  useStatus(heapWords(heap));
  const data = load.data?.by === by ? load.data : null;
  const whatif = without && <WhatIf name={without} session={session} onClose={() => setKey("without", undefined)} onSite={onSite} onType={onType} />;
  return (
    <>
      <div class="toolbar">
        <div class="group">
          <Seg label="What is listed" value={by} options={tabs.map((t) => [t.id, t.title] as const)} onChange={setTab} />
          <Start data={data} state={state} />
        </div>
        <span class="label">
          {bytes(heap.bytes ?? 0)} in {plural(heap.objects ?? 0, "live object")}
          {heap.taken ? `, copied ${clock(heap.taken)}` : ""}
          {heap.earlier && `; ${bytes(heap.earlier.bytes)} ${heap.earlier.taken ? "at " + clock(heap.earlier.taken, [heap.taken ?? 0]) : "before"}`}
        </span>
      </div>
      {by === "growth" && !heap.earlier && <NoEarlier session={session} />}
      {load.error && (by !== "growth" || heap.earlier) && (
        <Empty title={sentence(load.error.message)} actions={<Button onClick={startOver}>Start from everything</Button>}>
          {load.error.hint}
        </Empty>
      )}
      {!data && !load.error && <Skeleton kind="cards" />}
      {data && !load.error && (
        <>
          {data.miss && (
            <Note status>
              {data.miss} This is the whole heap.
            </Note>
          )}
          <h2 class="say">{visible(data.sentence)}</h2>
          <Amounts data={data} />
          {by === "path" && <Paths data={data} state={state} whatif={whatif} />}
          {by === "dominators" && whatif ? (
            <div class="pair even">
              <Owners data={data} state={state} />
              {whatif}
            </div>
          ) : (
            by === "dominators" && <Owners data={data} state={state} />
          )}
          {by === "growth" && <Grown data={data} state={state} />}
          {by !== "path" && by !== "dominators" && whatif}
          {by !== "path" && <Rows data={data} base={url} state={state} onEnter={enter(by)} />}
          {data.notes.map((n) => (
            <Note key={n}>
              {n}
            </Note>
          ))}
        </>
      )}
    </>
  );
}

function startOver(): void {
  navigate({ keys: { sel: undefined, at: undefined, type: undefined, site: undefined, goroutine: undefined, row: undefined, open: undefined, way: undefined } });
}

function Start({ data, state }: { data: Retention | null; state: State }) {
  const at = get(state, "at");
  const sel = selection(state);
  if (at)
    return (
      <Chip word="start from" onRemove={() => navigate({ keys: { at: undefined, way: undefined } })}>
        <span class="mono">{at}</span>
      </Chip>
    );
  if (!sel || sel.sort === "l") return null;
  return (
    <Chip word="start from" onRemove={startOver} tip={data?.start?.words}>
      <bdi>{visible(sel.sort === "f" ? shortName(sel.name) : sel.name)}</bdi>
    </Chip>
  );
}

/** Amounts says how much what is asked about is. */
function Amounts({ data }: { data: Retention }) {
  const s = data.start;
  if (!s) return null;
  return (
    <Note>
      {sentence(s.words)} {s.estimated ? "About " : ""}
      {bytes(s.bytes)} ({share(s.bytes, data.total.bytes)}) in {plural(s.objects, "object")}
      {s.estimated ? " of the heap, estimated from samples." : s.retained && s.retained.bytes !== s.bytes ? `; with what only they hold ${bytes(s.retained.bytes)}.` : "."}
    </Note>
  );
}

function Paths({ data, state, whatif }: { data: Retention; state: State; whatif: ComponentChildren }) {
  const ways = data.ways ?? [];
  const n = Math.min(Number(get(state, "way")) || 0, ways.length - 1);
  const way = ways[n];
  const without = get(state, "without");
  if (!way) return <Empty title="Nothing is held here">No live object is left of what was asked about.</Empty>;
  return (
    <>
      <div class="pair">
        <Card title={`Why is ${way.type ? visible(way.type) : "this"} still here?`} label="Path to root">
          {way.objects > 1 && <Note>{`${way.estimated ? "About " : ""}${plural(Math.round(way.objects), "object")}, ${way.below ? "with what they hold " : ""}${bytes(way.bytes)}`}</Note>}
          <Path way={way} onWithout={onWithout} onAddress={onAddress} chosen={without} />
          <Sites list={way.site ? [way.site] : (way.sites ?? []).slice(0, 4)} onSite={onSite} caption="Allocated at, about" />
        </Card>
        {data.object ? <ObjectCard data={data} /> : <Owners data={data} state={state} />}
      </div>
      {whatif}
      {ways.length > 1 && <Ways ways={ways} at={n} object={!!data.object} />}
    </>
  );
}

function ObjectCard({ data }: { data: Retention }) {
  const o = data.object!;
  const list = (rows: readonly Row[], caption: string) =>
    rows.length > 0 && (
      <table class="facts">
        <caption>{caption}</caption>
        <tbody>
          {rows.slice(0, 8).map((r, i) => (
            <tr key={i}>
              <th scope="row">
                <button class="mono link" title={`${r.label ?? ""} ${r.name}`} onClick={() => (r.address ? onAddress(r.address) : r.type ? onType(r.type) : undefined)}>
                  {visible([r.name, r.label].filter(Boolean).join(" "))}
                </button>
              </th>
              <td class="num muted">{integer(r.objects)}</td>
              <td class="num">{r.own ? bytes(r.own) : ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    );
  return (
    <Card title={`${visible(o.type)} at ${o.address}`} label="Object">
      <Note>
        {bytes(o.size)}; with what only it holds {bytes(o.retained.bytes)} in {plural(o.retained.objects, "object")}. {o.allPaths ? "There are no other paths than these." : "There are more paths than these."}
      </Note>
      {list(o.holders, "Points to it")}
      {list(o.holds, "It keeps alive")}
    </Card>
  );
}

/** Ways lists all ways in which it is held; one is shown above. */
function Ways({ ways, at, object }: { ways: readonly Way[]; at: number; object: boolean }) {
  const columns: Column[] = [
    { id: "what", title: "What", width: "minmax(150px, 0.6fr)", cell: (i) => <bdi class="mono" title={ways[i]!.type}>{visible(ways[i]!.type ?? "several types")}</bdi> },
    { id: "by", title: "Held by", width: "minmax(240px, 1fr)", cell: (i) => <bdi class="mono" title={ways[i]!.sentence}>{visible(pathWords(ways[i]!))}</bdi> },
    { id: "objects", title: "Objects", right: true, width: "92px", cell: (i) => <span class="num">{integer(Math.round(ways[i]!.objects))}</span> },
    { id: "bytes", title: "Held", right: true, width: "92px", cell: (i) => <span class="num">{bytes(ways[i]!.bytes)}</span> },
    { id: "frees", title: "Cut frees", help: "What goes free without the reference that is best removed", right: true, width: "92px", cell: (i) => <span class="num">{ways[i]!.cut >= 0 ? bytes(ways[i]!.frees.bytes) : ""}</span> },
  ];
  return (
    <Card cls="flush ways" style={{ height: `${Math.min(9, ways.length) * 28 + 34}px` }} label={object ? "Other paths" : "Other ways"}>
      <Table label={object ? "Paths to this object" : "Ways in which it is held"} rows={ways.length} columns={columns} sort="" onSort={() => undefined} selected={at} onSelect={(i) => setKey("way", String(i || ""), inPlace)} />
    </Card>
  );
}

function pathWords(w: Way): string {
  let out = "";
  for (const s of w.path) out = s.kind ? s.name : out + (s.label ?? "");
  return out;
}

/** Owners is the treemap, with what can be done about the chosen tile. */
function Owners({ data, state }: { data: Retention; state: State }) {
  const tiles = data.tiles ?? [];
  const total = data.start?.bytes ?? data.total.bytes;
  const row = get(state, "tile");
  const at = tiles.findIndex((t) => `${t.id}${t.rest ? "r" : ""}` === row);
  const t = tiles[at];
  const open = (i: number) => {
    const x = tiles[i];
    if (x && x.id >= 0) navigate({ keys: { by: "dominators", row: String(x.id), tile: row || undefined } });
  };
  return (
    <Card cls="owners" label="Kept alive, by owner">
      <header class="cardhead">
        <h2>Kept alive, by owner</h2>
        <span class="aside label">{bytes(total)}</span>
      </header>
      <Treemap tiles={tiles} total={total} selected={at} onSelect={(i) => setKey("tile", `${tiles[i]!.id}${tiles[i]!.rest ? "r" : ""}`, inPlace)} onOpen={open} />
      <div class="tilefoot">
        {t ? (
          <>
            <span class="label" title={t.name}>
              <b>{visible(t.name)}</b> {t.rest ? "(the rest of it) " : ""}
              {bytes(t.bytes)} · {share(t.bytes, total)} · {plural(t.objects, "object")}
            </span>
            {t.without && <Button onClick={() => onWithout(t.without as string)}>Without it</Button>}
            {t.type && <Button onClick={() => onType(t.type as string)}>Who holds this type</Button>}
          </>
        ) : (
          <span class="label">Click a part, or walk with the arrows, to see what goes free without it.</span>
        )}
      </div>
    </Card>
  );
}

/** Grown is the way to what grew, of the selected row. */
function Grown({ data, state }: { data: Retention; state: State }) {
  const rows = data.rows ?? [];
  const r = rows.find((r) => String(r.id) === get(state, "row")) ?? rows[0];
  const way = r?.way;
  if (!way) return null;
  return (
    <div class="pair">
      <Card title={`Who holds more${way.type ? ` ${visible(way.type)}` : ""}?`} label="Path to what grew">
        <Path way={way} onWithout={onWithout} onAddress={onAddress} chosen={get(state, "without")} />
      </Card>
      <Card title="What grew" label="What grew">
        <p class="figure num" title={visible(way.sentence)}>
          {bytes(r.before ?? 0)} → {bytes(r.keeps)} <Delta base={r.before ?? 0} current={r.keeps} unit="bytes" times />
        </p>
        <Sites list={way.sites ?? []} onSite={onSite} caption="Alive of it, by where it was allocated, about" none="No sample says where it was allocated." />
      </Card>
    </div>
  );
}

/** TypeInspector is what is known of a selected type. */
function TypeInspector({ name, session }: { name: string; session: Session }) {
  const { heap } = useHeap(session.id, session.heap === true, false);
  const ready = heap?.state === "ready";
  const load = useLoad<Retention>(ready ? `${api(session.id)}/retention?most=3&sel=${encodeURIComponent("t:" + name)}` : null);
  const d = load.data;
  return (
    <>
      <p class="what">Type</p>
      <h2 class="title">
        <bdi>{visible(name)}</bdi>
      </h2>
      {!ready && <Note>The objects of the process were not read.</Note>}
      {d && (
        <>
          <Amounts data={d} />
          <p>{visible(d.sentence)}</p>
          <Sites list={(d.ways?.[0]?.sites ?? []).slice(0, 5)} onSite={onSite} caption="Allocated at, about" />
        </>
      )}
      <div class="next">
        <Button main onClick={() => onType(name)}>
          Who holds it
        </Button>
      </div>
    </>
  );
}

export const retention: View<null> = {
  id: "retention",
  key: "9",
  title: "Retention",
  group: "why",
  params: { by: "path", at: "", type: "", site: "", goroutine: "", way: "", row: "", tile: "", open: "", without: "", sort: "" },
  copied: tabs.map((t) => ({ by: t.id })),
  load: () => null,
  asks: (s, on) => (on.heap ? [s, { ...s, keys: {} }].map((x) => question(x, get(s, "by"))) : []),
  View: RetentionView,
  skeleton: "cards",
  wide: true,
  filters,
  inspector: { sort: "t", View: TypeInspector },
};
