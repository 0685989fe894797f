// The views at the left, in groups named by the question they answer.

import { Icon, isIcon, Keys } from "../parts/index.ts";
import { follow } from "../events.ts";
import { integer } from "../format.ts";
import { applyPatch, link, navigate, print, state } from "../state.ts";
import type { Session } from "../types.ts";
import { groups, viewsFor, type View } from "../views/index.ts";

export function Rail({ session }: { session: Session | null }) {
  const list = session ? viewsFor(session) : [];
  return (
    <nav class="rail" aria-label="Views">
      {groups.map((g) => {
        const inside = list.filter((v) => v.group === g.id);
        if (!inside.length) return null;
        return (
          <>
            {g.title && <h2 key={g.id}>{g.title}</h2>}
            {inside.map((v) => (
              <Entry key={v.id} v={v} badge={session?.badges?.[v.id]} />
            ))}
          </>
        );
      })}
    </nav>
  );
}

function Entry({ v, badge }: { v: View; badge?: number }) {
  const here = state.value.view === v.id;
  return (
    <a href={link(print(applyPatch(state.value, { view: v.id })))} aria-current={here ? "page" : undefined} onClick={follow(() => navigate({ view: v.id }))} title={v.title}>
      {isIcon(v.id) && <Icon name={v.id} />}
      <span class="title">{v.title}</span>
      {badge ? <span class={v.id === "leaks" ? "count alert" : "count"}>{integer(badge)}</span> : null}
      <Keys k={v.key} />
    </a>
  );
}
