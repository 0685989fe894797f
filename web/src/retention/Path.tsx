// The way from a root to what it keeps alive, step by step.

import { useCommands } from "../commands.ts";
import { bytes, integer, visible } from "../format.ts";
import { Button, fill, Note } from "../parts/index.ts";
import { categories } from "../types.ts";
import type { Step, Way } from "./shapes.ts";

/** stepName says what a step is called: a field of the one before, or a variable. */
export function stepName(s: Step): string {
  return s.label || s.name;
}

export function Path({ way, onWithout, onAddress, chosen }: { way: Way; onWithout: (name: string) => void; onAddress: (a: string) => void; chosen: string }) {
  const cut = way.path[way.cut];
  const name = cut?.without ?? "";
  useCommands("Retention", [{ id: "retention.without", title: "Show what goes free without the marked reference", keys: ["w"], bar: "without it", when: () => name !== "", run: () => onWithout(name) }]);
  return (
    <>
      <Steps path={way.path} cut={way.cut} onWithout={onWithout} chosen={chosen} />
      {way.also && (
        <>
          <Note>No single reference holds it. Another way:</Note>
          <Steps path={way.also} cut={-1} onWithout={onWithout} chosen={chosen} />
          {way.both && way.both.bytes > 0 && <Note>Without both {bytes(way.both.bytes)} go free.</Note>}
        </>
      )}
      <div class="next">
        {name && (
          <Button main onClick={() => onWithout(name)} tip={`Without ${name}`} keys="w">
            Without this reference: frees {bytes(way.frees.bytes)}
          </Button>
        )}
        {way.address && way.objects > 1 && (
          <Button onClick={() => onAddress(way.address as string)} tip={`The object at ${way.address}: all its paths, who points to it`}>
            One of them
          </Button>
        )}
      </div>
    </>
  );
}

function Steps({ path, cut, onWithout, chosen }: { path: readonly Step[]; cut: number; onWithout: (name: string) => void; chosen: string }) {
  return (
    <ol class="steps">
      {path.map((s, i) => {
        const most = path.length - 1;
        const inside = (
          <>
            <bdi class="mono">{visible(stepName(s))}</bdi> <span class="label">{[s.label && visible(s.name), s.kind, s.repeated && "again and again", s.objects && s.objects > 1 && !s.name.startsWith("map[") && `×${integer(s.objects)}`].filter(Boolean).join(" · ")}</span>
          </>
        );
        const can = s.without && (i < most || i === cut);
        return (
          <li key={i} class={i === cut ? "cut" : undefined}>
            <i style={fill(categories[s.category] ?? "none")} aria-hidden />
            {can ? (
              <button aria-pressed={chosen === s.without} title={`What goes free without ${s.without}`} onClick={() => onWithout(s.without as string)}>
                {inside}
              </button>
            ) : (
              <span>{inside}</span>
            )}
            <b class="num">{s.keeps ? bytes(s.keeps) : ""}</b>
          </li>
        );
      })}
    </ol>
  );
}
