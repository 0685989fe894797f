// One table of commands: the keyboard, the palette, the help and the bottom
// bar are all made from it. Views add theirs while they are shown.

import { useEffect, useRef } from "preact/hooks";
import { signal, computed } from "@preact/signals";
import { dialog } from "./shell.ts";

export interface Command {
  /** Unique, such as "go.flame". */
  id: string;
  /** What it does, as the palette shows it: "Focus on the selected function". */
  title: string;
  /** Keys as keyOf names them: "f", "F", "Ctrl+Z", "ArrowLeft", "/". The first is shown. */
  keys?: readonly string[];
  /** Heading in help and palette. */
  group: string;
  run: () => void;
  /** The command is there only while this is true. */
  when?: () => boolean;
  /** A word for the bottom bar; without it the command is not shown there. */
  bar?: string;
  /** Not listed in the palette: movement with arrows and the like. */
  plain?: boolean;
}

const layers = signal<readonly (readonly Command[])[]>([]);

/** Raised when a command of a view came or went without a signal telling so. */
const turns = signal(0);

/** All commands that can be run now; those of the view before those of the shell. */
export const commands = computed<Command[]>(() => {
  void turns.value;
  const seen = new Set<string>();
  const all = [...layers.value].reverse().flat();
  return all.filter((c) => (c.when?.() ?? true) && !seen.has(c.id) && seen.add(c.id));
});

/** addCommands adds a layer over those there are, and gives back its removal. */
export function addCommands(list: readonly Command[]): () => void {
  layers.value = [...layers.peek(), list];
  return () => {
    layers.value = layers.peek().filter((l) => l !== list);
  };
}

/** useCommands has the commands of a group while the component is shown. They may close over what changes: the newest run is called. */
export function useCommands(group: string, list: readonly Omit<Command, "group">[]): void {
  const newest = useRef(list);
  newest.current = list;
  const shape = list.map((c) => c.id + (c.keys?.join(" ") ?? "")).join("\n");
  useEffect(() => {
    const layer = list.map((c) => ({
      ...c,
      group,
      run: () => newest.current.find((n) => n.id === c.id)?.run(),
      when: () => newest.current.find((n) => n.id === c.id)?.when?.() ?? true,
    }));
    return addCommands(layer);
  }, [shape]);
  const there = list.map((c) => (c.when?.() ?? true ? 1 : 0)).join("");
  useEffect(() => void (turns.value = turns.peek() + 1), [there]);
}

/** keyOf names a key press: "Ctrl+Shift+Z", "F" for shift and f, "ArrowUp". Cmd counts as Ctrl. */
export function keyOf(e: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">): string {
  const mod = e.ctrlKey || e.metaKey;
  let key = e.key === " " ? "Space" : e.key;
  if (key.length === 1 && mod) key = key.toUpperCase();
  const shift = e.shiftKey && (mod || key.length > 1);
  return (mod ? "Ctrl+" : "") + (e.altKey ? "Alt+" : "") + (shift ? "Shift+" : "") + key;
}

/** Single letters and digits can be turned off for those who dictate or use a screen reader. */
export const lettersOn = signal(true);

export function setLetters(on: boolean): void {
  lettersOn.value = on;
  try {
    localStorage.setItem("letters", on ? "on" : "off");
  } catch {
    // Storage may be forbidden; then the choice lasts as long as the page.
  }
}

function isField(t: EventTarget | null): boolean {
  const e = t as HTMLElement | null;
  return !!e && (e.tagName === "INPUT" || e.tagName === "TEXTAREA" || e.tagName === "SELECT" || e.isContentEditable);
}

/** press runs the command of a key press and says whether there was one. */
export function press(e: KeyboardEvent): boolean {
  // A dialog handles its keys itself.
  if (dialog.peek() !== "" || e.defaultPrevented) return false;
  const key = keyOf(e);
  if (isField(e.target) && !key.startsWith("Ctrl+")) return false;
  if (isField(e.target) && /^Ctrl\+(Shift\+)?[AZYXCV]$/.test(key)) return false;
  // Enter and Space belong to the button that has the focus.
  if ((key === "Enter" || key === "Space") && (e.target as Element | null)?.closest?.("button, a, summary, [role=radio], [role=option]")) return false;
  if (key.length === 1 && !lettersOn.peek()) return false;
  const c = [...layers.peek()]
    .reverse()
    .flat()
    .find((c) => c.keys?.includes(key) && (c.when?.() ?? true));
  if (!c) return false;
  e.preventDefault();
  c.run();
  return true;
}

/** listen starts the keyboard. */
export function listen(): void {
  try {
    lettersOn.value = localStorage.getItem("letters") !== "off";
  } catch {
    // See setLetters.
  }
  window.addEventListener("keydown", press);
}

const words: Readonly<Record<string, string>> = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc", Enter: "Enter", Space: "Space" };

/** keyWords splits a key into what stands on the keys: ["Ctrl", "Z"]. */
export function keyWords(key: string): string[] {
  if (key === "+") return ["+"];
  return key.split("+").map((k) => words[k] ?? k);
}

/** match ranks a command for what was typed in the palette: every word must be in the title, beginnings of words count more. */
export function match(title: string, typed: string): number {
  const t = title.toLowerCase();
  let score = 1;
  for (const w of typed.toLowerCase().split(/\s+/).filter(Boolean)) {
    const at = t.indexOf(w);
    if (at < 0) return 0;
    score += at === 0 ? 3 : /\W/.test(t[at - 1] ?? " ") ? 2 : 1;
  }
  return score;
}
