// The search of the top bar as views answer it: what matches, and the way from
// one to the next.

import { useEffect, useRef } from "preact/hooks";
import { matcher } from "./parts/rows.ts";
import { found } from "./shell.ts";

/** testOf is the test of what was typed; null while nothing was, or no regular expression. */
export function testOf(typed: string): ((text: string) => boolean) | null {
  return typed.trim() ? matcher(typed) : null;
}

/** matching is the numbers of the texts that match what was typed; null where testOf is. */
export function matching(typed: string, texts: readonly string[]): number[] | null {
  const test = testOf(typed);
  return test && [...texts.keys()].filter((i) => test(texts[i] as string));
}

/** What useFound is told besides what was found. */
export interface Walk {
  /** What the top bar says; at is the place of the one that was gone to, -1 for none. */
  words: (at: number) => string;
  /** What it says when nothing was found. */
  none?: string;
  /** Goes to one of what was found. */
  go: (hit: number) => void;
  /** The one that is chosen now, where steps begin; without it they go on from the last step. */
  chosen?: number;
}

/** useFound tells the top bar what a search found, in the order of the steps; null while nothing is searched for. */
export function useFound(hits: ArrayLike<number> | null, walk: Walk): void {
  const live = useRef(walk);
  live.current = walk;
  useEffect(() => {
    if (!hits) return;
    const n = hits.length;
    let at = -1;
    const tell = () => (found.value = { text: n ? live.current.words(at) : (live.current.none ?? "none"), none: !n, next: () => step(1), previous: () => step(-1) });
    const step = (by: number) => {
      if (!n) return;
      const { chosen, go } = live.current;
      if (chosen !== undefined) at = Array.prototype.indexOf.call(hits, chosen);
      at = at < 0 && by < 0 ? n - 1 : (at + by + n) % n;
      go(hits[at] as number);
      tell();
    };
    tell();
    return () => void (found.value = null);
  }, [hits]);
}
