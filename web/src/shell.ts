// What views tell the frame around them: the bottom bar, the result of a
// search, short messages, what a screen reader should say; and the theme.

import { signal, effect } from "@preact/signals";
import { useEffect } from "preact/hooks";

/** What the bottom bar says, left: totals and what is hidden. */
export const status = signal<readonly string[]>([]);

/** useStatus sets the bottom bar while the component is shown. */
export function useStatus(parts: readonly (string | false | null | undefined)[]): void {
  const text = parts.filter(Boolean) as string[];
  useEffect(() => {
    status.value = text;
    return () => {
      if (status.peek() === text) status.value = [];
    };
  }, [text.join("\n")]);
}

/** What a search found: a text for beside the field, and how to go on. */
export interface Found {
  text: string;
  none: boolean;
  next: () => void;
  previous: () => void;
}
export const found = signal<Found | null>(null);

/** The way from the root to the selection, for the row of chips. */
export const trail = signal<readonly { title: string; run: () => void }[]>([]);

/** A short message at the lower edge. */
export interface Toast {
  id: number;
  text: string;
  bad?: boolean;
}
export const toasts = signal<readonly Toast[]>([]);
let toastID = 0;

/** toast shows a message for some seconds. */
export function toast(text: string, more: { bad?: boolean } = {}): void {
  const t: Toast = { id: ++toastID, text, ...more };
  toasts.value = [...toasts.peek().slice(-2), t];
  setTimeout(() => (toasts.value = toasts.peek().filter((x) => x !== t)), t.bad ? 8000 : 3500);
}

/** What the live region says. */
export const said = signal("");

/** say lets a screen reader speak. */
export function say(text: string): void {
  said.value = text;
}

export type Theme = "auto" | "light" | "dark";
export const theme = signal<Theme>("auto");
/** Raised when colours may have changed, so that canvases draw again. */
export const paint = signal(0);

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** startTheme reads the stored theme and keeps document and storage in step. */
export function startTheme(): void {
  const t = stored("theme");
  if (t === "light" || t === "dark") theme.value = t;
  effect(() => {
    if (theme.value === "auto") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = theme.value;
    try {
      localStorage.setItem("theme", theme.value);
    } catch {
      // Storage may be forbidden; then the choice lasts as long as the page.
    }
    paint.value = paint.peek() + 1;
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => paint.value++);
}

/** toggleTheme switches to the theme that is not shown. */
export function toggleTheme(): void {
  const dark = theme.peek() === "auto" ? matchMedia("(prefers-color-scheme: dark)").matches : theme.peek() === "dark";
  theme.value = dark ? "light" : "dark";
}

/** Whether the user asked for less motion. */
export function still(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** The inspector as a drawer, in narrow windows. */
export const drawer = signal(false);
export type Dialog = "" | "palette" | "help" | "export";
export const dialog = signal<Dialog>("");

/** copy puts text on the clipboard and says so. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied`);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const ok = document.execCommand("copy");
    area.remove();
    toast(ok ? `${what} copied` : `The browser did not allow to copy: ${text}`, { bad: !ok });
  }
}
