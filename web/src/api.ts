// Questions to the server: typed, cached by URL, cancelled when nobody waits
// any more. Every failure becomes a sentence with a way on.

import { useEffect, useState } from "preact/hooks";
import { signal } from "@preact/signals";
import { sentence } from "./format.ts";
import { decodeColumns, mediaType } from "./columns.ts";
import { answerOf, saved } from "./saved.ts";

/** Failure is why there is no answer: a sentence, what to do, and whether asking again may help. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly hint: string,
    readonly status: number,
  ) {
    super(message);
  }
  /** The server did not answer at all. */
  get gone(): boolean {
    return this.status === 0;
  }
}

/** explain is a failure as a sentence, with what to do. */
export function explain(e: unknown): string {
  const { message, hint } = e as Failure;
  return `${sentence(message)} ${hint ?? ""}`;
}

/** True while the server does not answer; the shell shows it and asks again. */
export const serverGone = signal(false);
/** How many answers are awaited, for the line of progress. */
export const pending = signal(0);
/** A counter that is raised to ask again for everything that failed. */
export const retries = signal(0);

const cacheBytes = 96 << 20;
const cache = new Map<string, { value: unknown; bytes: number }>();
let cached = 0;

function remember(url: string, value: unknown, bytes: number): void {
  if (bytes > cacheBytes / 2) return;
  cache.delete(url);
  cache.set(url, { value, bytes });
  cached += bytes;
  for (const [k, v] of cache) {
    if (cached <= cacheBytes) break;
    cache.delete(k);
    cached -= v.bytes;
  }
}

/** forget empties the cache: after new data came into the session. */
export function forget(): void {
  cache.clear();
  cached = 0;
}

/** again asks the server again for everything. */
export function again(): void {
  forget();
  retries.value++;
}

/** known is an answer that came before, if it is still kept. */
export function known<T>(url: string): T | undefined {
  return cache.get(url)?.value as T | undefined;
}

/** ask gets a URL: JSON, or columns when the server answers in them. */
export async function ask<T>(url: string, abort?: AbortSignal): Promise<T> {
  const hit = cache.get(url);
  if (hit) {
    cache.delete(url);
    cache.set(url, hit);
    return hit.value as T;
  }
  pending.value++;
  try {
    const response = await request(url, { headers: { Accept: `${mediaType}, application/json` }, signal: abort });
    const columns = response.headers.get("Content-Type")?.startsWith(mediaType);
    const body = await whole<ArrayBuffer | string>(columns ? response.arrayBuffer() : response.text());
    const value = typeof body === "string" ? (JSON.parse(body) as unknown) : decodeColumns(body);
    remember(url, value, typeof body === "string" ? body.length * 2 : body.byteLength);
    return value as T;
  } catch (e) {
    throw asFailure(e);
  } finally {
    pending.value--;
  }
}

/** fresh gets JSON that is of this moment only: it is not kept. */
export async function fresh<T>(url: string, abort?: AbortSignal): Promise<T> {
  try {
    return (await whole((await request(url, { signal: abort, cache: "no-store" })).json())) as T;
  } catch (e) {
    throw asFailure(e);
  }
}

/** send posts something that changes the server's state. */
export async function send<T>(url: string, body: BodyInit, headers: Record<string, string> = {}): Promise<T> {
  pending.value++;
  try {
    const response = await request(url, { method: "POST", body, headers });
    return (await whole(response.json())) as T;
  } catch (e) {
    throw asFailure(e);
  } finally {
    pending.value--;
  }
}

/** open asks the server to read a file, an address or a process; the answer is the session's id. */
export function open(source: string): Promise<{ session: string }> {
  return send("/api/open", JSON.stringify({ source }), { "Content-Type": "application/json" });
}

/** reopen asks the server to read again what a session was made of. */
export function reopen(session: string): Promise<{ session: string }> {
  return send("/api/open", JSON.stringify({ session }), { "Content-Type": "application/json" });
}

/** upload hands the server a file the user dropped. */
export function upload(file: File): Promise<{ session: string }> {
  return send("/api/upload", file, { "Content-Type": "application/octet-stream", "X-Name": encodeURIComponent(file.name) });
}

/** request asks the server; every failure is a Failure. */
export async function request(url: string, init: RequestInit): Promise<Response> {
  if (saved) {
    const answer = init.method ? null : await answerOf(url, saved);
    if (answer) return answer;
    throw new Failure("This saved copy does not have that.", saved.note, 404);
  }
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...init });
  } catch (e) {
    if ((e as Error).name === "AbortError") throw e;
    serverGone.value = true;
    throw gone();
  }
  serverGone.value = false;
  if (response.ok) return response;
  throw await refusal(response);
}

async function whole<T>(body: Promise<T>): Promise<T> {
  try {
    return await body;
  } catch (e) {
    if ((e as Error).name === "AbortError" || e instanceof SyntaxError) throw e;
    serverGone.value = true;
    throw gone();
  }
}

function gone(): Failure {
  return new Failure("Profound does not answer any more.", "It was stopped, or the network is cut. Start it again with the same arguments; this page goes on by itself.", 0);
}

async function refusal(r: Response): Promise<Failure> {
  try {
    const e = (await r.json()) as { error?: string; hint?: string };
    if (e.error) return new Failure(e.error, e.hint ?? "", r.status);
  } catch {
    // Not ours: a proxy's page. The status says enough.
  }
  return new Failure(`The server answered ${r.status} ${r.statusText}.`.replace(" .", "."), "Try again, or look at what Profound printed where it was started.", r.status);
}

function asFailure(e: unknown): Failure | Error {
  if (e instanceof Failure || (e instanceof Error && e.name === "AbortError")) return e;
  return new Failure("The answer of the server cannot be read.", `${(e as Error).message}. Page and program may be of different versions: reload the page.`, 502);
}

/** ping asks whether the server is back, without the cache. */
export async function ping(): Promise<boolean> {
  try {
    await request("/api/home", { cache: "no-store" });
    return true;
  } catch {
    return !serverGone.peek();
  }
}

/** What a component knows of an answer. data stays the last one while a new one is awaited. */
export interface Load<T> {
  data: T | null;
  error: Failure | null;
  /** An answer is awaited; data, if any, is of an earlier question. */
  loading: boolean;
  /** The question data answers. */
  url: string;
}

/** useLoad asks for url when it changes, and cancels the question before. null asks nothing. */
export function useLoad<T>(url: string | null): Load<T> {
  const [load, set] = useState<Load<T>>(() => start<T>(url));
  const again = retries.value;
  useEffect(() => {
    if (url === null) {
      set({ data: null, error: null, loading: false, url: "" });
      return;
    }
    const hit = cache.get(url);
    if (hit) {
      set({ data: hit.value as T, error: null, loading: false, url });
      return;
    }
    const abort = new AbortController();
    set((l) => ({ ...l, error: null, loading: true }));
    ask<T>(url, abort.signal).then(
      (data) => {
        if (!abort.signal.aborted) set({ data, error: null, loading: false, url });
      },
      (e: unknown) => {
        if (abort.signal.aborted) return;
        const error = e instanceof Failure ? e : new Failure((e as Error).message, "", 500);
        set((l) => ({ data: error.gone ? l.data : null, error, loading: false, url: l.url }));
      },
    );
    return () => abort.abort();
  }, [url, again]);
  return load;
}

function start<T>(url: string | null): Load<T> {
  const hit = url === null ? undefined : cache.get(url);
  return { data: (hit?.value as T) ?? null, error: null, loading: url !== null && !hit, url: hit && url ? url : "" };
}
