// What would go free without a reference.

import { useEffect, useRef } from "preact/hooks";
import { explain, useLoad } from "../api.ts";
import { useCommands } from "../commands.ts";
import { bytes, integer, plural, share, visible } from "../format.ts";
import { Bar, Button, Card, Note } from "../parts/index.ts";
import { copy } from "../shell.ts";
import { api } from "../state.ts";
import type { Session } from "../types.ts";
import type { Site, WhatIf as Answer } from "./shapes.ts";

/** shellWord quotes a word for a shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export function WhatIf({ name, session, onClose, onSite, onType }: { name: string; session: Session; onClose: () => void; onSite: (fn: string) => void; onType: (t: string) => void }) {
  const load = useLoad<Answer>(`${api(session.id)}/without?name=${encodeURIComponent(name)}`);
  const w = load.data?.name === name ? load.data : null;
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.scrollIntoView({ block: "nearest" }), [w]);
  const source = session.sources?.[0] ?? "PID";
  const report = () => w && void copy(`${w.report}${location.href}\n`, "Report");
  useCommands("Retention", [{ id: "retention.report", title: "Copy report", keys: ["C"], bar: "copy report", when: () => !!w, run: report }]);
  return (
    <Card
      tone="ok"
      title={
        <>
          Without <bdi class="mono">{visible(name)}</bdi>
        </>
      }
      aside={
        <>
          <Button onClick={report} keys="C">
            Copy report
          </Button>
          <Button onClick={() => void copy(`profound why -without ${shellWord(name)} ${shellWord(source)}`, "Command")}>Copy as command</Button>
          <Button onClick={onClose}>Close</Button>
        </>
      }
    >
      {load.error && (
        <p role="alert">
          {explain(load.error)}
        </p>
      )}
      {!w && !load.error && <Note>Counting what it alone keeps alive …</Note>}
      {w && (
        <div class="whatif" role="status" ref={box}>
          <p class="figure">
            {bytes(w.frees.bytes)} <small>go free in {plural(w.frees.objects, "object")}</small>
          </p>
          <Note>
            <Bar v={w.frees.bytes} max={w.of.bytes} tone="own" /> {share(w.frees.bytes, w.of.bytes)} of the heap; {[w.variables && plural(w.variables, "variable"), w.references && plural(w.references, "reference")].filter(Boolean).join(", ")} removed
            {w.stacks ? `, and stacks of ${bytes(w.stacks)}` : ""}.
          </Note>
          <div class="two">
            <table class="facts">
              <caption>Of these types</caption>
              <tbody>
                {w.types.map((t) => (
                  <tr key={t.name}>
                    <th scope="row">
                      <button class="mono link" title={t.name} onClick={() => onType(t.name)}>
                        {visible(t.name)}
                      </button>
                    </th>
                    <td class="num muted">{integer(t.objects)}</td>
                    <td class="num">{bytes(t.own)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            <Sites list={w.sites} onSite={onSite} caption="Allocated at, about" none="No sample says where it was allocated." />
          </div>
        </div>
      )}
    </Card>
  );
}

/** Sites lists places that allocated. */
export function Sites({ list, onSite, caption, none }: { list: readonly Site[]; onSite: (fn: string) => void; caption: string; none?: string }) {
  if (!list.length) return none ? <Note>{none}</Note> : null;
  return (
    <table class="facts">
      <caption>{caption}</caption>
      <tbody>
        {list.map((s, i) => (
          <tr key={i}>
            <th scope="row">
              <button class="mono link" title={`${s.function}${s.type ? `\n${s.type}` : ""}`} onClick={() => onSite(s.function)}>
                {visible(s.place)} <span class="label">{visible(s.type ?? "")}</span>
              </button>
            </th>
            <td class="num">
              {s.before !== undefined && <span class="muted">{bytes(s.before)} → </span>}
              {bytes(s.bytes)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
