// How far the heap of the session is. A file is read as soon as somebody looks;
// a process is copied only when somebody says so.

import { useEffect, useState } from "preact/hooks";
import { fresh, send, type Failure } from "../api.ts";
import { api } from "../state.ts";

export interface HeapState {
  state: "none" | "idle" | "reading" | "ready" | "failed";
  plan?: string;
  doing?: string;
  error?: string;
  summary?: string;
  objects?: number;
  bytes?: number;
  taken?: number;
  program?: string;
  /** The heap it is compared with. */
  earlier?: { taken?: number; bytes: number; objects: number };
  warnings: string[];
}

const pace = 300;

/** useHeap follows the state of the heap. With start false it only looks, and lets nothing be read. */
export function useHeap(session: string, on: boolean, start = true): { heap: HeapState | null; error: Failure | null; read: () => void } {
  const [heap, set] = useState<HeapState | null>(null);
  const [error, fail] = useState<Failure | null>(null);
  const [turn, again] = useState(0);
  const url = `${api(session)}/heap`;
  useEffect(() => {
    if (!on) return;
    const abort = new AbortController();
    let timer = 0;
    const look = async (post: boolean) => {
      try {
        const h = post ? await send<HeapState>(url, "") : await fresh<HeapState>(url, abort.signal);
        if (abort.signal.aborted) return;
        if (h.state === "idle" && !h.plan && start && !post) return void look(true);
        set(h);
        fail(null);
        if (h.state === "reading") timer = window.setTimeout(() => void look(false), pace);
      } catch (e) {
        if (!abort.signal.aborted) fail(e as Failure);
      }
    };
    void look(turn > 0);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [url, on, turn]);
  return { heap, error, read: () => again((n) => n + 1) };
}
