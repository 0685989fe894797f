// What would go free without a reference.

import { useEffect, useRef } from "preact/hooks";
import { useLoad } from "../api.ts";
import { integer, plural, quantity, sentence, share, visible } from "../format.ts";
import { Bar, Button, Card } from "../parts/index.ts";
import { copy } from "../shell.ts";
import type { Session } from "../types.ts";
import type { Site, WhatIf as Answer } from "./shapes.ts";

/** shellWord quotes a word for a shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export function WhatIf({ name, session, onClose, onSite, onType }: { name: string; session: Session; onClose: () => void; onSite: (fn: string) => void; onType: (t: string) => void }) {
  const load = useLoad<Answer>(`/api/${encodeURIComponent(session.id)}/without?name=${encodeURIComponent(name)}`);
  const w = load.data?.name === name ? load.data : null;
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.scrollIntoView({ block: "nearest" }), [w]);
  const source = session.sources?.[0] ?? "PID";
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
          <Button onClick={() => void copy(`profound why -without ${shellWord(name)} ${shellWord(source)}`, "Command")}>Copy as command</Button>
          <Button onClick={onClose}>Close</Button>
        </>
      }
    >
      {load.error && (
        <p role="alert">
          {sentence(load.error.message)} {load.error.hint}
        </p>
      )}
      {!w && !load.error && <p class="label">Counting what it alone keeps alive …</p>}
      {w && (
        <div class="whatif" role="status" ref={box}>
          <p class="figure">
            {quantity(w.frees.bytes, "bytes")} <small>go free in {plural(w.frees.objects, "object")}</small>
          </p>
          <p class="label">
            <Bar v={w.frees.bytes} max={w.of.bytes} tone="own" /> {share(w.frees.bytes, w.of.bytes)} of the heap; {[w.variables && plural(w.variables, "variable"), w.references && plural(w.references, "reference")].filter(Boolean).join(", ")} removed
            {w.stacks ? `, and stacks of ${quantity(w.stacks, "bytes")}` : ""}.
          </p>
          <div class="two">
            <table class="facts">
              <caption>Of these types</caption>
              <tbody>
                {w.types.map((t) => (
                  <tr key={t.name}>
                    <th scope="row">
                      <button type="button" class="mono link" title={t.name} onClick={() => onType(t.name)}>
                        {visible(t.name)}
                      </button>
                    </th>
                    <td class="num muted">{integer(t.objects)}</td>
                    <td class="num">{quantity(t.own, "bytes")}</td>
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
  if (!list.length) return none ? <p class="label">{none}</p> : null;
  return (
    <table class="facts">
      <caption>{caption}</caption>
      <tbody>
        {list.map((s, i) => (
          <tr key={i}>
            <th scope="row">
              <button type="button" class="mono link" title={`${s.function}${s.type ? `\n${s.type}` : ""}`} onClick={() => onSite(s.function)}>
                {visible(s.place)}
              </button>
            </th>
            <td class="num">{quantity(s.bytes, "bytes")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
