// What was changed: the path to the selection, each transform with a button
// that removes it, a way to add one, undo.

import { useState } from "preact/hooks";
import { Button, Chip, Keys, Popover } from "../parts/index.ts";
import { views, type View } from "../views/index.ts";
import { addTransform, canRedo, canUndo, get, optionWords, redo, removeTransform, setKey, shownOptions, state, transformWords, undo, type Transform } from "../state.ts";
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
  const own = views.find((v) => v.id === state.value.view)?.filters;
  return (
    <div class="chips" role="group" aria-label="Path and filters">
      {way.length > 1 && (
        <span class="chip path">
          <span class="word">path</span>
          <b>
            {shorten(way).map((step, i) => (
              <>
                {i > 0 && (
                  <span class="sep" aria-hidden>
                    {" › "}
                  </span>
                )}
                {step.run ? (
                  <button key={i} onClick={step.run}>
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
        <Chip key={`${t.op}:${t.arg}`} word={transformWords[t.op]?.word ?? t.op} onRemove={() => removeTransform(i)} off={!!own} tip={own ? "Filters of samples change nothing here" : transformWords[t.op]?.help}>
          <bdi>{argWords(t)}</bdi>
        </Chip>
      ))}
      {shownOptions(state.value).map((k) => (
        <Chip key={k} word={optionWords[k]?.word ?? k} onRemove={() => setKey(k, undefined)} tip={optionWords[k]?.help}>
          {state.value.keys[k] === "true" ? "on" : state.value.keys[k]}
        </Chip>
      ))}
      {own
        ?.filter((f) => get(state.value, f.id))
        .map((f) => (
          <Chip key={f.id} word={f.word} onRemove={() => setKey(f.id, undefined)} tip={f.help}>
            <bdi>{get(state.value, f.id)}</bdi>
          </Chip>
        ))}
      {own?.length !== 0 && <AddFilter own={own} />}
      {canUndo.value && (
        <button class="quietbtn" onClick={undo}>
          Undo <Keys k="Ctrl+Z" />
        </button>
      )}
      {canRedo.value && (
        <button class="quietbtn" onClick={redo}>
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

const offered = ["focus", "ignore", "hide", "show", "showfrom", "prunefrom", "tagfocus", "tagignore", "root", "merge", "drop", "collapse"].map((id) => ({ id, word: transformWords[id]!.word, help: transformWords[id]!.help }));

/** AddFilter adds a transform, or one of the view's own filters. */
function AddFilter({ own }: { own: View["filters"] }) {
  const list = own ?? offered;
  const [chosen, setOp] = useState("");
  const { id: op, help } = list.find((f) => f.id === chosen) ?? list[0]!;
  const granularity = state.value.x.find((t) => t.op === "gran");
  return (
    <Popover
      cls="quietbtn"
      label="Add a filter"
      title={
        <>
          <span aria-hidden>+</span> Filter
        </>
      }
    >
      {(close) => (
        <form
          class="addfilter"
          onSubmit={(e) => {
            e.preventDefault();
            const said = new FormData(e.currentTarget); // what is drawn may be behind fast fingers
            const [what, arg] = [said.get("what") as string, (said.get("arg") as string).trim()];
            if (!arg) return;
            e.currentTarget.reset();
            close();
            if (own) setKey(what, arg);
            else addTransform(what, arg);
          }}
        >
          <label>
            <span class="label">What</span>
            <select class="field" name="what" value={op} onChange={(e) => setOp(e.currentTarget.value)}>
              {list.map((f) => (
                <option key={f.id} value={f.id}>
                  {f.word}
                </option>
              ))}
            </select>
          </label>
          <label>
            <span class="label">{["root", "merge", "drop", "collapse"].includes(op) ? "Function" : op.startsWith("tag") ? "Label, key=value" : "Regular expression"}</span>
            <input class="field mono" name="arg" spellcheck={false} autocomplete="off" />
          </label>
          <p class="note">{help}.</p>
          <Button main onClick={() => undefined} submit>
            Add
          </Button>
          {granularity && <p class="note">Entries stand for {granularity.arg}.</p>}
        </form>
      )}
    </Popover>
  );
}
