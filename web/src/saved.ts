// What a saved copy of the page has in itself: internal/web/export.go wrote it.

interface Saved {
  /** The address that was shown. */
  at: string;
  /** What the copy is of, from when, and how to have the live page. */
  note: string;
  /** Answers by their unescaped URL: data URLs, compressed. */
  answers: Readonly<Record<string, string>>;
}

const text = globalThis.document?.getElementById("saved")?.textContent;

/** saved is null on the live page. */
export const saved: Saved | null = text ? (JSON.parse(text) as Saved) : null;

/** answerOf is the answer a saved copy has. Graph and timeline are in it without a selection too, and do for any. */
export async function answerOf(url: string, { answers }: Saved): Promise<Response | null> {
  const key = decodeURIComponent(url.replaceAll("+", " "));
  const data = answers[key] ?? answers[key.replace(/(graph|timeline)(.*?)[?&]sel=[^&]*/, "$1$2")];
  if (!data) return null;
  const { body, headers } = await fetch(data);
  return new Response(body!.pipeThrough(new DecompressionStream("gzip")), { headers });
}
