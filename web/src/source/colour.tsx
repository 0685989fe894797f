// Source text with the colours the server found: marks of begin, end and kind.

import type { ComponentChildren } from "preact";
import { visible } from "../format.ts";

const kinds = ["", "k", "s", "n", "c", "d"];

/** colour cuts a line at its marks. The text stays text. */
export function colour(text: string, marks: readonly number[] | undefined): ComponentChildren {
  if (!marks?.length) return visible(text);
  const out: ComponentChildren[] = [];
  let at = 0;
  for (let i = 0; i + 2 < marks.length; i += 3) {
    const from = marks[i] as number;
    const to = marks[i + 1] as number;
    if (from > at) out.push(visible(text.slice(at, from)));
    out.push(<span class={`c-${kinds[marks[i + 2] as number] ?? ""}`}>{visible(text.slice(from, to))}</span>);
    at = to;
  }
  out.push(visible(text.slice(at)));
  return out;
}

/** untab puts spaces in place of tabs, and moves the marks along. */
export function untab(text: string, marks?: readonly number[]): { text: string; marks?: number[] } {
  if (!text.includes("\t")) return { text, marks: marks as number[] | undefined };
  const moved = marks?.slice();
  let out = "";
  for (let i = 0; i < text.length; i++) {
    const before = out.length;
    out += text[i] === "\t" ? " ".repeat(2 - (out.length % 2)) : text[i];
    if (moved && out.length - before !== 1) {
      const more = out.length - before - 1;
      for (let k = 0; k < moved.length; k++) if (k % 3 !== 2 && (marks as number[])[k]! > i) moved[k]! += more;
    }
  }
  return { text: out, marks: moved };
}

/** unindent takes n characters off the front of a line and moves its marks. */
export function unindent(line: { text: string; marks?: number[] }, n: number): { text: string; marks?: number[] } {
  return { text: line.text.slice(n), marks: line.marks?.map((m, k) => (k % 3 === 2 ? m : Math.max(0, m - n))) };
}
