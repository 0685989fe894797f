// What is loaded, and what the state means for it: the kind, value and
// profiles that are shown when the URL leaves them to the session.

import { computed, signal } from "@preact/signals";
import { ask, Failure, retries } from "./api.ts";
import { quantity } from "./format.ts";
import { api, state, type State } from "./state.ts";
import type { Head, Kind, Session, Shot, ValueType } from "./types.ts";

export const session = signal<Session | null>(null);
export const sessionError = signal<Failure | null>(null);

/** Which time of asking the session is of: again() asks for it anew. */
let loaded = -1;

/** loadSession asks what a session has; "" is the start page. */
export async function loadSession(id: string): Promise<void> {
  if (!id) {
    session.value = null;
    sessionError.value = null;
    return;
  }
  if (session.peek()?.id === id && loaded === retries.peek()) return;
  const tries = retries.peek();
  try {
    const s = await ask<Session>(`${api(id)}/session`);
    if (state.peek().session !== id) return;
    session.value = s;
    loaded = tries;
    sessionError.value = null;
  } catch (e) {
    if (state.peek().session !== id || ((e as Failure).gone && session.peek()?.id === id)) return; // what was loaded stays
    session.value = null;
    sessionError.value = e instanceof Failure ? e : new Failure((e as Error).message, "", 500);
  }
}

/** kindOf is the kind of profile a state looks at. */
export function kindOf(s: State, on: Session): Kind | undefined {
  const name = s.keys["kind"] || on.kind;
  return on.kinds.find((k) => k.kind === name) ?? on.kinds[0];
}

/** The kind shown now. */
export const kind = computed<Kind | undefined>(() => (session.value ? kindOf(state.value, session.value) : undefined));

/** The value shown now. */
export const value = computed<ValueType | undefined>(() => {
  const k = kind.value;
  if (!k) return undefined;
  const name = state.value.keys["value"] || k.value;
  return k.values.find((v) => v.name === name) ?? k.values[0];
});

/** The profiles of the kind shown, in order of time, and then those given as a base. */
export const given = computed<Shot[]>(() => session.value?.shots.filter((s) => s.kind === kind.value?.kind) ?? []);

/** Those that are no base. */
export const shots = computed<Shot[]>(() => given.value.filter((s) => s.id.startsWith("p")));

/** The current profile's id: "p3", "p2..p5" or "all". */
export const current = computed<string>(() => state.value.keys["cur"] || kind.value?.cur || "");

/** The base's id, "" without one; the URL says "none" where the session has one by default. */
export const base = computed<string>(() => {
  const b = state.value.keys["base"] || kind.value?.base || "";
  return b === "none" ? "" : b;
});

/** unit is the base unit of the value shown. */
export const unit = computed<string>(() => value.value?.unit ?? "");

/** totalWords is the total of an answer for the bottom bar: "9.05 MB in use", "4 s of 10 s CPU time". */
export function totalWords(h: Head): string {
  const v = kind.value?.values.find((v) => v.name === h.value);
  const title = (v?.title ?? h.value.replaceAll("_", " ")).replace(/,.*/, "");
  const word = /^[A-Z][a-z]/.test(title) ? title[0]!.toLowerCase() + title.slice(1) : title;
  return `${quantity(h.shown, h.unit)}${h.shown !== h.total ? ` of ${quantity(h.total, h.unit)}` : ""} ${word}`;
}
