// A copy of the page in one HTML file. The server writes it (internal/web/export.go)
// with the answers to what the views ask; here is said what that is.

import { explain, pending, request } from "./api.ts";
import { kindOf } from "./session.ts";
import { toast } from "./shell.ts";
import { api, dataURL, print, sharedKeys, state, type State } from "./state.ts";
import type { Session } from "./types.ts";
import { viewByID, viewsFor } from "./views/index.ts";

/**
 * questions are what views ask of what is shown, of the other kinds of profiles,
 * and of each against its first profile, where findings lead to. Those in each
 * have sel=f:* and are asked for the largest functions.
 */
function questions(s: State, on: Session): { ask: (string | null | undefined)[]; each: string[] } {
  const at = api(on.id);
  const shared = Object.fromEntries(Object.entries(s.keys).filter(([k]) => k in sharedKeys));
  const data = [kindOf(s, on), ...on.kinds].flatMap((k, i) => {
    const keys = i ? { kind: k?.kind === on.kind ? "" : k!.kind } : shared;
    return [keys, { ...keys, base: on.shots.find((p) => p.kind === k?.kind)?.id ?? "" }];
  });
  const ask = [viewByID(s.view)?.load(s, on), at + "/session", dataURL(s, "command")];
  for (const keys of data)
    for (const v of viewsFor(on))
      for (const own of [{}, { sel: "" }, ...(v.copied ?? [])]) {
        const x = { ...s, view: v.id, keys: { ...keys, ...own } };
        ask.push(v.load(x, on), ...(v.asks?.(x, on) ?? []));
      }
  const each = data.map((keys) => dataURL({ ...s, keys: { ...keys, sel: "f:*" } }, "function", ["sel"]));
  each.push(...each.slice(0, 2).map((url) => url.replace("function", "source")), at + "/retention?sel=f:*");
  return { ask: [...ask, at + "/heap"], each };
}

/** save has the browser save the copy; lines says whether lines of source go with it. */
export async function save(on: Session, lines: boolean): Promise<void> {
  const s = state.peek();
  toast("Saving a copy…");
  pending.value++;
  try {
    const response = await request(api(on.id) + "/export", { method: "POST", body: JSON.stringify({ at: print(s), lines, ...questions(s, on) }) });
    const a = document.createElement("a");
    a.href = URL.createObjectURL(await response.blob());
    a.download = `${on.title}.html`;
    a.click();
    toast(response.headers.get("X-Saved")!);
  } catch (e) {
    toast(explain(e), { bad: true });
  } finally {
    pending.value--;
  }
}
