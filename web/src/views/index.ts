// The views of the page. To add one: write src/views/NAME.tsx that exports a
// View, and add it here. See README.md.

import type { ComponentType } from "preact";
import { declareKeys, type State } from "../state.ts";
import type { Selection } from "../state.ts";
import type { Session } from "../types.ts";
import { compare } from "./compare.tsx";
import { flame } from "./flame.tsx";
import { leaks } from "./leaks.tsx";
import { summary } from "./summary.tsx";
import { goroutines } from "./goroutines.tsx";
import { graph } from "./graph.tsx";
import { retention } from "./retention.tsx";
import { source } from "./source.tsx";
import { table } from "./table.tsx";
import { timeline } from "./timeline.tsx";

/** What a view's component is given. */
export interface ViewProps<T> {
  /** The newest answer. It may be of an earlier question while the next is awaited: see stale. */
  data: T;
  stale: boolean;
  state: State;
  session: Session;
}

/** The question a view answers: the groups of the rail. */
export type Group = "" | "where" | "when" | "why";
export const groups: readonly { id: Group; title: string }[] = [
  { id: "", title: "" },
  { id: "where", title: "Where" },
  { id: "when", title: "When" },
  { id: "why", title: "Why kept" },
];

export interface View<T = any> {
  /** The part of the URL, and the name of the question to the server. */
  id: string;
  /** The key that goes there: "2". */
  key: string;
  title: string;
  group: Group;
  /** URL keys of the view alone, with their defaults. */
  params?: Readonly<Record<string, string>>;
  /** The URL to ask, null when the view asks itself or there is nothing to ask. */
  load: (state: State, session: Session) => string | null;
  /** Questions its component asks besides load; a saved copy answers them too. */
  asks?: (state: State, session: Session) => readonly (string | null)[];
  /** Keys of its own with which a saved copy answers too. */
  copied?: readonly Readonly<Record<string, string>>[];
  View: ComponentType<ViewProps<T>>;
  /** Shapes of nothing while the first answer is awaited: "rows", "flame", "cards". */
  skeleton?: "rows" | "flame" | "cards";
  /** What narrows the view, by URL keys of its own, where transforms of samples do not; none: nothing does. */
  filters?: readonly { id: string; word: string; help: string }[];
  /** The inspector for selections of one sort, when it is not a function. */
  inspector?: { sort: Selection["sort"]; View: ComponentType<{ name: string; state: State; session: Session }> };
  /** The view has no use for the inspector at its right. */
  wide?: boolean;
}

/** All views, in the order of the rail. */
export const views: readonly View[] = [summary, flame, graph, table, source, timeline, compare, leaks, retention, goroutines];

for (const v of views) declareKeys(v.id, v.params ?? {});

export function viewByID(id: string): View | undefined {
  return views.find((v) => v.id === id);
}

/** hasView says whether the session has data for a view. */
export function hasView(s: Session, id: string): boolean {
  return viewsFor(s).some((v) => v.id === id);
}

/** viewsFor are the views the session has data for. */
export function viewsFor(s: Session): readonly View[] {
  return views.filter((v) => s.views.includes(v.id));
}
