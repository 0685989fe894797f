// The state of the page is its URL: /v1/{session}/{view}?keys. Equal states
// have equal URLs: keys are sorted, and what equals its default is left out.
// A step is a new entry of the browser's history, so undo is the way back.

import { signal, computed } from "@preact/signals";
import { saved } from "./saved.ts";

/** The version of the URL. Older links are brought up by the table of upgraders. */
export const version = 1;

/** A transform of the samples, in the order they were added. */
export interface Transform {
  op: string;
  arg: string;
}

/** The state: what is looked at (keys), how it was changed (x), where (session, view). */
export interface State {
  session: string;
  view: string;
  /** Keys that differ from their defaults. */
  keys: Readonly<Record<string, string>>;
  x: readonly Transform[];
}

/** The start page. */
const home: State = { session: "", view: "home", keys: {}, x: [] };

/** Transforms with the word a chip shows. Those with quiet take no argument. */
export const transformWords: Readonly<Record<string, { word: string; quiet?: boolean; help: string }>> = {
  focus: { word: "focus", help: "keep samples with a matching frame" },
  ignore: { word: "ignore", help: "leave out samples with a matching frame" },
  hide: { word: "hide", help: "take matching frames out of the stacks" },
  show: { word: "show only", help: "keep matching frames only" },
  showfrom: { word: "show from", help: "cut frames above the first matching one" },
  prunefrom: { word: "prune from", help: "cut frames below the matching one" },
  tagfocus: { word: "label", help: "keep samples with a matching label" },
  tagignore: { word: "label not", help: "leave out samples with a matching label" },
  tagshow: { word: "labels", help: "keep the labels whose key matches" },
  taghide: { word: "labels without", help: "leave out the labels whose key matches" },
  tagroot: { word: "by label", help: "put label values as frames above each stack" },
  tagleaf: { word: "label below", help: "put label values as frames below each stack" },
  root: { word: "subtrees of", help: "the stacks below this function" },
  merge: { word: "without", help: "take this function out of the stacks" },
  collapse: { word: "collapse recursion", help: "recursion counts once" },
  drop: { word: "drop", help: "leave out samples with this function" },
  noinlines: { word: "no inlined calls", quiet: true, help: "charge inlined calls to the function they are in" },
  gran: { word: "by", help: "what one entry stands for" },
};

/** Keys that every view shares. They survive a change of view. */
export const sharedKeys: Readonly<Record<string, string>> = {
  kind: "",
  value: "",
  cur: "",
  base: "",
  sel: "",
  q: "",
};

/** Keys of single views with their defaults, put here by views/index.ts. */
const viewKeys = new Map<string, Readonly<Record<string, string>>>();

/** declareKeys names the URL keys of a view and their defaults. */
export function declareKeys(view: string, keys: Readonly<Record<string, string>>): void {
  for (const k of Object.keys(keys)) {
    if (k in sharedKeys || k === "x") throw new Error(`key ${k} of view ${view} is taken`);
  }
  viewKeys.set(view, keys);
}

/** defaultOf is the value of a key when the URL does not have it. */
export function defaultOf(view: string, key: string): string {
  return viewKeys.get(view)?.[key] ?? sharedKeys[key] ?? "";
}

/** get reads a key of the state, or its default. */
export function get(s: State, key: string): string {
  return s.keys[key] ?? defaultOf(s.view, key);
}

/** BadURL says in a sentence why a URL is no state, and what to do. */
export class BadURL extends Error {
  constructor(
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

/** An upgrader changes path parts and parameters of one version into the next. */
export type Upgrader = (parts: string[], params: URLSearchParams) => { parts: string[]; params: URLSearchParams };

/** Upgraders by the version they read. There is one version so far. */
export const upgraders: Readonly<Record<number, Upgrader>> = {};

/** parse reads a path with query. "/" is the home page: an empty session. */
export function parse(url: string, table: Readonly<Record<number, Upgrader>> = upgraders, now = version): State {
  const cut = url.indexOf("?");
  const path = cut < 0 ? url : url.slice(0, cut);
  let params = new URLSearchParams(cut < 0 ? "" : url.slice(cut + 1));
  let parts = path.split("/").filter(Boolean).map(decode);
  if (parts.length === 0) return home;
  const m = /^v(\d+)$/.exec(parts[0] ?? "");
  if (!m) throw new BadURL(`There is no page ${path}.`, "Addresses of views begin with /v1/.");
  let v = Number(m[1]);
  if (v > now) throw new BadURL(`This link is of a newer Profound (version ${v}, this is ${now}).`, "Install the newest version to open it.");
  parts = parts.slice(1);
  for (; v < now; v++) {
    const up = table[v];
    if (!up) throw new BadURL(`Links of version ${v} cannot be read any more.`, "Open the session from the start page.");
    ({ parts, params } = up(parts, params));
  }
  const session = parts[0];
  if (!session) return home;
  if (parts.length > 2) throw new BadURL(`There is no page ${path}.`, "An address is /v1/SESSION/VIEW.");
  return normal({ session, view: parts[1] ?? "", ...readParams(params) });
}

function readParams(params: URLSearchParams): Pick<State, "keys" | "x"> {
  const keys: Record<string, string> = {};
  const x: Transform[] = [];
  for (const [k, v] of params) {
    if (k === "x") x.push(parseTransform(v));
    else keys[k] = v;
  }
  return { keys, x };
}

/** parseTransform reads one value of x, such as focus:^main\. */
export function parseTransform(text: string): Transform {
  const cut = text.indexOf(":");
  const op = cut < 0 ? text : text.slice(0, cut);
  const known = transformWords[op];
  const names = Object.keys(transformWords).join(", ");
  if (!Object.hasOwn(transformWords, op) || !known) throw new BadURL(`The address asks for an unknown transform "${op}".`, `Known are ${names}.`);
  const arg = cut < 0 ? "" : text.slice(cut + 1);
  if (!known.quiet && arg === "") throw new BadURL(`The transform ${op} has nothing to work on.`, `Write x=${op}:SOMETHING.`);
  return { op, arg: known.quiet ? "" : arg };
}

/** printTransform is the opposite of parseTransform. */
export function printTransform(t: Transform): string {
  return transformWords[t.op]?.quiet ? t.op : `${t.op}:${t.arg}`;
}

/** normal leaves defaults out, so that equal states are equal objects. */
function normal(s: State): State {
  const keys: Record<string, string> = {};
  for (const k of Object.keys(s.keys).sort()) {
    const v = s.keys[k];
    if (v !== undefined && v !== defaultOf(s.view, k)) keys[k] = v;
  }
  return { session: s.session, view: s.view, keys, x: s.x };
}

/** print is the URL of a state. */
export function print(s: State): string {
  if (!s.session) return "/";
  const n = normal(s);
  return `/v${version}/${escape(n.session)}/${escape(n.view)}${printQuery(n.keys, n.x)}`;
}

/** printQuery prints keys in order, with the transforms where "x" belongs. */
export function printQuery(keys: Readonly<Record<string, string>>, x: readonly Transform[]): string {
  const names = Object.keys(keys);
  if (x.length) names.push("x");
  const pairs = names.sort().flatMap((k) => (k === "x" ? x.map((t) => `x=${escape(printTransform(t))}`) : [`${escape(k)}=${escape(keys[k] ?? "")}`]));
  return pairs.length ? "?" + pairs.join("&") : "";
}

/** escape keeps readable what may stand in a URL as it is. */
function escape(text: string): string {
  return encodeURIComponent(text.toWellFormed?.() ?? text).replace(/%(3A|2F|2C|40|24|20)/g, (_, h: string) => ({ "3A": ":", "2F": "/", "2C": ",", "40": "@", "24": "$", "20": "+" })[h] ?? "");
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new BadURL("The address is damaged.", "Copy the link again, whole.");
  }
}

/** Options of pprof that its links carry. They go with every question, and stay when the view changes; in: the views they change, when not all. */
export const optionWords: Readonly<Record<string, { word: string; help: string; in?: readonly string[] }>> = {
  mean: { word: "mean", help: "averages instead of sums" },
  norm: { word: "normalized", help: "scaled to the total of the base" },
  rel: { word: "relative", help: "percentages of what the filters leave" },
  dropneg: { word: "no decreases", help: "what became less is left out" },
  calltree: { word: "call tree", help: "call paths are kept apart", in: ["graph"] },
  n: { word: "at most", help: "at most so many entries", in: [] },
  nf: { word: "share from", help: "entries below this share are left out", in: ["graph"] },
  ef: { word: "edges from", help: "edges below this share are left out", in: [] },
  trim: { word: "trim", help: "small entries are left out", in: ["graph"] },
  unit: { word: "unit", help: "the unit of reports", in: [] },
  intel: { word: "Intel syntax", help: "machine code in Intel syntax", in: ["source"] },
  compact: { word: "compact", help: "reports without the lines about the profile", in: [] },
};

/** optionsOf are the options of pprof in a state, but for keys the view has for itself. */
export function optionsOf(s: State): string[] {
  return Object.keys(optionWords).filter((k) => s.keys[k] !== undefined && viewKeys.get(s.view)?.[k] === undefined);
}

/** shownOptions are those that change something in the view. */
export function shownOptions(s: State): string[] {
  return optionsOf(s).filter((k) => optionWords[k]?.in?.includes(s.view) ?? true);
}

/** ownKeys are the keys in a state that not all views have: those of the view, and options. */
export function ownKeys(s: State): string[] {
  return Object.keys(s.keys).filter((k) => !(k in sharedKeys));
}

/** api is where the server answers for a session. */
export function api(session: string): string {
  return `/api/${escape(session)}`;
}

/** dataURL is where the server answers for a view: the keys that choose samples, the transforms, and the view's own keys named. */
export function dataURL(s: State, what: string = s.view, own: readonly string[] = []): string {
  const keys: Record<string, string> = {};
  for (const k of ["kind", "value", "cur", "base", ...optionsOf(s), ...own]) {
    const v = s.keys[k];
    if (v !== undefined && v !== "") keys[k] = v;
  }
  return `${api(s.session)}/${what}${printQuery(keys, s.x)}`;
}

/** A change of the state: keys set to undefined or "" go back to their default. */
export interface Patch {
  session?: string;
  view?: string;
  x?: readonly Transform[];
  keys?: Readonly<Record<string, string | undefined>>;
}

const remembered = new Map<string, Readonly<Record<string, string>>>();

/** applyPatch is the state after a change. Keys of a view stay behind when the view changes. */
export function applyPatch(s: State, p: Patch): State {
  let keys: Record<string, string> = { ...s.keys };
  const view = p.view ?? s.view;
  if (view !== s.view || (p.session !== undefined && p.session !== s.session)) {
    const stays = new Set([...Object.keys(sharedKeys), ...optionsOf(s)]);
    remembered.set(`${s.session}/${s.view}`, Object.fromEntries(Object.entries(keys).filter(([k]) => !stays.has(k))));
    keys = Object.fromEntries(Object.entries(keys).filter(([k]) => stays.has(k)));
    Object.assign(keys, remembered.get(`${p.session ?? s.session}/${view}`));
  }
  for (const [k, v] of Object.entries(p.keys ?? {})) {
    if (v === undefined || v === "") delete keys[k];
    else keys[k] = v;
  }
  return normal({ session: p.session ?? s.session, view, keys, x: p.x ?? s.x });
}

/** The state now. Only this file writes it. */
export const state = signal<State>(home);
/** Why the URL could not be read, or null. */
export const badURL = signal<BadURL | null>(null);

const step = signal(0);
const last = signal(0);
export const canUndo = computed(() => step.value > 0);
export const canRedo = computed(() => step.value < last.value);

/** here is the address that is open. That of a saved copy stands behind the #; without one it is as it was saved. */
function here(): string {
  return saved ? (location.hash.length > 2 ? location.hash.slice(1) : saved.at) : location.pathname + location.search;
}

/** link is what leads to an address. */
export function link(url: string): string {
  return saved ? "#" + url : url;
}

/** navigate changes the state: a new step, or with replace the same step seen differently. */
export function navigate(patch: Patch, how: { replace?: boolean } = {}): void {
  const next = saved && patch.session === "" ? parse(saved.at) : applyPatch(state.peek(), patch); // a copy has no other start
  const url = print(next);
  badURL.value = null;
  if (url === print(state.peek()) && url === here()) return;
  if (how.replace) {
    history.replaceState({ step: step.peek() }, "", link(url));
  } else {
    step.value++;
    last.value = step.peek();
    history.pushState({ step: step.peek() }, "", link(url));
  }
  state.value = next;
}

/** How a change is made that is no step of its own: typing, sorting, zoom. */
export const inPlace = { replace: true } as const;

/** startPage leaves the session. */
export function startPage(): void {
  navigate(home);
}

/** setKey is navigate for one key. */
export function setKey(key: string, value: string | undefined, how: { replace?: boolean } = {}): void {
  navigate({ keys: { [key]: value } }, how);
}

/** addTransform puts a transform at the end, once. */
export function addTransform(op: string, arg = ""): void {
  const x = state.peek().x;
  if (x.some((t) => t.op === op && t.arg === arg)) return;
  navigate({ x: [...x, { op, arg }] });
}

/** removeTransforms takes all of them out. */
export function removeTransforms(): void {
  navigate({ x: [] });
}

/** removeTransform takes out the transform at an index. */
export function removeTransform(i: number): void {
  navigate({ x: state.peek().x.filter((_, j) => j !== i) });
}

export function undo(): void {
  if (canUndo.peek()) history.back();
}

export function redo(): void {
  if (canRedo.peek()) history.forward();
}

/** read takes the state from the address bar: at the start and when the user goes back or forward. */
export function read(): void {
  const s = (history.state as { step?: number } | null)?.step;
  if (s === undefined) history.replaceState({ step: step.peek() }, "");
  step.value = s ?? step.peek();
  if (step.value > last.value) last.value = step.value;
  try {
    state.value = parse(here());
    badURL.value = null;
  } catch (e) {
    badURL.value = e instanceof BadURL ? e : new BadURL("The address cannot be read.", "Begin at the start page.");
  }
}

/** The selection: what sort of thing, and its name. */
export interface Selection {
  sort: "f" | "t" | "g" | "l";
  name: string;
}

/** selection reads sel: f:FUNC, t:TYPE, g:GROUP, l:FILE:LINE. */
export function selection(s: State): Selection | null {
  const m = /^([ftgl]):([^]+)$/.exec(s.keys["sel"] ?? "");
  return m ? { sort: m[1] as Selection["sort"], name: m[2] as string } : null;
}

/** select marks one thing in every view. It is no step of its own. */
export function select(sort: Selection["sort"], name: string): void {
  setKey("sel", `${sort}:${name}`, inPlace);
}

export function selectFunction(name: string): void {
  select("f", name);
}

/** showFunction selects a function in another view. */
export function showFunction(view: string, name: string): void {
  navigate({ view, keys: { sel: `f:${name}` } });
}

/** quoteRegexp makes a regular expression that matches exactly this function. */
export function quoteRegexp(name: string): string {
  return "^" + name.replace(/[\\.*+?()[\]{}|^$]/g, "\\$&") + "$";
}
