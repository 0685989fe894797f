// The commands of the page itself. Views add their own.

import { again, ask, type Failure } from "../api.ts";
import { addCommands, type Command } from "../commands.ts";
import { saved } from "../saved.ts";
import { base, current, kind, session, shots } from "../session.ts";
import { copy, dialog, drawer, found, toast, toggleTheme } from "../shell.ts";
import { addTransform, canRedo, canUndo, dataURL, inPlace, navigate, quoteRegexp, redo, removeTransforms, selection, setKey, startPage, state, undo } from "../state.ts";
import { hasView, views } from "../views/index.ts";

/** The selected function, "" when something else or nothing is selected. */
function selectedFunction(): string {
  const s = selection(state.value);
  return s?.sort === "f" ? s.name : "";
}

/** go opens a view if the session has it. */
function go(view: string): void {
  navigate({ view });
}

function has(view: string): boolean {
  const s = session.value;
  return !!s && hasView(s, view);
}

function onSelected(id: string, title: string, key: string, run: (fn: string) => void, bar?: string, when: () => boolean = () => true): Command {
  return { id, title, keys: [key], group: "Selection", bar, run: () => run(selectedFunction()), when: () => selectedFunction() !== "" && when() };
}

/** step shows the profile before or after the current one. */
function step(by: number): void {
  const list = shots.value;
  const i = list.findIndex((s) => s.id === current.value);
  const next = list[i < 0 ? list.length - 1 : i + by];
  if (next) setKey("cur", next.id);
  else toast(by < 0 ? "This is the first profile." : "This is the last profile.");
}

function swap(): void {
  const b = base.value;
  if (b) navigate({ keys: { base: current.value, cur: b } });
}

/** copyCommand asks the server what to type for the same view. */
async function copyCommand(): Promise<void> {
  try {
    const url = dataURL(state.value, "command");
    const report = state.value.view === "table" ? `${url.includes("?") ? "&" : "?"}report=top` : "";
    const a = await ask<{ command: string; without: string[]; note?: string }>(url + report);
    await copy(a.command, a.without.length ? `Command (without ${a.without.join(", ")}, which the command line does not have)` : "Command");
    if (a.note) toast(a.note);
  } catch (e) {
    toast((e as Failure).message, { bad: true });
  }
}

const viewCommands: Command[] = views.map((v) => ({
  id: `go.${v.id}`,
  title: `Go to ${v.title}`,
  keys: [v.key],
  group: "Views",
  run: () => go(v.id),
  when: () => has(v.id),
}));

const onSession = () => session.value !== null;
const several = () => shots.value.length > 1;
const live = () => !saved;

const general: Command[] = [
  { id: "palette", title: "Search commands", keys: ["Ctrl+K"], group: "Page", run: () => (dialog.value = "palette"), plain: true },
  { id: "help", title: "Keys", keys: ["?"], group: "Page", bar: "keys", run: () => (dialog.value = "help") },
  { id: "search", title: "Search", keys: ["/"], group: "Search", when: onSession, run: () => document.querySelector<HTMLInputElement>("#search")?.focus() },
  { id: "search.next", title: "Next match", keys: ["n"], group: "Search", when: () => found.value !== null, run: () => found.value?.next() },
  { id: "search.previous", title: "Previous match", keys: ["N"], group: "Search", when: () => found.value !== null, run: () => found.value?.previous() },
  { id: "undo", title: "Undo", keys: ["Ctrl+Z"], group: "Steps", when: () => canUndo.value, run: undo },
  { id: "redo", title: "Redo", keys: ["Ctrl+Shift+Z", "Ctrl+Y"], group: "Steps", when: () => canRedo.value, run: redo },
  { id: "filters.clear", title: "Remove all filters", group: "Steps", when: () => state.value.x.length > 0, run: removeTransforms },
  onSelected("focus", "Keep samples with the selected function", "f", (fn) => addTransform("focus", quoteRegexp(fn)), "focus"),
  onSelected("root", "Show only the subtrees below the selected function", "F", (fn) => addTransform("root", fn)),
  onSelected("hide", "Hide frames of the selected function", "h", (fn) => addTransform("hide", quoteRegexp(fn)), "hide"),
  onSelected("drop", "Drop samples with the selected function", "d", (fn) => addTransform("drop", fn)),
  onSelected("merge", "Merge the selected function into its callers", "m", (fn) => addTransform("merge", fn)),
  onSelected("collapse", "Collapse recursion of the selected function", "c", (fn) => addTransform("collapse", fn)),
  onSelected("source", "Show the source of the selected function", "o", () => go("source"), "source", () => has("source")),
  onSelected("graph", "Show the selected function in the call graph", "g", () => go("graph"), undefined, () => has("graph")),
  onSelected("retention", "Who holds what the selected function allocated", "r", () => go("retention"), "who holds", () => has("retention")),
  { id: "mine", title: "My code only", keys: ["t"], group: "Data", when: () => !!session.value?.own, run: () => addTransform("show", session.value?.own ?? "") },
  { id: "collapse.all", title: "Collapse all recursion", group: "Data", when: onSession, run: () => addTransform("collapse", "*") },
  { id: "noinlines", title: "Count inlined calls for their callers", group: "Data", when: onSession, run: () => addTransform("noinlines") },
  { id: "shot.previous", title: "Previous profile", keys: ["["], group: "Data", when: several, run: () => step(-1) },
  { id: "shot.next", title: "Next profile", keys: ["]"], group: "Data", when: several, run: () => step(1) },
  { id: "base", title: "Use this profile as the base", keys: ["A"], group: "Data", when: several, run: () => setKey("base", current.value) },
  { id: "current", title: "Show the newest profile", keys: ["B"], group: "Data", when: several, run: () => setKey("cur", shots.value.at(-1)?.id) },
  { id: "swap", title: "Swap base and current", keys: ["x"], group: "Data", when: () => base.value !== "", run: swap },
  { id: "base.none", title: "Compare with nothing", group: "Data", when: () => base.value !== "", run: () => setKey("base", kind.value?.base ? "none" : undefined) },
  { id: "copy.link", title: "Copy link", keys: ["y"], group: "Page", when: onSession, run: () => void copy(location.href, "Link") },
  { id: "copy.command", title: "Copy as command", keys: ["Y"], group: "Page", when: onSession, run: () => void copyCommand() },
  { id: "export", title: "Export as one HTML file", keys: ["Ctrl+S"], group: "Page", when: () => onSession() && !saved, run: () => (dialog.value = "export") },
  { id: "theme", title: "Switch between light and dark", group: "Page", run: toggleTheme },
  { id: "reload", title: "Ask the server again", group: "Page", when: live, run: again },
  { id: "home", title: "Open something else", group: "Page", when: live, run: startPage },
  { id: "unselect", title: "Select nothing", keys: ["Escape"], group: "Selection", plain: true, when: () => !!state.value.keys["sel"] || drawer.value, run: () => (drawer.peek() ? (drawer.value = false) : setKey("sel", undefined, inPlace)) },
];

/** startActions puts the commands in place. */
export function startActions(): void {
  addCommands([...viewCommands, ...general]);
}
