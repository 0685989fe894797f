// Who keeps memory alive: the way from a root, the dominator tree, types,
// roots, waste, and what would go free. It begins at the selection: a function
// (what it allocated), a type, goroutines. URL keys of its own: by (the tab),
// at (an address), way (number of a way), row (of a table), open (rows of the
// tree), without (a reference), sort.

import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { useLoad } from "../api.ts";
import { useCommands } from "../commands.ts";
import { clock, integer, plural, quantity, sentence, share, shortName, visible } from "../format.ts";
import { Button, Card, Chip, Empty, Seg, Skeleton, Table, type Column } from "../parts/index.ts";
import { heapWords, Gate, NoHeap } from "../retention/Gate.tsx";
import { useHeap, type HeapState } from "../retention/heap.ts";
import { Path } from "../retention/Path.tsx";
import type { Retention, Row, Way } from "../retention/shapes.ts";
import { columnsOf, Tree, type Shown } from "../retention/tables.tsx";
import { Treemap } from "../retention/Treemap.tsx";
import { Sites, WhatIf } from "../retention/WhatIf.tsx";
import { useStatus } from "../shell.ts";
import { get, navigate, selection, setKey, state as now, type State } from "../state.ts";
import type { Session } from "../types.ts";
import type { View, ViewProps } from "./index.ts";

const tabs = [
  { id: "path", title: "Path to root" },
  { id: "dominators", title: "Dominators" },
  { id: "types", title: "Types" },
  { id: "roots", title: "Roots" },
  { id: "waste", title: "Waste" },
] as const;
type Tab = (typeof tabs)[number]["id"];

function RetentionView({ state, session }: ViewProps<null>) {
  const { heap, error, read } = useHeap(session.id, session.heap === true);
  if (!session.heap) return <NoHeap session={session} />;
  if (heap?.state !== "ready" || error) return <Gate heap={heap} error={error} read={read} />;
  return <Ready state={state} session={session} heap={heap} />;
}

/** question is the URL of what is asked, from what is selected. */
function question(s: State, by: string): string {
  const p = new URLSearchParams();
  const at = get(s, "at");
  const sel = s.keys["sel"] ?? "";
  if (at) p.set("at", at);
  if (by !== "path") p.set("by", by);
  if (!at && /^[ftg]:/.test(sel)) p.set("sel", sel);
  const q = p.toString();
  return `/api/${encodeURIComponent(s.session)}/retention${q ? "?" + q : ""}`;
}

const onType = (t: string) => navigate({ view: "retention", keys: { sel: `t:${t}`, by: undefined, at: undefined, without: undefined, way: undefined, row: undefined } });
const onSite = (fn: string) => navigate({ view: "source", keys: { sel: `f:${fn}` } });
const onAddress = (a: string) => navigate({ view: "retention", keys: { at: a, by: undefined, way: undefined, row: undefined } });
const onWithout = (name: string) => setKey("without", now.peek().keys["without"] === name ? undefined : name);

function Ready({ state, session, heap }: { state: State; session: Session; heap: HeapState }) {
  const by = (tabs.find((t) => t.id === get(state, "by"))?.id ?? "path") as Tab;
  const url = question(state, by);
  const load = useLoad<Retention>(url);
  const without = get(state, "without");
  const setTab = (id: Tab) => navigate({ keys: { by: id, row: undefined, open: undefined, sort: undefined } });
  useCommands([
    ...tabs.map((t) => ({ id: `retention.${t.id}`, title: `Show ${t.title.toLowerCase()}`, group: "Retention", run: () => setTab(t.id), when: () => by !== t.id })),
    { id: "retention.next", title: "Next tab", keys: ["."], group: "Retention", bar: "next tab", run: () => setTab(tabs[(tabs.findIndex((t) => t.id === by) + 1) % tabs.length]!.id) },
    { id: "retention.all", title: "Start from everything", group: "Retention", when: () => !!load.data?.start, run: startOver },
  ]);
  useStatus(heapWords(heap));
  const data = load.data?.by === by ? load.data : null;
  const whatif = without && <WhatIf name={without} session={session} onClose={() => setKey("without", undefined)} onSite={onSite} onType={onType} />;
  return (
    <>
      <div class="toolbar">
        <div class="group">
          <Seg label="What is listed" value={by} options={tabs} onChange={setTab} />
          <Start data={data} state={state} />
        </div>
        <span class="label">
          {quantity(heap.bytes ?? 0, "bytes")} in {plural(heap.objects ?? 0, "live object")}
          {heap.taken ? `, copied ${clock(heap.taken)}` : ""}
        </span>
      </div>
      {load.error && (
        <Empty title={sentence(load.error.message)} actions={<Button onClick={startOver}>Start from everything</Button>}>
          {load.error.hint}
        </Empty>
      )}
      {!data && !load.error && <Skeleton kind="cards" />}
      {data && !load.error && (
        <>
          {data.miss && (
            <p class="label" role="status">
              {data.miss} This is the whole heap.
            </p>
          )}
          <h2 class="say">{visible(data.sentence)}</h2>
          <Amounts data={data} />
          {by === "path" && <Paths data={data} state={state} whatif={whatif} />}
          {by === "dominators" && <Dominators data={data} state={state} url={url} whatif={whatif} />}
          {(by === "types" || by === "waste") && <Flat data={data} state={state} by={by} />}
          {by === "roots" && <Roots data={data} state={state} url={url} />}
          {by !== "path" && by !== "dominators" && whatif}
          {data.notes.map((n) => (
            <p key={n} class="label">
              {n}
            </p>
          ))}
        </>
      )}
    </>
  );
}

function startOver(): void {
  navigate({ keys: { sel: undefined, at: undefined, row: undefined, open: undefined, way: undefined } });
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
    <p class="label">
      {sentence(s.words)} {s.estimated ? "About " : ""}
      {quantity(s.bytes, "bytes")} ({share(s.bytes, data.total.bytes)}) in {plural(s.objects, "object")}
      {s.estimated ? " of the heap, estimated from samples." : s.retained && s.retained.bytes !== s.bytes ? `; with what only they hold ${quantity(s.retained.bytes, "bytes")}.` : "."}
    </p>
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
          {way.objects > 1 && <p class="label">{`${way.estimated ? "About " : ""}${plural(Math.round(way.objects), "object")}, ${way.below ? "with what they hold " : ""}${quantity(way.bytes, "bytes")}`}</p>}
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
                <button type="button" class="mono link" title={`${r.label ?? ""} ${r.name}`} onClick={() => (r.address ? onAddress(r.address) : r.type ? onType(r.type) : undefined)}>
                  {visible([r.name, r.label].filter(Boolean).join(" "))}
                </button>
              </th>
              <td class="num muted">{integer(r.objects)}</td>
              <td class="num">{r.own ? quantity(r.own, "bytes") : ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    );
  return (
    <Card title={`${visible(o.type)} at ${o.address}`} label="Object">
      <p class="label">
        {quantity(o.size, "bytes")}; with what only it holds {quantity(o.retained.bytes, "bytes")} in {plural(o.retained.objects, "object")}. {o.allPaths ? "There are no other paths than these." : "There are more paths than these."}
      </p>
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
    { id: "bytes", title: "Held", right: true, width: "92px", cell: (i) => <span class="num">{quantity(ways[i]!.bytes, "bytes")}</span> },
    { id: "frees", title: "Cut frees", help: "What goes free without the reference that is best removed", right: true, width: "92px", cell: (i) => <span class="num">{ways[i]!.cut >= 0 ? quantity(ways[i]!.frees.bytes, "bytes") : ""}</span> },
  ];
  return (
    <section class="card flush ways" style={{ height: `${Math.min(9, ways.length) * 28 + 34}px` }} aria-label={object ? "Other paths" : "Other ways"}>
      <Table label={object ? "Paths to this object" : "Ways in which it is held"} rows={ways.length} columns={columns} sort="" onSort={() => undefined} selected={at} onSelect={(i) => setKey("way", String(i || ""), { replace: true })} />
    </section>
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
    <section class="card owners" aria-label="Kept alive, by owner">
      <header class="cardhead">
        <h2>Kept alive, by owner</h2>
        <span class="aside label">{quantity(total, "bytes")}</span>
      </header>
      <Treemap tiles={tiles} total={total} selected={at} onSelect={(i) => setKey("tile", `${tiles[i]!.id}${tiles[i]!.rest ? "r" : ""}`, { replace: true })} onOpen={open} />
      <div class="tilefoot">
        {t ? (
          <>
            <span class="label" title={t.name}>
              <b>{visible(t.name)}</b> {t.rest ? "(the rest of it) " : ""}
              {quantity(t.bytes, "bytes")} · {share(t.bytes, total)} · {plural(t.objects, "object")}
            </span>
            {t.without && <Button onClick={() => onWithout(t.without as string)}>Without it</Button>}
            {t.type && <Button onClick={() => onType(t.type as string)}>Who holds this type</Button>}
          </>
        ) : (
          <span class="label">Click a part, or walk with the arrows, to see what goes free without it.</span>
        )}
      </div>
    </section>
  );
}

const treeWords: Parameters<typeof columnsOf>[2] = { name: "Object", own: ["Own", "Itself, and what below it is too small for a row"], keeps: ["Keeps alive", "What goes free with it"] };

function Dominators({ data, state, url, whatif }: { data: Retention; state: State; url: string; whatif: ComponentChildren }) {
  const total = data.start?.bytes ?? data.total.bytes;
  const row = get(state, "row");
  return (
    <>
      <Owners data={data} state={state} />
      {whatif}
      <section class="card flush tablebox" aria-label="Dominator tree">
        <Tree label="Dominator tree: what goes free with what" data={data} base={url} total={total} opened={get(state, "open")} onOpened={(v) => setKey("open", v || undefined, { replace: true })} selected={row} onSelect={(s) => setKey("row", s.key, { replace: true })} onEnter={rowWithout} words={treeWords} />
      </section>
      <p class="label">→ opens a row, ← closes it, Enter shows what goes free without it.</p>
    </>
  );
}

function rowWithout(s: Shown): void {
  if (s.row.without) onWithout(s.row.without);
  else if (s.row.address) onAddress(s.row.address);
}

const rootWords: Parameters<typeof columnsOf>[2] = { name: "Root", own: ["Nearest", "Objects count to the root with the shortest path; rows add up to all"], keeps: ["Keeps alive", "What goes free without this root"], bar: "own" };

function Roots({ data, state, url }: { data: Retention; state: State; url: string }) {
  return (
    <section class="card flush tablebox" aria-label="Roots">
      <Tree label="Roots by package" data={data} base={url} total={data.total.bytes} opened={get(state, "open")} onOpened={(v) => setKey("open", v || undefined, { replace: true })} selected={get(state, "row")} onSelect={(s) => setKey("row", s.key, { replace: true })} onEnter={rowWithout} words={rootWords} />
    </section>
  );
}

const typeWords: Parameters<typeof columnsOf>[2] = { name: "Type", own: ["Own", "The objects of this type alone"], keeps: ["Keep alive", "They and all that only they hold"] };
const wasteWords: Parameters<typeof columnsOf>[2] = { name: "What, and who holds it", own: ["Of", "The objects"], keeps: ["Wasted", "What no reference can see"] };

/** Flat is a table without levels. Enter goes on from a row. */
function Flat({ data, state, by }: { data: Retention; state: State; by: "types" | "waste" }) {
  const words = by === "types" ? typeWords : wasteWords;
  const shown = useMemo<Shown[]>(() => (data.rows ?? []).map((row) => ({ row, depth: 0, key: String(row.id), open: false })), [data]);
  const total = data.start?.bytes ?? data.total.bytes;
  const estimated = data.start?.estimated && by === "types";
  const columns = useMemo(() => columnsOf(estimated ? shown.map((s) => ({ ...s, row: { ...s.row, keeps: s.row.own } })) : shown, total, estimated ? { ...words, own: null, keeps: ["About", "Estimated from samples"] } : words, null, true), [shown, total, estimated]);
  const open = (i: number) => {
    const r = shown[i]!.row;
    if (by === "types") onType(r.name);
    else if (r.address) onAddress(r.address);
  };
  if (!shown.length) return null;
  return (
    <>
      <section class="card flush tablebox" aria-label={words.name}>
        <Table label={words.name} rows={shown.length} columns={columns} sort={get(state, "sort") || "-keeps"} onSort={(s) => setKey("sort", s, { replace: true })} selected={shown.findIndex((s) => s.key === get(state, "row"))} onSelect={(i) => setKey("row", shown[i]!.key, { replace: true })} onOpen={open} />
      </section>
      <p class="label">
        {by === "types" ? "Enter or a double click: who holds this type." : "Enter or a double click: one of these objects, with all its paths."}
        {data.more ? ` ${plural(data.more, "row")} more, ${quantity(data.moreBytes ?? 0, "bytes")}, are not listed.` : ""}
      </p>
    </>
  );
}

/** TypeInspector is what is known of a selected type. */
function TypeInspector({ name, session }: { name: string; session: Session }) {
  const { heap } = useHeap(session.id, session.heap === true, false);
  const ready = heap?.state === "ready";
  const load = useLoad<Retention>(ready ? `/api/${encodeURIComponent(session.id)}/retention?most=3&sel=${encodeURIComponent("t:" + name)}` : null);
  const d = load.data;
  return (
    <>
      <p class="what">Type</p>
      <h2 class="title">
        <bdi>{visible(name)}</bdi>
      </h2>
      {!ready && <p class="label">The objects of the process were not read.</p>}
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
  params: { by: "path", at: "", way: "", row: "", tile: "", open: "", without: "", sort: "" },
  load: () => null,
  View: RetentionView,
  skeleton: "cards",
  wide: true,
  inspector: { sort: "t", View: TypeInspector },
};
