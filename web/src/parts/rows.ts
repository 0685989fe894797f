// Sorting and filtering of rows by index: the data stays where it is, in
// typed arrays; what moves is an array of row numbers.

/** What a column is sorted by. */
export type Key = ArrayLike<number> | readonly string[];

/** matcher makes a test of what was typed: words that must all be there, or /regexp/. null is an error in the regexp. */
export function matcher(typed: string): ((text: string) => boolean) | null {
  const t = typed.trim();
  if (t === "") return () => true;
  const re = /^\/([^]+?)\/?$/.exec(t);
  if (re && t.length > 1) {
    try {
      const rx = new RegExp(re[1] as string, "i");
      return (text) => rx.test(text);
    } catch {
      return null;
    }
  }
  const words = t.toLowerCase().split(/\s+/);
  return (text) => {
    const low = text.toLowerCase();
    return words.every((w) => low.includes(w));
  };
}

/** filterRows is the numbers of the rows whose text matches. */
export function filterRows(texts: readonly string[], typed: string): Uint32Array {
  const test = matcher(typed) ?? (() => false);
  const out = new Uint32Array(texts.length);
  let n = 0;
  for (let i = 0; i < texts.length; i++) if (test(texts[i] as string)) out[n++] = i;
  return out.subarray(0, n);
}

/** sortRows sorts row numbers in place by a key; equal rows keep their order, so the result never depends on luck. */
export function sortRows(rows: Uint32Array, key: Key, descending: boolean): Uint32Array {
  const sign = descending ? -1 : 1;
  if (rows.length && typeof key[0] === "string") {
    const texts = key as readonly string[];
    return rows.sort((a, b) => {
      const x = texts[a] as string;
      const y = texts[b] as string;
      return x < y ? -sign : x > y ? sign : a - b;
    });
  }
  const v = key as ArrayLike<number>;
  return rows.sort((a, b) => sign * ((v[a] as number) - (v[b] as number)) || a - b);
}

/** fit leaves out columns that can be spared, the highest number first, until the others have room: their widths in px. */
export function fit<C extends { width: string; spare?: number }>(columns: readonly C[], room: number): readonly C[] {
  const needs = columns.reduce((sum, c) => sum + Number(/(\d+)px/.exec(c.width)?.[1] ?? 0), 0);
  const most = Math.max(...columns.map((c) => c.spare ?? 0));
  return most > 0 && needs > room ? fit(columns.filter((c) => c.spare !== most), room) : columns;
}
