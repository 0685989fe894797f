// The lower edge: what is shown and hidden, and the keys of this view.

import { commands } from "../commands.ts";
import { status } from "../shell.ts";
import { Keys } from "../parts/index.ts";

export function Foot() {
  const hints = commands.value.filter((c) => c.bar && c.keys?.length);
  return (
    <footer class="foot">
      <div class="said">
        {status.value.map((s) => (
          <span key={s} title={s}>
            {s}
          </span>
        ))}
      </div>
      <span class="grow" />
      <div class="hints">
        {hints.map((c) => (
          <button key={c.id} tabIndex={-1} title={c.title} onClick={c.run}>
            <Keys k={c.keys?.[0] ?? ""} /> {c.bar}
          </button>
        ))}
      </div>
    </footer>
  );
}
