// Leaks: every finding of the detector with its class, reasons and path, who
// holds it where the process can be asked, and when memory ends.

import { useState } from "preact/hooks";
import { explain, useLoad } from "../api.ts";
import { bytes, clock, delta, place, plural, quantity, sentence, share, shortName, span } from "../format.ts";
import { Bar, Button, Card, Delta, Empty, Name, Note, Origin, Spark, toneOf } from "../parts/index.ts";
import { useHeap } from "../retention/heap.ts";
import { useStatus } from "../shell.ts";
import { api, navigate, selectFunction, selection, showFunction, type State } from "../state.ts";
import type { Session } from "../types.ts";
import type { View, ViewProps } from "./index.ts";
import { Command, Curve, Evidence, rateText, Word, type Call, type Finding, type Maybe, type Estimate } from "./verdict.tsx";

interface Leaks {
  headline: string;
  worst: string;
  from: number;
  to: number;
  looks: number;
  targets: number;
  restarts: number;
  findings: Finding[];
  next: string[][];
  totals: Finding[];
  earliest?: number;
  forecast?: { limit: number; limitName: string; used: number; unit: string; slope: Estimate; dates: { what: string; at: number; earliest: number; latest: number; in: string }[] };
  ledger: { name: string; bytes: number; growth: Maybe }[];
  warnings: string[];
}

const grows = (f: Finding) => f.class === "leak" || f.class === "growing";
const resourceWords: Readonly<Record<string, string>> = { heap: "live heap", resident: "resident memory", "off-heap": "memory outside the heap", descriptors: "file descriptors" };

function LeaksView({ data, state, session }: ViewProps<Leaks>) {
  const bad = data.findings.filter(grows);
  const rest = data.findings.filter((f) => !grows(f));
  useStatus([plural(data.looks, "profile") + " over " + span(data.to - data.from), data.targets > 1 && plural(data.targets, "process", "processes"), data.restarts > 0 && plural(data.restarts, "restart"), ...data.warnings]);
  return (
    <>
      {bad.length === 0 && (
        <Card tone="ok" label="Verdict">
          <h2 class="finding">{sentence(data.headline)}</h2>
          <p class="prose">
            {plural(data.looks, "profile")} over {span(data.to - data.from)} were judged.
            {data.worst === "unknown" && " Watch it for longer: profound leak -save DIR HOST:PORT."}
          </p>
        </Card>
      )}
      {bad.map((f) => (
        <One key={f.index} f={f} next={data.next[f.index] ?? []} state={state} session={session} all={data.findings} />
      ))}
      {rest.length > 0 && (
        <Card title="Grew, and is no leak">
          <ul class="harmless">
            {rest.map((f) => (
              <li key={f.index}>
                <Word is={f.class} />
                <Spark values={f.values.map((v) => v ?? 0)} width={72} tone="quiet" />
                <button class="quietbtn" onClick={() => f.blame && open(f, f.blame, session)}>
                  <bdi>{sentence(f.sentence)}</bdi>
                </button>
              </li>
            ))}
          </ul>
        </Card>
      )}
      <div class="leakpair">
        <Totals list={data.totals} />
        {(data.forecast || data.ledger.length > 0) && <Memory data={data} />}
      </div>
    </>
  );
}

/** open shows a function of a finding in the flame graph, as a change. */
function open(f: Finding, c: Call, session: Session): void {
  const kind = f.resource === "goroutines" ? "goroutine" : "heap";
  const shots = session.shots.filter((s) => s.kind === kind);
  if (!shots.length) return;
  navigate({ view: "flame", keys: { kind: kind === session.kind ? undefined : kind, value: undefined, base: shots[0]?.id, cur: undefined, sel: `f:${c.name}`, z: undefined } });
}

function One({ f, next, state, session, all }: { f: Finding; next: string[]; state: State; session: Session; all: readonly Finding[] }) {
  const [rate, interval] = rateText(f.slope, f.unit);
  const call = f.blame ?? f.path.at(-1);
  const can = (view: string) => session.views.includes(view);
  const cause = all.find((x) => x.index === f.cause);
  return (
    <Card cls="leak" tone={f.class === "leak" ? "bad" : "grow"} label={`Finding ${f.index + 1}`}>
      <div class="leakhead">
        <span class="muted num">{f.index + 1}</span>
        <Word is={f.class} />
        <span class="label">
          {resourceWords[f.resource] ?? f.resource} · {f.confidence} confidence: {f.confidenceWhy}
        </span>
      </div>
      <h2 class="finding">
        <bdi>{sentence(f.sentence.replace(/^[A-Z]+ /, ""))}</bdi>
      </h2>
      <div class="leakbody">
        <div>
          <Evidence list={f.evidence} />
          {cause && <Note>Effect of finding {cause.index + 1}.</Note>}
          <Held f={f} session={session} />
          <div class="next">
            {call && f.path.length > 0 && (
              <Button main onClick={() => open(f, call, session)}>
                Show the path
              </Button>
            )}
            {call && can("source") && <Button onClick={() => showFunction("source", call.name)}>Open {place(call.file, call.line)}</Button>}
            {call && can("retention") && <Button onClick={() => showFunction("retention", call.name)}>Who holds it</Button>}
          </div>
          {next.map((c) => (
            <Command key={c} text={c} />
          ))}
        </div>
        <div>
          <p class="num">
            {f.before.value !== null && quantity(f.before.value, f.unit)} → <b>{f.after.value !== null && quantity(f.after.value, f.unit)}</b> <span class="muted">{rate} {interval && `(${interval})`}</span>
          </p>
          <Curve times={f.times} values={f.values} errors={f.errors} unit={f.unit} tone="grow" label={f.subject} width={360} height={90} />
          <Path f={f} state={state} />
        </div>
      </div>
    </Card>
  );
}

/** Path lists the frames to the growth, from the first of the program's own on. */
function Path({ f, state }: { f: Finding; state: State }) {
  const path = [...(f.origin ?? []), ...f.path];
  const first = Math.max(0, path.findIndex((c) => c.category === 1));
  const sel = selection(state);
  return (
    <>
      <ol class="path" aria-label="Path">
        {path.slice(first).map((c, i) => (
          <li key={i} style={{ paddingLeft: `${Math.min(i, 12) * 10}px` }}>
            <button class={sel?.name === c.name ? "neighbour sel" : "neighbour"} title={c.name} onClick={() => selectFunction(c.name)}>
              <Origin category={c.category} />
              <Name name={shortName(c.name)} strong={c.name === f.blame?.name} />
              <bdi class="muted mono">{place(c.file, c.line)}</bdi>
              <span />
            </button>
          </li>
        ))}
      </ol>
      {(f.below?.length ?? 0) > 1 && (
        <ul class="label">
          {f.below?.slice(0, 5).map((b, i) => (
            <li key={i}>
              {share(b.share, 1)} of it in <Name name={shortName(b.path[0]?.name ?? "it")} strong={false} /> {place(b.path[0]?.file, b.path[0]?.line)}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** Held says who holds what the finding is about: at once from a file, or what was read already; a process is asked by click. */
function Held({ f, session }: { f: Finding; session: Session }) {
  const [asked, ask] = useState(false);
  const { heap } = useHeap(session.id, session.heap === true, false);
  const now = asked || (heap && (!heap.plan || heap.state === "ready"));
  const load = useLoad<{ held: string[] }>(now ? `${api(session.id)}/held?finding=${f.index}` : null);
  if (!session.heap || !f.path.length) return null;
  if (!now) return <p>{heap && <Button onClick={() => ask(true)}>Ask who holds it</Button>}</p>;
  if (load.error)
    return (
      <Note status>
        {explain(load.error)} <Button onClick={() => navigate({ view: "retention", keys: { sel: f.blame ? `f:${f.blame.name}` : undefined } })}>Retention</Button>
      </Note>
    );
  if (!load.data) return <Note status>Reading the heap …</Note>;
  const list = load.data.held.map((text) => ({ level: "held by", text: text.replace(/^held by /, "") }));
  return list.length ? <Evidence list={list} /> : <Note>Nothing that was sampled there is still alive in the heap.</Note>;
}

function Totals({ list }: { list: readonly Finding[] }) {
  return (
    <Card title="Resources">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Resource</th>
            <th scope="col" class="right">Before</th>
            <th scope="col" class="right">After</th>
            <th scope="col" class="right">Change</th>
            <th scope="col">Trend</th>
            <th scope="col">Verdict</th>
          </tr>
        </thead>
        <tbody>
          {list.map((t) => (
            <tr key={t.resource}>
              <th scope="row">{resourceWords[t.resource] ?? t.resource}</th>
              <td class="num right">{t.before.value === null ? "–" : quantity(t.before.value, t.unit)}</td>
              <td class="num right">{t.after.value === null ? "–" : quantity(t.after.value, t.unit)}</td>
              <td class="right">{t.before.value !== null && t.after.value !== null && <Delta base={t.before.value} current={t.after.value} unit={t.unit} />}</td>
              <td>
                <Spark values={t.values.map((v) => v ?? 0)} width={80} tone={grows(t) ? "grow" : t.values.length > 1 ? toneOf(t.values[0] ?? 0, t.values.at(-1) ?? 0) : "quiet"} />
              </td>
              <td>
                <Word is={t.class} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

/** Memory says what resident memory is made of and when it ends. */
function Memory({ data }: { data: Leaks }) {
  const c = data.forecast;
  const total = data.ledger.reduce((sum, p) => sum + Math.max(0, p.bytes), 0);
  return (
    <Card title="Memory">
      {c && (
        <>
          <p class="num">
            {quantity(c.used, c.unit)} of {quantity(c.limit, c.unit)} ({c.limitName}), {rateText(c.slope, c.unit)[0]}
          </p>
          {c.dates.length === 0 && <p class="prose">At this rate nothing runs out in sight.</p>}
          {c.dates.map((d) => (
            <p key={d.what} class="prose">
              <b>{sentence(d.what).replace(/\.$/, "")} {d.in}</b>
              {d.earliest > 0 && ` (${clock(d.earliest, [data.to])}${d.latest ? ` to ${clock(d.latest, [data.to])}` : " at the earliest"})`}
            </p>
          ))}
        </>
      )}
      {total > 0 && (
        <table class="plain">
          <caption class="label">What resident memory is made of</caption>
          <tbody>
            {data.ledger
              .filter((p) => p.bytes !== 0)
              .map((p) => (
                <tr key={p.name}>
                  <th scope="row">{p.name}</th>
                  <td>
                    <Bar v={p.bytes} max={total} tone={p.growth !== null && p.growth > 0.002 * total ? "grow" : "accent"} />
                  </td>
                  <td class="num right">{bytes(p.bytes)}</td>
                  <td class="num right muted">{share(p.bytes, total)}</td>
                  <td class="num right muted">{p.growth === null || Math.abs(p.growth) < 1 ? "" : `${delta(p.growth, "bytes")}/s`}</td>
                </tr>
              ))}
          </tbody>
        </table>
      )}
      {!c && total === 0 && <Empty title="Nothing is known of the process itself" command="profound leak -save DIR HOST:PORT" />}
    </Card>
  );
}

export const leaks: View<Leaks> = {
  id: "leaks",
  key: "8",
  title: "Leaks",
  group: "why",
  load: (s) => `${api(s.session)}/leaks`,
  View: LeaksView,
  skeleton: "cards",
  wide: true,
  filters: [],
};
