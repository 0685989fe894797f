// What was changed: the path to the selection, each transform with a button
// that removes it, a way to add one, undo.

import { useState } from "preact/hooks";
import { Button, Chip, Keys, Popover } from "../parts/index.ts";
import { addTransform, canRedo, canUndo, optionsOf, optionWords, redo, removeTransform, setKey, state, transformWords, undo, type Transform } from "../state.ts";
import { trail } from "../shell.ts";

/** argWords shows an exact regular expression as the name it stands for. */
export function argWords(t: Transform): string {
  if (t.op === "collapse" && t.arg === "*") return "all";
  const exact = /^\^([^]*)\$$/.exec(t.arg);
  if (!exact) return t.arg;
  const plain = (exact[1] as string).replace(/\\([^\w\s])/g, "$1");
  return /(^|[^\\])[\\.*+?[\]{}|]/.test((exact[1] as string).replace(/\\[^\w\s]/g, "")) ? t.arg : plain;
}

export function Chips() {
  const way = trail.value;
  return (
    <div class="chips" role="group" aria-label="Path and filters">
      {way.length > 1 && (
        <span class="chip path">
          <span class="word">path</span>
          <b>
            {shorten(way).map((step, i) => (
              <>
                {i > 0 && (
                  <span class="sep" aria-hidden="true">
                    {" › "}
                  </span>
                )}
                {step.run ? (
                  <button key={i} type="button" onClick={step.run}>
                    <bdi>{step.title}</bdi>
                  </button>
                ) : (
                  <span key={i}>…</span>
                )}
              </>
            ))}
          </b>
        </span>
      )}
      {state.value.x.map((t, i) => (
        <Chip key={`${t.op}:${t.arg}`} word={transformWords[t.op]?.word ?? t.op} onRemove={() => removeTransform(i)} tip={transformWords[t.op]?.help}>
          <bdi>{argWords(t)}</bdi>
        </Chip>
      ))}
      {optionsOf(state.value).map((k) => (
        <Chip key={k} word={optionWords[k]?.word ?? k} onRemove={() => setKey(k, undefined)} tip={optionWords[k]?.help}>
          {state.value.keys[k] === "true" ? "on" : state.value.keys[k]}
        </Chip>
      ))}
      <AddFilter />
      {canUndo.value && (
        <button type="button" class="quietbtn" onClick={undo}>
          Undo <Keys k="Ctrl+Z" />
        </button>
      )}
      {canRedo.value && (
        <button type="button" class="quietbtn" onClick={redo}>
          Redo
        </button>
      )}
    </div>
  );
}

/** shorten keeps the first and, of the last steps of a long path, what fits. */
function shorten(way: readonly { title: string; run: () => void }[]): { title: string; run?: () => void }[] {
  const room = 66;
  let length = way[0]!.title.length;
  let from = way.length;
  while (from > 1 && (from === way.length || length + way[from - 1]!.title.length < room)) length += way[--from]!.title.length + 3;
  return from <= 1 ? [...way] : [way[0]!, { title: "…" }, ...way.slice(from)];
}

const offered = ["focus", "ignore", "hide", "show", "showfrom", "prunefrom", "tagfocus", "tagignore", "root", "merge", "drop", "collapse"] as const;

function AddFilter() {
  const [op, setOp] = useState<string>("focus");
  const [arg, setArg] = useState("");
  const granularity = state.value.x.find((t) => t.op === "gran");
  return (
    <Popover
      cls="quietbtn"
      label="Add a filter"
      title={
        <>
          <span aria-hidden="true">+</span> Filter
        </>
      }
    >
      {(close) => (
        <form
          class="addfilter"
          onSubmit={(e) => {
            e.preventDefault();
            if (!arg.trim()) return;
            close();
            addTransform(op, arg.trim());
            setArg("");
          }}
        >
          <label>
            <span class="label">What</span>
            <select class="field" value={op} onChange={(e) => setOp(e.currentTarget.value)}>
              {offered.map((o) => (
                <option key={o} value={o}>
                  {transformWords[o]?.word}
                </option>
              ))}
            </select>
          </label>
          <label>
            <span class="label">{["root", "merge", "drop", "collapse"].includes(op) ? "Function" : op.startsWith("tag") ? "Label, key=value" : "Regular expression"}</span>
            <input class="field mono" value={arg} onInput={(e) => setArg(e.currentTarget.value)} spellcheck={false} autocomplete="off" />
          </label>
          <p class="note">{transformWords[op]?.help}.</p>
          <Button main onClick={() => undefined} submit>
            Add
          </Button>
          {granularity && <p class="note">Entries stand for {granularity.arg}.</p>}
        </form>
      )}
    </Popover>
  );
}
